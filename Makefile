# Needs npm, or deno >= 2.7 on the PATH; tools/get_deno.sh says so when it has neither.
.POSIX:
.PHONY: help deno build deb dist man script check test test-bare test-oldest cover demo dashboard-picture bench-links bench-traces bench-peer bench-throughput bench-stages clean

DENO = tools/run_deno.sh
# How often bench-links and bench-throughput measure each case; they print the medians.
RUNS = 3
# What test runs, and the words that must be in a test's name.
T = tests
F =
# More options of deno test; .ci/run has the types checked before.
TEST_FLAGS =
# What test-oldest runs.
OLDEST_TESTS = tests
# What a minimal Debian lacks (tests/host_tools.ts), and the tests that call it.
BARE_WITHOUT = nft sysctl busybox mksh
BARE_TESTS = tests/build tests/docs tests/platform/*_test.ts tests/platform/linux tests/platform/memory tests/tools
SCRIPTS = examples/notify/mail examples/notify/ntfy examples/notify/syslog tools/get_deno.sh tools/run_deno.sh tools/without.sh tools/build/selfextract.sh \
	tools/build/script.sh examples/openbsd/rc.d/aggvpn .ci/run

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' Makefile

deno:
	@tools/get_deno.sh >/dev/null

build: deno ## Make build/aggvpn, the one file that users copy, and build/aggvpn.js
	@$(DENO) run -A tools/build.ts

deb: deno ## Make the Debian package of this host's architecture
	@$(DENO) run -A tools/deb.ts

dist: deno ## Make what is published, in build/dist/ (SIGNIFY_KEY=FILE signs it)
	@$(DENO) run -A tools/dist.ts

man: deno ## Make the manual pages, build/man/aggvpn.8 and aggvpn.toml.5
	@$(DENO) run -A tools/man.ts

script: deno ## Make build/aggvpn.js only, for hosts that have deno (OpenBSD)
	@$(DENO) run -A tools/build.ts --script

check: deno ## Check format, lint, layers, types, documents and scripts
	@$(DENO) fmt --check
	@$(DENO) lint
	@$(DENO) check --quiet .
	@$(DENO) run -A tools/check_docs.ts
	@$(DENO) run -A tools/supply_chain.ts
	@for script in $(SCRIPTS); do sh -n "$$script" || exit 1; done

test: build ## Run every test, or T=FILE F='WORDS OF A NAME'; emulated lines need root
	@status=0; $(DENO) run -A tools/run_tests.ts $(TEST_FLAGS) --filter='$(F)' $(T) || status=$$?; \
	$(DENO) run -A tools/preflight.ts test --warn; exit $$status

test-bare: build ## Run the tests that call programs of the host, without some of these
	@tools/without.sh "$(BARE_WITHOUT)" sh -c '$(DENO) test -A $(TEST_FLAGS) $(BARE_TESTS) && \
	$(DENO) run -A tools/preflight.ts test-bare --warn'

# With a cache of its own: each Deno empties what another version has left. Before 2.8 it asks for
# the certificates of the system only when it is told to.
test-oldest: script ## Run the tests and build/aggvpn.js with the oldest deno that has to do
	@oldest=$$(tools/get_deno.sh oldest) && PATH="$${oldest%/*}:$$PATH" && export PATH && \
	DENO_DIR="$$PWD/build/oldest" DENO_TLS_CA_STORE=mozilla,system AGGVPN_BINARY="$$PWD/build/aggvpn.js" \
	$(DENO) run -A tools/run_tests.ts $(TEST_FLAGS) $(OLDEST_TESTS)

cover: deno ## Run the tests of the source and print coverage by layer
	@rm -rf cov
	@$(DENO) test -A --quiet --coverage=cov/profile --coverage-raw-data-only --ignore=tests/e2e,tests/build tests
	@$(DENO) coverage --lcov cov/profile >cov/lcov.info
	@$(DENO) run -A tools/coverage.ts cov/lcov.info

demo: deno ## Watch one TCP transfer use two lines and survive the cut of one (root)
	@$(DENO) run -A tools/preflight.ts demo
	@$(DENO) run -A tools/build.ts
	@$(DENO) run -A tools/demo.ts

dashboard-picture: deno ## Take docs/dashboard.png anew (root, chromium)
	@$(DENO) run -A tools/preflight.ts dashboard-picture
	@$(DENO) run -A tools/build.ts
	@$(DENO) run -A tools/dashboard_picture.ts

bench-links: deno ## Measure the tunnel over emulated lines against them (root; RUNS=3)
	@$(DENO) run -A tools/preflight.ts bench-links
	@$(DENO) run -A tools/build.ts
	@$(DENO) run -A bench/links.ts --runs $(RUNS)

bench-traces: deno ## Measure the tunnel over recorded lines (root; TRACES=folder, RUNS=1)
	@test -n "$(TRACES)" || { echo "bench-traces: name a folder of recordings: TRACES=folder" >&2; exit 1; }
	@$(DENO) run -A tools/preflight.ts bench-links
	@$(DENO) run -A tools/build.ts
	@TRACES="$(TRACES)" $(DENO) run -A bench/traces.ts --runs $(RUNS)

bench-peer: deno ## Measure the tunnel over the lines of mqvpn's report of 2026-06-18 (root; RUNS=1)
	@$(DENO) run -A tools/preflight.ts bench-links
	@$(DENO) run -A tools/build.ts
	@$(DENO) run -A bench/traces.ts --peer --runs $(RUNS)

bench-throughput: deno ## Measure the tunnel where only the CPU limits it (root; RUNS=3)
	@$(DENO) run -A tools/preflight.ts bench-throughput
	@$(DENO) run -A tools/build.ts
	@$(DENO) run -A bench/throughput.ts --runs $(RUNS)

# As a bundle, which is what users run: names of other modules cost V8 a load each time.
bench-stages: deno ## Measure what a packet costs at each stage, in time and in memory
	@mkdir -p build
	@$(DENO) bundle -q --platform deno -o build/bench-stages.js bench/stages_bench.ts
	@$(DENO) run -A --v8-flags=--expose-gc,--max-semi-space-size=1 build/bench-stages.js

clean: ## Remove what was built and measured
	rm -rf build cov
