# Thin verbs over CMake. On a fresh Debian 12 with make and this repository, `make run` and `make test` need
# nothing else: they install what is missing themselves.

LISTEN ?= 127.0.0.1:8650
DATA   ?= data

.PHONY: all build setup setup-test run test quick check fuzz bench bench-storage torture coverage format clean

all: build

setup:
	@tools/setup/packages.sh tools/setup/packages.txt
	@tools/setup/duckdb.sh

setup-test: setup
	@tools/setup/packages.sh tools/setup/packages-test.txt
	@tools/setup/npm.sh
	@tools/setup/moto.sh

build: setup
	@cmake --preset release >/dev/null
	@cmake --build build --target millrace mr_bench_ingest mr_bench_writer mr_bench_tsbs mr_shared mr_archive

# Builds, starts the server and prints the lines to paste into another terminal.
run: build
	@tools/run.sh "$(LISTEN)" "$(DATA)"

# The whole suite; the stages are listed in tests/README.md.
test: setup-test
	@tests/run.sh full

# The inner loop: release build, unit tests and a short conformance run.
quick: setup-test
	@tests/run.sh quick

# Format, layers, clang-tidy, cppcheck.
check: setup-test
	@tools/check/all.sh

# Every fuzzer for FUZZ_SECONDS each (CI runs them shorter).
FUZZ_SECONDS ?= 1800
fuzz: setup-test
	@tests/fuzz.sh $(FUZZ_SECONDS)

# Writing, then eleven queries beside other databases; writes docs/performance.md. QUICK=1 takes minutes and writes to
# build/performance instead.
bench: setup-test build
	@tools/setup/peers.sh
	@python3 bench/run.py $(if $(QUICK),--runs 1 --seconds 3)
	@python3 bench/writer.py $(if $(QUICK),--runs 1 --seconds 3)
	@python3 bench/tsbs/run.py $(if $(QUICK),--quick)

# Minutes: what is on disk, a mixed load, growth to 500 M values, ten million series.
bench-storage: setup-test build
	@cmake --build build --target mr_bench_store mr_bench_many
	@python3 bench/storage.py

# The long form of the crash, power-cut and model tests (counts of a release).
torture: setup-test
	@tests/run.sh torture

format:
	@git ls-files '*.c' '*.h' '*.cc' | xargs clang-format -i

clean:
	rm -rf build build-*
