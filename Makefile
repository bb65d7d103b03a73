# Targets for building, running and testing. `make help` lists them.

export CARGO_TARGET_DIR := $(CURDIR)/target

FUZZ_SECONDS ?= 60
CARGO_DENY_VERSION ?= 0.20.2

.DEFAULT_GOAL := help
.PHONY: help setup setup-build ui build run demo test lint deny e2e fuzz bench measure size clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what building and testing need
	@scripts/setup.sh test

setup-build:
	@scripts/setup.sh build

ui: setup-build ## Build the dashboard into target/ui/dist
	@scripts/ui.sh

build: ui ## Build the program: target/release/pulsecheck
	cargo build --locked --release

run: build ## Build and start PulseCheck on this machine; open the printed link
	@exec target/release/pulsecheck $(ARGS)

demo: build ## The same with scripted targets and generated history, on a temporary database
	@exec target/release/pulsecheck demo $(ARGS)

# The dashboard's last step of compilation uses one processor, so clippy runs beside it. There are no tests in documentation,
# and examples are checked by clippy: neither is built again.
test: setup ## Lint and test everything, from unit tests to the browser
	@$(MAKE) --no-print-directory lint & linting=$$!; \
	$(MAKE) --no-print-directory ui; built=$$?; \
	wait $$linting && exit $$built
	node --test e2e/dashboard-size.mjs
	cargo test --locked --workspace --lib --bins --tests
	@$(MAKE) --no-print-directory e2e

lint: setup ## Check formatting and run clippy
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

# Not part of `make test`: installing cargo-deny takes minutes. Advisories are left out, because their database has to be
# downloaded; continuous integration checks them too.
deny: ## Check licences, sources and versions of dependencies
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny@$(CARGO_DENY_VERSION)
	cargo deny --locked check bans licenses sources

# Uses the program that `cargo test` built. One file at a time, because browsers slow each other down.
e2e:
	PULSECHECK_BIN=$(CARGO_TARGET_DIR)/debug/pulsecheck node --test --test-concurrency=1 e2e/*.test.mjs

# Not part of `make test`, because each run is different. RUSTC_BOOTSTRAP allows the unstable compiler flags that fuzzing
# needs on a stable toolchain.
fuzz: ## Fuzz the parsers of vendor pages for FUZZ_SECONDS (60)
	@command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
	@mkdir -p crates/vendor_pages/fuzz/corpus/vendor_page
	cd crates/vendor_pages && RUSTC_BOOTSTRAP=1 cargo fuzz run vendor_page fuzz/corpus/vendor_page tests/fixtures/statuspages -- \
		-dict=fuzz/vendor_page.dict -max_len=20000 -rss_limit_mb=512 -timeout=5 -max_total_time=$(FUZZ_SECONDS)

# BENCH names groups (all by default), BENCH_MINUTES sets how long lateness is measured.
bench: setup build ## Measure cost, lateness, reading and space; tables in target/bench
	PULSECHECK_BIN=$(CARGO_TARGET_DIR)/release/pulsecheck cargo run --locked --release -p benches -- $(BENCH)

# MEASURE_MINUTES sets how long the heap is watched. Uses the release build.
measure: setup build ## Measure the dashboard in a browser: first paint, filter, scrolling, live updates, heap
	PULSECHECK_BIN=$(CARGO_TARGET_DIR)/release/pulsecheck node e2e/measure.mjs

size: ui ## Check the download size of the dashboard
	node --test e2e/dashboard-size.mjs

clean: ## Remove all build results
	rm -rf target ui/node_modules e2e/node_modules k8s/tests/node_modules

# Images, clusters, releases, and their tests.
include k8s/images.mk k8s/kind.mk k8s/k3d.mk k8s/production.mk k8s/checks.mk
