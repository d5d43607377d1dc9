#!/usr/bin/env bash
# Runs the sensor's tests in other kernels: Debian's packages, booted in qemu. Says why where it cannot.
#
# kernel_matrix.sh [PACKAGE...]: without packages, the newest of each series below that the package lists hold: the machine's
# own, and those of an older release from the same mirrors, read into a folder of their own. ARCHITECTURE=aarch64 runs them
# on that architecture, with programs cross-compiled for it.
set -euo pipefail
cd "$(dirname "$0")/.."
architecture="${ARCHITECTURE:-x86_64}"
case "$architecture" in
x86_64) debian=amd64 console=ttyS0 machine=(-cpu max) ;;
aarch64) debian=arm64 console=ttyAMA0 machine=(-M virt -cpu "max,pauth-impdef=on") ;;
*) echo "no kernels are known for $architecture: x86_64 or aarch64" >&2; exit 2 ;;
esac
series=("linux-image-5\.10\.0-[0-9]+-cloud-$debian" "linux-image-6\.1\.0-[0-9]+-cloud-$debian" "linux-image-6\.12\.[0-9]+\+deb12-cloud-$debian")
older_release=bullseye
# Software emulation is slow, and a kernel that hangs is a failure.
limit=170
[ "$architecture" = "$(uname -m)" ] || limit=600

skip() {
    echo "the kernel matrix is skipped: $1"
    exit 0
}
[ "$(uname -m)" = x86_64 ] || skip "it is made to run on x86-64"
for program in "qemu-system-$architecture" dpkg-deb apt-get apt-cache gzip; do
    command -v "$program" >/dev/null || skip "$program is not installed"
done

work="target/kernels"
[ "$architecture" = x86_64 ] || work="target/kernels-$architecture"
mkdir -p "$work"

# Package lists in a folder of their own, kept for a day: those of the older release, and for another architecture also of this one.
apt=(-o "APT::Architecture=$debian" -o "APT::Architectures=$debian"
    -o "Dir::Etc::SourceList=$PWD/$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$PWD/$work/apt/lists" -o "Dir::Cache=$PWD/$work/apt/cache" -o Acquire::Check-Valid-Until=false)
read_lists() {
    mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
    [ -z "$(find "$work/apt/sources.list" -mtime -1 2>/dev/null)" ] || return 0
    # shellcheck disable=SC1091 -- the release's file is the machine's
    codename="$(. /etc/os-release && echo "$VERSION_CODENAME")"
    # shellcheck disable=SC2016 -- apt fills in the names
    sites="$(apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' | sort -u)"
    {
        sed -n "s/^\(.*\) $codename\(-security\|\)\$/deb \1 $older_release\2 main/p" <<<"$sites"
        [ "$architecture" = x86_64 ] || sed -n "s/^\(.*\) $codename\(-security\|\)\$/deb \1 $codename\2 main/p" <<<"$sites"
    } >"$work/apt/sources.list"
    apt-get "${apt[@]}" -qq update >/dev/null 2>&1 || { rm -f "$work/apt/sources.list"; return 1; }
}
download() {
    apt-get -q download "$1:$debian" || apt-get "${apt[@]}" -q download "$1"
}

# Unpacks a kernel into a folder of its name.
fetch() {
    [ ! -d "$work/$1/boot" ] || return 0
    mkdir -p "$work/$1"
    (cd "$work/$1" && download "$1" >/dev/null 2>&1 && dpkg-deb -x ./*.deb . && rm -f ./*.deb) || { rm -rf "${work:?}/$1"; return 1; }
}

packages=("$@")
if [ ${#packages[@]} -eq 0 ] || [ "$architecture" != x86_64 ]; then
    if ! read_lists; then echo "package lists of $older_release for $debian cannot be read: their kernels are left out"; fi
fi
if [ ${#packages[@]} -eq 0 ]; then
    names="$(apt-cache pkgnames linux-image-; apt-cache "${apt[@]}" pkgnames linux-image-)"
    for pattern in "${series[@]}"; do
        # Lists may be ahead of what a mirror holds.
        for package in $(grep -Ex "$pattern" <<<"$names" | sort -Vr | head -4); do
            if fetch "$package"; then
                packages+=("$package")
                break
            fi
        done
    done
fi
[ ${#packages[@]} -gt 0 ] || skip "no kernel of a known series can be downloaded (apt-get update)"

if [ "$architecture" = x86_64 ]; then
    command -v busybox >/dev/null || skip "busybox is not installed"
    busybox="$(command -v busybox)"
    file_type="$(ldd "$busybox" 2>&1 || true)"
    case "$file_type" in *"not a dynamic"* | *"statically"*) ;; *) skip "busybox is not the static one (busybox-static)" ;; esac
else
    busybox="$PWD/$work/busybox/bin/busybox"
    if [ ! -x "$busybox" ]; then
        mkdir -p "$work/busybox"
        (cd "$work/busybox" && download busybox-static >/dev/null 2>&1 && dpkg-deb -x ./*.deb .) || skip "busybox-static cannot be downloaded"
    fi
    command -v "$architecture-linux-gnu-gcc" >/dev/null || skip "$architecture-linux-gnu-gcc is not installed (gcc-$architecture-linux-gnu)"
    export "CC_${architecture}_unknown_linux_gnu=$architecture-linux-gnu-gcc" "CARGO_TARGET_${architecture^^}_UNKNOWN_LINUX_GNU_LINKER=$architecture-linux-gnu-gcc"
fi

# The tests, as a program that needs nothing else.
tests="$(RUSTFLAGS="-C target-feature=+crt-static" CARGO_TARGET_DIR="$work/build" \
    "${CARGO:-cargo}" test --locked -p sensor --test kernel --no-run --target "$architecture-unknown-linux-gnu" --message-format short 2>&1 |
    tee /dev/stderr | sed -n 's/.*(\(.*\/kernel-[0-9a-f]*\)).*/\1/p')"
[ -x "$tests" ] || { echo "the tests were not built" >&2; exit 1; }

failed=0
for package in "${packages[@]}"; do
    folder="$work/$package"
    fetch "$package" || skip "$package cannot be downloaded"
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
    timeout "$limit" "qemu-system-$architecture" -accel tcg,thread=multi "${machine[@]}" -smp 2 -m 1024 -nographic -no-reboot \
        -kernel "$folder"/boot/vmlinuz-* -initrd "$work/initramfs.gz" \
        -append "console=$console quiet panic=-1" </dev/null >"$log" 2>&1 || true
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
