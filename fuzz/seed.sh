#!/usr/bin/env bash
# Fills fuzz/corpus from the fixtures of the tests, and from real data where HULLWARD_TEST_DATA names a folder of it.
set -euo pipefail
cd "$(dirname "$0")"
crates=$PWD/../crates
data=${HULLWARD_TEST_DATA:-}
# Larger files make slow seeds.
limit=${HULLWARD_FUZZ_BYTES:-65536}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# put TARGET FILE: a copy under the name of its content.
put() {
    mkdir -p "corpus/$1"
    if [ "$(stat -c %s "$2")" -le "$limit" ]; then
        cp "$2" "corpus/$1/$(sha1sum <"$2" | cut -c1-16)"
    fi
}

# put_file MEMBER PATH FILE: what the target `extractors` reads: the path as first line, then the bytes.
put_file() {
    { printf '%s\n' "$2"; cat "$3"; } >"$work/seed"
    put "extractors/$1" "$work/seed"
    put extractors "$work/seed"
}

# unpack TXTAR FOLDER: the files of a text of several files.
unpack() {
    awk -v folder="$2" '
        /^\/\/- / { path = folder "/" substr($0, 5); parent = path; sub(/\/[^\/]*$/, "", parent)
                    system("mkdir -p \"" parent "\""); printf "" > path; next }
        path { print > path }' "$1"
}

for folder in "$crates"/inventory/tests/fixtures/*/; do
    member=$(basename "$folder")
    for case in "$folder"*; do
        root=$case
        case $case in
        *.expected) continue ;;
        *.txtar) root=$work/$member-$(basename "$case"); unpack "$case" "$root" ;;
        esac
        [ -d "$root" ] || continue
        while read -r file; do put_file "$member" "${file#"$root"/}" "$file"; done < <(find "$root" -type f)
        (cd "$root" && tar cf "$work/root.tar" .)
        put tar "$work/root.tar"
        for program in gzip xz zstd bzip2; do
            command -v $program >/dev/null || continue
            $program -c "$work/root.tar" >"$work/packed"
            put tar "$work/packed"
            put decompress "$work/packed"
        done
    done
done
while read -r file; do put zip "$file"; done < <(find "$crates" -type f \( -name '*.jar' -o -name '*.war' -o -name '*.whl' -o -name '*.jpi' \))
for target in sbom document; do
    while read -r file; do put $target "$file"; done < <(find "$crates" "$work" -type f \( -name '*.cdx.*' -o -name '*.spdx*' -o -name 'bom*' \))
done
while read -r file; do put feeds "$file"; done < <(find "$crates/advisory/tests/fixtures/feeds" -type f)
while read -r file; do
    # The first byte chooses the source.
    { printf '\003'; cat "$file"; } >"$work/json_event"
    put json_event "$work/json_event"
done < <(find "$crates/sensor/tests/json-fixtures" -name '*.json' -type f)
while read -r file; do put report "$file"; done < <(find "$crates/report/tests/fixtures" -name '*.json' -type f)

while read -r file; do
    put rule_file "$file"
    # Conditions stand after their key, over several lines.
    awk '/^  [a-z]/ { on = 0 } /^  condition:/ { on = 1; sub(/^  condition: *>?-?/, "") } on' "$file" >"$work/filter"
    put filter "$work/filter"
done < <(find "$crates/detect/src/rules" -name '*.yaml' -type f)

# Texts that begin targets which have no fixtures.
text() {
    printf '%b' "$2" >"$work/seed"
    put "$1" "$work/seed"
}
text purl 'pkg:maven/org.example/a@1.0?type=jar#x'
text purl 'pkg:deb/debian/openssl@1:3.0.11-1~deb12u1?arch=amd64&distro=debian-12'
text reference 'registry.example.org:5000/org/app:1.0@sha256:0000000000000000000000000000000000000000000000000000000000000000'
text reference 'registry:[::1]:5000/a'
text reference 'oci:folder:tag'
text challenge 'Bearer realm="https://auth.example.org/token",service="s",scope="repository:a:pull", Basic realm="x"'
text settings 'db = "/x"\nfail-on = "high"\nthreads = 2\noffline = true\n'
text union 'detc\nfetc/os-release\nsetc/link\t../etc\n\nfetc/.wh.os-release\nhx\tetc/os-release\nsa\tb\nsb\ta\n'
text union 'dvar\nfvar/.wh..wh..opq\n\nsvar\tusr\nfvar/lib/x\n'
text filter 'concat(fd.rip, ":", fd.rport) in ("8.8.8.8:53") or not (proc.aname[2] contains anyof (a, "b c"))'
text filter 'getopt(proc.args, "ho:")[o] startswith val(proc.cwd) and len(fd.name) >= 0x10'
text rule_file '- list: l\n  items: [a, 1]\n- macro: m\n  condition: proc.name in (l)\n- rule: r\n  desc: d\n  condition: evt.type=open and m\n  output: a %proc.aname[2]\n  priority: INFO\n  exceptions:\n  - {name: e, fields: [fd.name], comps: [in], values: [[[x, y]]]}\n- rule: r\n  condition: or fd.num > 3\n  override: {condition: append}\n'
text manifests '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:@1","size":0,"platform":{"os":"linux","architecture":"amd64"}}]}\n---\n{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:@2","size":0},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:@3","size":0}]}\n---\n{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:@3"]},"history":[{"created_by":"x"},{"created_by":"y","empty_layer":true}]}\n---\nx'
text manifests '[{"Config":"blobs/sha256/@1","RepoTags":["a:1"],"Layers":["blobs/sha256/@2"]}]\n---\n{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:@2"]}}\n---\nx'
text database '\001\000\000\000\377'
text sample '{event: openat, path: /etc/shadow, flags: O_RDONLY, process: {name: cat, parent: {name: sh}}, container: {image: a}}'
text sample '- {event: connect, fd: 3, socket: {remote: "1.2.3.4:80"}}\n- {event: execve, process: {exe: ./a, binary: {memfd: true}}}'
text capture 'HWCAPT\001\000\030\000\000\000\001{"architecture":"arm64"}'
text schemes '1.2.3-1~rc11.2.3+dfsg-1ubuntu1'

# An archive of an image, as `docker save` wrote it.
mkdir -p "$work/image/layer"
tar cf "$work/image/layer/layer.tar" -C "$crates/inventory/tests/fixtures/java-archive" .
diff=$(sha256sum <"$work/image/layer/layer.tar" | cut -d' ' -f1)
printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$diff" >"$work/image/config.json"
printf '[{"Config":"config.json","RepoTags":["a:1"],"Layers":["layer/layer.tar"]}]' >"$work/image/manifest.json"
tar cf "$work/image.tar" -C "$work/image" .
put archive "$work/image.tar"
gzip -c "$work/image.tar" >"$work/packed"
put archive "$work/packed"
put archive "$work/root.tar"

if [ -n "$data" ] && [ -d "$data" ]; then
    while read -r file; do put sbom "$file"; put document "$file"; done < <(find "$data/sbom" -type f)
    while read -r file; do put feeds "$file"; done < <(find "$data/osv" -name '*.json' -type f | head -200)
    while read -r file; do
        for member in corpus/extractors/*/; do
            case $(basename "$member") in *lock* | *-mod | requirements-txt | pipenv* | pom-xml)
                put_file "$(basename "$member")" "app/$(basename "$file")" "$file" ;;
            esac
        done
