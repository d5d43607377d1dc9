# The commands of the project. `make demo` and `make test` are all that a newcomer needs.
CARGO ?= cargo
# Real data for tests; tests that need it say so when it is not there.
ifneq ($(wildcard ../shared/data/README.md),)
export HULLWARD_TEST_DATA ?= $(abspath ../shared/data)
endif

.PHONY: help build demo test check bless bench bpf bpf-check fuzz fuzz-check kernels suite

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  \1\t/p' $(MAKEFILE_LIST)

build: ## the program, in target/release
	$(CARGO) build --release --locked -p cli

demo: build ## what the program does, shown on this machine
	@scripts/demo.sh

test: check bpf-check fuzz-check ## everything that must hold before a change lands
	$(CARGO) test --workspace --locked
	bpf/kernel_matrix.sh

check: ## formatting and lints
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

# The library that they are linked with is in C++. Checking alone needs no nightly compiler.
fuzz-check: ## whether the fuzz targets compile
	@if command -v c++ >/dev/null; then \
	    RUSTFLAGS="--cfg fuzzing" $(CARGO) check --manifest-path fuzz/Cargo.toml --target-dir target/fuzz --locked --quiet; \
	else echo "the fuzz targets are not checked: there is no C++ compiler"; fi

bpf: ## the eBPF programs, with the one compiler that the committed objects are built with
	bpf/build.sh

bpf-check: ## whether the committed objects are what their sources give, where that compiler is installed
	bpf/check.sh

kernels: ## the sensor's tests in other kernels, in qemu; needs qemu-system-x86, busybox-static and apt
	bpf/kernel_matrix.sh

suite: ## the tests of SUITE (files or folders, format of Falco's event generator) with the rules of RULES (files); needs root
	$(CARGO) build --locked -p cli -p testkit --bins
	target/debug/suite $(foreach file,$(RULES),--rules $(file)) $(SUITE_OPTIONS) $(SUITE)

bless: ## rewrite generated pages and expected results; then read the difference
	BLESS=1 INSTA_UPDATE=always $(CARGO) test --workspace

bench: build ## measurements beside the limit and other scanners, and as root of the sensor; needs pip, npm, mvn and debootstrap
	python3 bench/run.py
	[ "$$(id -u)" != 0 ] || python3 bench/runtime.py

fuzz: ## every fuzz target, and the extractors once per member, for MINUTES (10) each; needs a nightly compiler
	fuzz/seed.sh
	MINUTES=$(or $(MINUTES),10) fuzz/run.sh
