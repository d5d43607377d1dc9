#!/bin/sh
# Shows what Hullward does, on this machine: needs Rust, a C compiler, tar and the usual shell tools; no network.
set -eu
cd "$(dirname "$0")/.."
out=${DEMO_DIR:-demo}
hullward=${HULLWARD:-target/release/hullward}
mkdir -p "$out"
export HULLWARD_DB="$out/advisories.db" HULLWARD_CACHE_DIR="$out/cache"

say() { printf '\n\033[1m== %s\033[0m\n' "$1"; }
show() { printf '\033[2m$ %s\033[0m\n' "$*"; "$@"; }

say "1. The advisory database, made from the starter advisories that the project ships"
show "$hullward" db build --from crates/advisory/starter

say "2. A real target: the root file system of this machine (only what a package manager or a binary proves)"
show "$hullward" scan rootfs:/ --exclude /home --exclude /root --exclude /tmp --exclude /var/lib/docker \
    --exclude "$(dirname "$(pwd)")" --output json="$out/this-machine.json" --output html="$out/this-machine.html" --format table >"$out/this-machine.txt"
head -n 25 "$out/this-machine.txt"
printf '   ...\n'
tail -n 1 "$out/this-machine.txt"

say "3. An image archive, assembled from files of this machine and a small application"
layers="$out/layers"
rm -rf "$layers" "$out/image" "$out/image.tar"
mkdir -p "$layers/1" "$layers/2/app" "$layers/3/app" "$out/image"
for path in etc/os-release usr/lib/os-release var/lib/dpkg/status lib/apk/db/installed usr/lib/apk/db/installed \
    var/lib/rpm/rpmdb.sqlite usr/lib/sysimage/rpm/rpmdb.sqlite; do
    if [ -f "/$path" ]; then
        mkdir -p "$layers/1/$(dirname "$path")"
        cat "/$path" >"$layers/1/$path"
    fi
done
cat >"$layers/2/app/package-lock.json" <<'LOCK'
{
  "name": "shop", "version": "1.0.0", "lockfileVersion": 3,
  "packages": {
    "": { "name": "shop", "version": "1.0.0", "dependencies": { "lodash": "^4.17.4", "mkdirp": "^0.5.1" } },
    "node_modules/lodash": { "version": "4.17.4", "license": "MIT" },
    "node_modules/minimist": { "version": "0.0.8", "license": "MIT" },
    "node_modules/mkdirp": { "version": "0.5.1", "license": "MIT", "dependencies": { "minimist": "0.0.8" } }
  }
}
LOCK
printf 'requests==2.19.0\njinja2==2.10\nleft-out==1.0\n' >"$layers/2/app/requirements.txt"
: >"$layers/3/app/.wh.requirements.txt"
printf 'django==3.2.0\n' >"$layers/3/app/requirements-prod.txt"
diff_ids= names= history=
for number in 1 2 3; do
    tar -C "$layers/$number" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@1700000000 -cf "$out/image/layer$number.tar" .
    digest=$(sha256sum "$out/image/layer$number.tar" | cut -d' ' -f1)
    diff_ids="$diff_ids${diff_ids:+,}\"sha256:$digest\""
    names="$names${names:+,}\"layer$number.tar\""
done
history='{"created_by":"ADD rootfs /"},{"created_by":"COPY app /app"},{"created_by":"RUN rm /app/requirements.txt"}'
printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[%s]},"history":[%s]}' "$diff_ids" "$history" >"$out/image/config.json"
printf '[{"Config":"config.json","RepoTags":["shop:1.0"],"Layers":[%s]}]' "$names" >"$out/image/manifest.json"
tar -C "$out/image" -cf "$out/image.tar" .
show "$hullward" scan "archive:$out/image.tar" --min-severity high --output json="$out/image.json" --output html="$out/image.html" --format table >"$out/image.txt"
head -n 40 "$out/image.txt"
[ "$(wc -l <"$out/image.txt")" -le 40 ] || { printf '   ...\n'; tail -n 1 "$out/image.txt"; }

say "4. The same as JSON (first lines), and why one finding is believed"
head -n 24 "$out/image.json"
printf '   ...\n'
show "$hullward" explain GHSA-jf85-cpcp-j695 || true

say "5. HTML reports"
printf '   %s\n   %s\n' "$out/this-machine.html" "$out/image.html"

say "6. Live detections in a sandbox of namespaces"
if [ "$(id -u)" != 0 ]; then
    echo "   Left out: loading eBPF programs needs root. Run this as root to see it."
elif [ ! -r /sys/kernel/btf/vmlinux ]; then
    echo "   Left out: this kernel does not describe its types (no /sys/kernel/btf/vmlinux), which eBPF programs need."
elif ! unshare --mount --pid --uts --fork true 2>/dev/null; then
    echo "   Left out: namespaces cannot be made here (unshare is missing or refused)."
else
    # What an intruder does: reads the password file under another name, runs a program by way of the dynamic loader, and
    # one from a hidden folder.
    cat >"$out/intruder.sh" <<'INTRUDER'
mount -t tmpfs none /tmp
ln -s /etc/shadow /tmp/innocent
cat /tmp/innocent >/dev/null
for loader in /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1; do
    [ -x "$loader" ] && "$loader" /bin/true
done
mkdir /tmp/.x11
cp /bin/true /tmp/.x11/update
/tmp/.x11/update
INTRUDER
    # Those of an earlier run would be taken for this one's.
    rm -f "$out/detections.txt" "$out/watch.log"
    "$hullward" watch --format text --seconds 20 >"$out/detections.txt" 2>"$out/watch.log" &
    watch=$!
    tries=0
    while ! grep -qs watching "$out/watch.log" && kill -0 "$watch" 2>/dev/null && [ "$tries" -lt 150 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    if kill -0 "$watch" 2>/dev/null; then
        unshare --mount --pid --uts --fork sh "$out/intruder.sh" || true
        tries=0
        while [ "$(wc -l <"$out/detections.txt")" -lt 3 ] && [ "$tries" -lt 50 ]; do
            tries=$((tries + 1))
            sleep 0.1
        done
        kill "$watch" 2>/dev/null || true
    fi
    wait "$watch" || true
    if [ -s "$out/detections.txt" ]; then
        cut -c1-240 "$out/detections.txt"
    else
        echo "   Nothing was seen; the program says:"
    fi
    cat "$out/watch.log"
    echo "   Watch this machine yourself with: sudo $hullward watch"
fi

say "What next"
cat <<NEXT
   The starter database holds only a few hundred well-known flaws. The full one (all ecosystems, a few hundred MiB of
   download) comes with
       $hullward db update
   and any mirror of the public OSV bucket, or a folder with its files, will do:
       $hullward db update --mirror https://mirror.example.org/osv
NEXT
