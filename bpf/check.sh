#!/usr/bin/env bash
# Builds the programs again and compares them with the committed objects, byte by byte; says so where it cannot.
set -euo pipefail
cd "$(dirname "$0")"
clang="${CLANG:-clang-14}"
strip="${LLVM_STRIP:-llvm-strip-14}"
pinned="$(cat clang-version)"
have="$("$clang" --version 2>/dev/null | sed -n 's/.*clang version \([0-9.]*\).*/\1/p' || true)"
if [ "$have" != "$pinned" ] || ! command -v "$strip" >/dev/null; then
    echo "the eBPF objects are not compared: clang $pinned is needed, there is ${have:-none}"
    exit 0
fi
out="$(mktemp -d)"
trap 'rm -rf "$out"' EXIT
./build.sh "$out"
for object in hullward.*.o; do
    cmp "$object" "$out/$object" || {
        echo "bpf/$object is not what its sources give: run \`make bpf\` and commit it" >&2
        exit 1
    }
done
