# What can be done with this repository. `make help` lists it.

export CARGO_TARGET_DIR := $(CURDIR)/target

FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: help setup setup-build ui build run demo test lint e2e fuzz bench measure size clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install whatever is missing for building and testing
	@scripts/setup.sh test

setup-build:
	@scripts/setup.sh build

ui: setup-build ## Build the dashboard into target/ui/dist
	@scripts/ui.sh

build: ui ## Build the finished program: target/release/pulsecheck
	cargo build --locked --release

run: build ## Build and start PulseCheck on this machine, then open the printed link
	@exec target/release/pulsecheck $(ARGS)

demo: build ## The same with scripted targets and generated history, on a throw-away database
	@exec target/release/pulsecheck demo $(ARGS)

test: setup lint ui ## Check and test everything, from the units to the browser
	node --test e2e/dashboard-size.mjs
	cargo test --locked --workspace
	@$(MAKE) --no-print-directory e2e

lint: setup
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

# Uses the program that `cargo test` left behind. One file after the other: browsers that share a machine wait for each other.
e2e:
	PULSECHECK_BIN=$(CARGO_TARGET_DIR)/debug/pulsecheck node --test --test-concurrency=1 e2e/*.test.mjs

# Not a part of `make test`: what it does differs from time to time. RUSTC_BOOTSTRAP lets a stable compiler do what fuzzing
# needs of a nightly one.
fuzz: ## Feed the readers of vendor pages whatever breaks them, for FUZZ_SECONDS (60)
	@command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
	@mkdir -p crates/vendor_pages/fuzz/corpus/vendor_page
	cd crates/vendor_pages && RUSTC_BOOTSTRAP=1 cargo fuzz run vendor_page fuzz/corpus/vendor_page tests/fixtures/statuspages -- \
		-dict=fuzz/vendor_page.dict -max_len=20000 -rss_limit_mb=512 -timeout=5 -max_total_time=$(FUZZ_SECONDS)

# BENCH names groups (all by default), BENCH_MINUTES says how long punctuality is measured.
bench: setup build ## Measure cost, punctuality, reading and space; tables in target/bench
	cargo bench --locked -p pulsecheck --bench suite -- $(BENCH)

# MEASURE_MINUTES says for how long the heap is watched. Uses the program as it is shipped.
measure: setup build ## Measure the dashboard in a browser: first paint, filter, scrolling, live updates, heap
	PULSECHECK_BIN=$(CARGO_TARGET_DIR)/release/pulsecheck node e2e/measure.mjs

size: ui ## Say whether what a browser loads of the dashboard is small enough
	node --test e2e/dashboard-size.mjs

clean: ## Remove everything that was built
	rm -rf target ui/node_modules e2e/node_modules k8s/tests/node_modules

# Images, clusters, releases, and what is checked of them.
include k8s/images.mk k8s/kind.mk k8s/k3d.mk k8s/production.mk k8s/checks.mk