printf '%s' '{"Name":"/web","Image":"sha256:ab","Config":{"Image":"web:1","Labels":{"io.kubernetes.pod.name":"web-0"}},
    "HostConfig":{"Privileged":true,"PidMode":"host"},"Mounts":[{"Source":"/","Destination":"/host","RW":true}]}' >"$work/container"
put container "$work/container"
printf '%s' '{"annotations":{"io.kubernetes.cri.container-name":"app","io.kubernetes.cri-o.Labels":"{\"a\":\"b\"}"},
    "process":{"env":["A=b"],"user":{"uid":0},"capabilities":{"bounding":["CAP_KILL"]}},"mounts":[{"type":"bind","source":"/",
    "destination":"/host","options":["rbind","ro"]}],"linux":{"namespaces":[{"type":"pid","path":"/proc/1/ns/pid"}]}}' >"$work/container"
put container "$work/container"
# The status of a container named `a`, and what comes with it.
printf '\n\005\022\003\n\001a\022\n\n\004info\022\002{}' >"$work/container"
put container "$work/container"
    done < <(find "$data/lockfiles" -type f -size -64k | head -60)
    # The heads of real databases: what lies beyond is found missing, which is a state like others.
    while read -r file; do
        head -c "$((limit - 200))" "$file" >"$work/head"
        put_file rpm-database "var/lib/rpm/$(basename "$file")" "$work/head"
    done < <(find "$data/rpmdb" -type f \( -name 'Packages*' -o -name '*.sqlite' \))
fi
for folder in corpus/*/; do
    printf '%s\t%s\n' "$(find "$folder" -maxdepth 1 -type f | wc -l)" "$(basename "$folder")"
done
