#!/usr/bin/env bash
# Runs the sensor's tests in other kernels: Debian's packages, booted in qemu. Says why where it cannot.
#
# kernel_matrix.sh [PACKAGE...]: without packages, the newest of each series below that the package lists hold: the machine's
# own, and those of an older release from the same mirrors, read into a folder of their own.
set -euo pipefail
cd "$(dirname "$0")/.."
series=('linux-image-5\.10\.0-[0-9]+-cloud-amd64' 'linux-image-6\.1\.0-[0-9]+-cloud-amd64' 'linux-image-6\.12\.[0-9]+\+deb12-cloud-amd64')
older_release=bullseye
# Software emulation is slow, and a kernel that hangs is a failure.
limit=170

skip() {
    echo "the kernel matrix is skipped: $1"
    exit 0
}
[ "$(uname -m)" = x86_64 ] || skip "it is made for x86-64"
for program in qemu-system-x86_64 busybox dpkg-deb apt-get apt-cache gzip; do
    command -v "$program" >/dev/null || skip "$program is not installed"
done
busybox="$(command -v busybox)"
file_type="$(ldd "$busybox" 2>&1 || true)"
case "$file_type" in *"not a dynamic"* | *"statically"*) ;; *) skip "busybox is not the static one (busybox-static)" ;; esac

work="target/kernels"
mkdir -p "$work"

older=(-o "Dir::Etc::SourceList=$PWD/$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$PWD/$work/apt/lists" -o "Dir::Cache=$PWD/$work/apt/cache" -o Acquire::Check-Valid-Until=false)
# The package lists of the older release: kept for a day.
read_older_lists() {
    mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
    [ -z "$(find "$work/apt/sources.list" -mtime -1 2>/dev/null)" ] || return 0
    # shellcheck disable=SC2016,SC1091 -- apt fills in the names; the release's file is the machine's
    (. /etc/os-release && apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' | sort -u |
        sed -n "s/^\(.*\) $VERSION_CODENAME\(-security\|\)\$/deb \1 $older_release\2 main/p") >"$work/apt/sources.list"
    apt-get "${older[@]}" -qq update >/dev/null 2>&1 || { rm -f "$work/apt/sources.list"; return 1; }
}

packages=("$@")
if [ ${#packages[@]} -eq 0 ]; then
    if ! read_older_lists; then echo "the kernels of $older_release are left out: its package lists cannot be read"; fi
    names="$(apt-cache pkgnames linux-image-; apt-cache "${older[@]}" pkgnames linux-image-)"
    for pattern in "${series[@]}"; do
        newest="$(grep -Ex "$pattern" <<<"$names" | sort -V | tail -1 || true)"
        [ -n "$newest" ] && packages+=("$newest")
    done
fi
[ ${#packages[@]} -gt 0 ] || skip "the package lists hold no kernel of a known series (apt-get update)"

# The tests, as a program that needs nothing else.
tests="$(RUSTFLAGS="-C target-feature=+crt-static" CARGO_TARGET_DIR="$work/build" \
    "${CARGO:-cargo}" test --locked -p sensor --test kernel --no-run --target x86_64-unknown-linux-gnu --message-format short 2>&1 |
    tee /dev/stderr | sed -n 's/.*(\(.*\/kernel-[0-9a-f]*\)).*/\1/p')"
[ -x "$tests" ] || { echo "the tests were not built" >&2; exit 1; }

failed=0
for package in "${packages[@]}"; do
    folder="$work/$package"
    if [ ! -d "$folder/boot" ]; then
        mkdir -p "$folder"
        (cd "$folder" && { apt-get -q download "$package" || apt-get "${older[@]}" -q download "$package"; } >/dev/null 2>&1 && dpkg-deb -x ./*.deb . && rm -f ./*.deb) ||
            { rm -rf "$folder"; skip "$package cannot be downloaded"; }
    fi
    root="$(mktemp -d)"
    trap 'rm -rf "$root"' EXIT
    mkdir -p "$root"/{bin,proc,sys,tmp,dev,etc,lib}
    cp "$busybox" "$root/bin/busybox"
    cp "$tests" "$root/kernel"
    echo "root:x:0:0:root:/root:/bin/sh" >"$root/etc/passwd"
    module="$(find "$folder/lib/modules" -name 'overlay.ko*' | head -1)"
    case "$module" in
    *.xz) xz -dc "$module" >"$root/lib/overlay.ko" ;;
    *.ko) cp "$module" "$root/lib/overlay.ko" ;;
    esac
    cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t tmpfs none /tmp
mount -t cgroup2 none /sys/fs/cgroup
ifconfig lo 127.0.0.1 up
[ -f /lib/overlay.ko ] && insmod /lib/overlay.ko
echo "kernel $(uname -r)"
/kernel --nocapture --test-threads=1 2>&1
echo "the tests ended with $?"
poweroff -f
INIT
    chmod +x "$root/init"
    (cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$work/initramfs.gz"
    rm -rf "$root"
    log="$work/$package.log"
    timeout "$limit" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 1024 -nographic -no-reboot \
        -kernel "$folder"/boot/vmlinuz-* -initrd "$work/initramfs.gz" \
        -append "console=ttyS0 quiet panic=-1" </dev/null >"$log" 2>&1 || true
    if grep -q 'the tests ended with 0' "$log"; then
        echo "$package: $(tr -d '\r' <"$log" | sed -n 's/^test result: //p')"
        tr -d '\r' <"$log" | grep -E 'skipped: |does not run' | sort -u | sed 's/^/    /' || true
    else
        echo "$package: failed; the end of $log:" >&2
        tail -40 "$log" >&2
        failed=1
    fi
done
exit "$failed"
