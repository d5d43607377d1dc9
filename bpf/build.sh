#!/usr/bin/env bash
# Compiles the programs for each architecture: build.sh [FOLDER]. The result depends on the sources and the compiler alone.
set -euo pipefail
cd "$(dirname "$0")"
out="${1:-.}"
clang="${CLANG:-clang-14}"
strip="${LLVM_STRIP:-llvm-strip-14}"
for pair in x86:x86_64 arm64:aarch64; do
    "$clang" -target bpf -D__TARGET_ARCH_"${pair%%:*}" -O2 -g -mcpu=v3 -Wall -Wextra -Werror \
        -ffile-prefix-map="$PWD"=. -fdebug-compilation-dir=. \
        -c hullward.bpf.c -o "$out/hullward.${pair##*:}.o"
    # Leaves the types that the loader needs, drops what only debuggers read.
    "$strip" -g "$out/hullward.${pair##*:}.o"
done
