# Everything a person or a machine does here starts with one of these words. `make help` lists them.
# What needs setting up is set up on the way (scripts/setup.sh) and not done twice.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# The edge's place is a promise, whatever a person's own cargo settings say.
export CARGO_TARGET_DIR := $(CURDIR)/target

edge := target/release/nearcast-edge
link := target/debug/nearcast-link
sdk := npm/dist/index.js
demo := demo/dist/index.html

# What a bundle is made from: when none of it is newer, it is not made again.
files_in = $(shell find $(1) -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/target/*' 2>/dev/null)
sdk_sources := $(call files_in,npm client-wasm client-core protocol) Cargo.toml Cargo.lock
demo_sources := $(call files_in,demo)

##@ Two commands

.PHONY: demo
demo: build ## Build everything and serve the demo on http://localhost:8080
	@echo
	@echo "  Open this address in two browser tabs:"
	@echo
	@echo "      http://localhost:8080"
	@echo
	@echo "  Give each tab another name, the same room, and join: you see and hear yourself twice. Ctrl-C ends it."
	@echo
	@exec $(edge) serve --dev

.PHONY: test
test: setup-test ## Run every test, browsers included; ends with "N passed, N failed"
	@scripts/test.sh

##@ Parts

.PHONY: build
build: setup $(demo) ## Build the SDK, the demo and the edge (target/release/nearcast-edge)
	@cargo build --release --package nearcast-edge

.PHONY: sdk
sdk: setup $(sdk) ## Build the SDK only (npm/dist)

$(sdk): $(sdk_sources) | setup
	@cd npm && ../scripts/wasm-env.sh npm run build
	@touch $@

$(demo): $(demo_sources) $(sdk) | setup
	@cd demo && npm run build
	@touch $@

.PHONY: bench
bench: build ## Measure CPU per forwarded packet, beside the machine's floor and beside Janus (9 minutes)
	@cargo run --release --package nearcast-load -- bench

.PHONY: bench-client
bench-client: build setup-test $(link) ## Measure what users feel, in real browsers over an emulated network (SCENARIOS="join outage" for these only)
	@cd tests/browser && npm run --silent bench -- $(SCENARIOS)

.PHONY: soak-client
soak-client: build setup-test $(link) ## A call whose network breaks every ten seconds (SOAK_SECONDS, 900; SOAK_SEED, 1)
	@cd tests/browser && NEARCAST_SOAK_SECONDS=$${SOAK_SECONDS:-900} NEARCAST_SOAK_SEED=$${SOAK_SEED:-1} npm run --silent bench -- soak

.PHONY: cluster
cluster: build setup-test $(link) ## Three edges far from each other, a store, and a page to watch them on http://localhost:8090 (takes root)
	@cd tests/browser && npx tsx cluster/run.ts

.PHONY: chaos
chaos: build setup-test ## Kill, stop, part and redeploy edges under a call, and print what it cost (ONLY="edges store"; BEFORE=REVISION: beside that one)
	@cargo build --package nearcast-load
	@cd tests/browser && $(if $(BEFORE),NEARCAST_EDGE_BEFORE=$$(../../scripts/edge-of.sh $(BEFORE))) npx tsx chaos/run.ts $(ONLY)

.PHONY: $(link)
$(link):
	@cargo build --package nearcast-link

.PHONY: instructions
instructions: setup ## Count the instructions of a forwarded packet and hold them to the committed baseline
	@scripts/instructions.sh

.PHONY: sim
sim: setup ## Play the network plans in virtual time and compare their score with the committed one
	@cargo run --quiet --package nearcast-sim --bin nearcast-plans -- $(PLANS)

.PHONY: soak
soak: setup ## Play far more cases of every property test, with fresh seeds (SOAK_CASES, 20000: about 4 minutes)
	@PROPTEST_CASES=$${SOAK_CASES:-20000} cargo test --quiet --package sfu-core --package client-core --lib --tests

.PHONY: fuzz
fuzz: setup ## Look for input that breaks what reads from the network, with libFuzzer (SECONDS, 60 for each; TARGETS="rtcp sdp" for these only)
	@FUZZ_SECONDS=$(or $(SECONDS),60) scripts/fuzz.sh $(TARGETS)

.PHONY: attack
attack: build ## Throw the worst guests at a live edge with a measured call in it (SECONDS, 5 for each case; ONLY="P3 P10" for these)
	@cargo run --quiet --package nearcast-attack -- play --seconds $(or $(SECONDS),5) $(foreach id,$(ONLY),--only $(id))

.PHONY: idle
idle: build ## Measure what 10,000 idle WebSockets cost the edge
	@cargo run --quiet --package nearcast-attack -- idle

.PHONY: big-room
big-room: build ## 2,000 people join one room on three linked edges over a minute, and hear one voice (PEOPLE, 1999; ROOM=10: the same people in rooms of ten)
	@cargo run --release --quiet --package nearcast-load -- big-room --people $(or $(PEOPLE),1999) --seconds 60 $(if $(ROOM),--room $(ROOM))

.PHONY: churn
churn: build ## Participants come, go and break for MINUTES (20), faults and attacks among them, drawn from SEED (1): memory stays flat, every table empties
	@cargo run --release --quiet --package nearcast-attack -- churn --minutes $(or $(MINUTES),20) --seed $(or $(SEED),1)

.PHONY: size
size: build ## Print the sizes of SDK and edge, and hold them to their budgets
	@scripts/size.sh

##@ Checks

.PHONY: lint
lint: setup-lint lint-format lint-rust lint-wasm lint-deny lint-types ## Run all of the checks below
	@echo "lint: good"

.PHONY: lint-format
lint-format: ## rustfmt, without changing anything
	@cargo fmt --all --check

.PHONY: lint-rust
lint-rust: ## clippy, with the workspace's lints and no warnings allowed
	@cargo clippy --workspace --all-targets -- -D warnings

.PHONY: lint-wasm
lint-wasm: setup-lint ## clippy again for the wasm crate, as it is compiled for browsers
	@scripts/wasm-env.sh cargo clippy --package client-wasm --target wasm32-unknown-unknown -- -D warnings

.PHONY: lint-deny
lint-deny: setup-lint ## Licences, duplicates and sources of dependencies (deny.toml)
	@scripts/deny.sh

.PHONY: lint-types
lint-types: setup-lint $(sdk) ## TypeScript, in the SDK, the demo and the browser tests
	@for folder in npm demo tests/browser; do (cd $$folder && npm run check) || exit 1; done

.PHONY: fmt
fmt: ## Format the Rust code
	@cargo fmt --all

##@ House-keeping

.PHONY: setup
setup: ## Install what building needs (part of every other word)
	@scripts/setup.sh build

.PHONY: setup-test
setup-test:
	@scripts/setup.sh test

.PHONY: setup-lint
setup-lint:
	@scripts/setup.sh lint

.PHONY: clean
clean: ## Remove what was built here; tools in the cache and node_modules stay
	@rm -rf target npm/dist npm/pkg demo/dist

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
