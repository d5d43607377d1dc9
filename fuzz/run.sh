#!/usr/bin/env bash
# Builds the fuzz targets and runs them: `fuzz/run.sh` runs all, `fuzz/run.sh tar zip extractors/rpm-database` these.
# MINUTES (default 10) is the time of each; HULLWARD_FUZZ_SECONDS overrides it. Crashes are left in fuzz/artifacts.
# The instrumentation is what `cargo fuzz` sets, so that only a nightly compiler is needed. The address sanitizer is left
# out: the project has no unsafe code.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${HULLWARD_FUZZ_SECONDS:-$((${MINUTES:-10} * 60))}
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"
# The target is named so that build scripts and macros are not instrumented.
cargo +nightly build --release --target "$host"
[ "${1:-}" = --build-only ] && exit 0
[ -d corpus ] || ./seed.sh

targets=$(cd fuzz_targets && ls ./*.rs | sed 's|^\./||; s|\.rs$||')
members=$(sed -n 's|^pub mod \([a-z0-9_]*\);.*|\1|p; s|^mod \([a-z0-9_]*\);.*|\1|p' ../crates/inventory/src/extractors/mod.rs | tr _ -)
names=()
if [ $# -gt 0 ]; then
    names=("$@")
else
    for target in $targets; do
        if [ "$target" = extractors ]; then
            for member in $members; do names+=("extractors/$member"); done
        else
            names+=("$target")
        fi
    done
fi

failed=()
for name in "${names[@]}"; do
    mkdir -p "corpus/$name" "artifacts/$name"
    target=${name%%/*}
    member=
    [ "$name" = "$target" ] || member=${name#*/}
    echo "== $name"
    if ! HULLWARD_FUZZ_MEMBER=$member "target/$host/release/$target" \
        -max_total_time="$seconds" -timeout=5 -rss_limit_mb=512 -max_len="${HULLWARD_FUZZ_BYTES:-65536}" -print_final_stats=1 \
        -artifact_prefix="artifacts/$name/" "corpus/$name" >"artifacts/$name/log" 2>&1; then
        failed+=("$name")
        grep -aE 'panicked|ERROR|SUMMARY|Test unit written' "artifacts/$name/log" || true
    fi
    grep -aE 'stat::number_of_executed_units|stat::peak_rss_mb|cov:' "artifacts/$name/log" | tail -3 || true
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "something was found in: ${failed[*]}"
    exit 1
fi
