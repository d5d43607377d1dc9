#!/usr/bin/env bash
# Measures the engines for the advisory database. usage: run.sh DATABASE  (a database that `hullward db build` made)
# Prints what stands in docs/database-engine.md. Page caches are dropped when that is allowed (root), else look-ups are warm.
set -euo pipefail
database=$(realpath "$1")
cd "$(dirname "$0")"
work=$PWD/target/measure
mkdir -p "$work"
cargo build --release -q --features dump
target/release/engines dump "$database" "$work/pairs" "$work/keys"
for engine in redb sqlite lmdb; do
    # Compiling from nothing, dependencies included.
    rm -rf "target/$engine"
    start=$(date +%s.%N)
    CARGO_TARGET_DIR=target/$engine cargo build --release -q --features "$engine"
    end=$(date +%s.%N)
    program=target/$engine/release/engines
    printf '%s: compiled in %.0f s, program of %d KiB\n' "$engine" "$(echo "$end - $start" | bc)" "$(($(stat -c %s "$program") / 1024))"
    rm -f "$work/$engine.db"*
    "$program" build "$work/pairs" "$work/$engine.db"
    for round in 1 2 3 4 5; do
        sync
        { echo 3 >/proc/sys/vm/drop_caches; } 2>/dev/null || true
        # The program itself is warm in daily use; only the database is cold.
        "$program" lookup /dev/null /dev/null >/dev/null 2>&1 || true
        cat "$work/keys" >/dev/null
        start=$(date +%s%N)
        "$program" lookup "$work/$engine.db" "$work/keys" >"$work/out"
        end=$(date +%s%N)
        echo "  cold: whole process $(((end - start) / 1000)) us; $(cat "$work/out")"
    done
    for round in 1 2 3; do
        start=$(date +%s%N)
        "$program" lookup "$work/$engine.db" "$work/keys" >"$work/out"
        end=$(date +%s%N)
        echo "  warm: whole process $(((end - start) / 1000)) us; $(cat "$work/out")"
    done
done
