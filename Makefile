# What a person does with this repository. `make` alone lists it.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup build demo test test-all test-browser screenshots torture fuzz lint deny bench bench-archives bench-compress bench-lists bench-memory bench-scale bench-stages bench-warm bench-synth house instructions record-instructions install dist test-packages

ANP := ./target/release/anp
# The article that `make demo` shows.
ROUTE ?= /redis-caching/scheduled-tasks-028802/

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: ## install what is missing: a C compiler, redis-server, a Valkey for the tests
	@./scripts/setup.sh

build:
	@cargo build --release --locked --quiet

demo: setup build ## import content/ into a private store, show one article
	@echo '$$ anp import content/'
	@$(ANP) import content/
	@echo
	@echo '$$ anp show $(ROUTE)'
	@$(ANP) show $(ROUTE) > target/demo.txt
	@awk -v n=24 'NR <= n; NR == n + 1 { print "  …" } /^# / { body = 1 } \
		body && ++lines <= 19; END { print "…" }' target/demo.txt
	@echo
	@echo 'The whole article:   $(ANP) show $(ROUTE)'
	@echo 'To undo the import:  $(ANP) rollback last'
	@echo 'In a browser:        $(ANP) serve, then http://127.0.0.1:8080$(ROUTE)'

test: ## all tests, those of the store's core on Valkey too
	@./scripts/setup.sh tests
	@./scripts/test.sh

test-all: ## each case of every test, the store's core on every server found and in ANP_TEST_SERVERS
	@./scripts/setup.sh tests
	@./scripts/test.sh everywhere

test-browser: ## pages in a real browser: policy, axe, both schemes, phone, keyboard, print
	@./scripts/setup.sh browser
	@$(MAKE) build
	@ANP=$(abspath $(ANP)) node --test --test-reporter=spec tests/browser/*.test.mjs

screenshots: ## the pictures in docs/screenshots
	@./scripts/setup.sh browser
	@$(MAKE) build
	@ANP=$(abspath $(ANP)) node tests/browser/screenshots.mjs

torture: setup ## 500 random kills (N=…) rolled back, N random sequences, 200 races for the lock
	@TORTURE=$(or $(N),500) cargo test --locked --quiet --test pipeline -- torture:: --nocapture
	@MODEL=$(or $(N),500) cargo test --locked --quiet --test pipeline -- model:: --nocapture
	@cargo test --locked --quiet --test pipeline -- failpoints:: disk_errors:: --nocapture
	@RACES=200 cargo test --locked --quiet --test store -- lock::of_two --nocapture

fuzz: ## front matter, packed sources and HTML bodies, T=60 seconds each format; needs cargo-fuzz
	@./scripts/fuzz.sh $(or $(T),60)

lint: ## formatting and clippy, warnings are errors
	@cargo fmt --check
	@cargo clippy --all-targets --locked --quiet -- -D warnings

house: ## lines of code a folder, file cycles, longest functions and files
	@cargo test --locked --quiet --test library no_two_files -- --nocapture | \
		sed -n '/^lines of code/,/^$$/p; /^file cycles/,$$p' | sed '/^test result/,$$d'

deny: ## licences, sources and known faults of the dependencies; needs cargo-deny
	@command -v cargo-deny >/dev/null || { \
		echo 'deny: cargo-deny is missing. Install it (about 4 minutes): cargo install cargo-deny --locked' >&2; exit 1; }
	@if cargo deny fetch db; then cargo deny check; else \
		echo 'deny: the advisory database cannot be reached: known faults are NOT checked' >&2; \
		cargo deny check bans licenses sources; fi

bench: setup build ## import against redis-cli --pipe, 20,000 articles (N=…)
	@./scripts/bench.sh rounds

bench-archives: setup build ## import from archives and JSON lines against files, 100,000 articles (N=…)
	@./scripts/bench.sh archives

bench-compress: setup build ## memory and times with compress: gzip against without, 100,000 articles (N=…)
	@./scripts/bench.sh compress

bench-lists: setup build ## import with lists, feeds and similar posts against without, 100,000 articles (N=…)
	@./scripts/bench.sh lists

bench-memory: setup build ## memory and time of 100,000 articles (N=…) against 20,000
	@./scripts/bench.sh memory

bench-warm: setup build ## seeding, re-warming, and what readers see meanwhile, 20,000 articles (N=…)
	@./scripts/bench.sh warm

bench-scale: setup build ## one server and three masters, by 1, 2 and 4 shards, 20,000 articles (N=…)
	@./scripts/bench.sh scale

instructions: setup ## compare the instructions of an import with bench/instructions
	@./scripts/setup.sh tests
	@./scripts/instructions.sh

record-instructions: setup ## record the instructions of an import in bench/instructions
	@./scripts/instructions.sh record

bench-stages: setup ## what each stage of an import costs, one core, µs an article
	@./scripts/bench.sh stages

bench-synth: setup ## seeded articles a second, one core, in memory
	@cargo bench --locked --quiet --bench synth

dist: setup ## packages of this commit in dist/: archive, .deb, .rpm, list of components, sums
	@command -v python3 >/dev/null || { echo 'dist: python3 is missing. Install it (3.9 or later)' >&2; exit 1; }
	@python3 scripts/dist.py

test-packages: ## install, use, upgrade, remove and purge dist/*.deb in a scratch Debian; needs root
	@python3 scripts/test_packages.py

install: ## install anp with cargo
	@cargo install --path . --locked
