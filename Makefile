# The commands of the project. `make demo` and `make test` are all that a newcomer needs.
CARGO ?= cargo
# Real data for tests; tests that need it say so when it is not there.
ifneq ($(wildcard ../shared/data/README.md),)
export HULLWARD_TEST_DATA ?= $(abspath ../shared/data)
endif

.PHONY: help demo test bench check bless build fuzz

help:
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

build: ## the release binary
	$(CARGO) build --release --locked

check: ## formatting and lints
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

test: check ## everything that must hold before a change lands
	$(CARGO) test --workspace --locked

bless: ## rewrite generated pages and expected results, then read the difference
	BLESS=1 INSTA_UPDATE=always $(CARGO) test --workspace
