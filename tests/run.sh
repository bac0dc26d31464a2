#!/bin/bash
# The stages of make test (full), make quick and make torture. Each stage prints its own summary; the first failing
# stage ends the run with its output. tests/README.md says which stage answers which question.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=$1
jobs=$(nproc)
started=$(date +%s)

stage() { # name, command...
    name=$1
    shift
    begin=$(date +%s)
    echo "== $name"
    if ! "$@"; then
        echo "FAILED: $name"
        exit 1
    fi
    echo "== $name: passed in $(($(date +%s) - begin)) s"
}

build() { # preset
    cmake --preset "$1" >/dev/null
    cmake --build "build$([ "$1" = release ] || echo "-$1")" -j "$jobs"
}
quiet_build() {
    log=$(mktemp)
    build "$1" >"$log" 2>&1 || { tail -n 60 "$log"; rm -f "$log"; return 1; }
    rm -f "$log"
}
unit() { # build directory, label
    ASAN_OPTIONS=detect_stack_use_after_return=1 \
    LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0 \
    TSAN_OPTIONS=suppressions=$PWD/tests/tsan.supp:history_size=4 \
        ctest --test-dir "$1" -j "$jobs" --output-on-failure --no-tests=error ${2:+-L "$2"} |
        sed -E '/^ *[0-9]+\/[0-9]+ Test .*Passed/d; /^ *Start /d'
}
conformance() {
    MILLRACE=$PWD/$1/millrace tests/conformance/run.sh
}
client_library() {
    MILLRACE_BUILD=$PWD/$1 tests/client/run.sh
}
crash() {
    /usr/bin/python3 tests/crash/kill.py --binary "$1/millrace" --kills "$2"
}
crash_suite() { # script, flags...
    script=$1
    shift
    /usr/bin/python3 "tests/crash/$script" --binary build/millrace "$@"
}
model() { # operations
    build/tests/model/model_store --total "$1" --jobs "$jobs"
}
power_cuts() { # states
    MR_SIM_STATES=$1 build/tests/sim/sim_store_power_cut 2>/dev/null
}
faults() { # cases; 0: all
    MR_SIM_FAULTS=$1 build/tests/sim/sim_store_faults 2>/dev/null
}

# Statements drawn by other seeds than the unit tests' own, in the store and in the embedded database.
random_statements() { # seeds
    one() {
        for suite in groups pushdown; do
            MR_SEED=$1 "build/tests/unit/engine/unit_engine_$suite" >"$2/$1-$suite" 2>&1 && continue
            tail -n 40 "$2/$1-$suite"
            echo "MR_SEED=$1 build/tests/unit/engine/unit_engine_$suite"
            return 255
        done
    }
    export -f one
    logs=$(mktemp -d)
    seq 2 $(($1 + 1)) | xargs -P "$jobs" -I{} bash -c 'one {} "$0"' "$logs" || return 1
    awk '/statements,/ { n += $1 } END { print n " statements, both ways the same" }' "$logs"/*
    rm -rf "$logs"
}

case $mode in
quick)
    stage "build (release)" quiet_build release
    stage "unit tests (release)" unit build
    stage "conformance" conformance build
    stage "client library" client_library build
    ;;
full|torture)
    [ "$mode" = full ] && kills=50 seconds=60 seeds=6 operations=100000 states=2000 cases=360 cuts=20 calls=40 ||
        { kills=1000 seconds=1800 seeds=300 operations=10000000 states=100000 cases=0 cuts=300 calls=2000; export MR_TORTURE=1 SOAK_SECONDS=600 SPOOL_KILLS=200; }
    stage "source checks" tools/check/all.sh fast
    stage "build (release)" quiet_build release
    stage "build (asan)" quiet_build asan
    stage "unit tests (ASan+UBSan)" unit build-asan
    stage "build (tsan)" quiet_build tsan
    stage "threaded tests (TSan)" unit build-tsan threads
    stage "conformance (ASan+UBSan server)" conformance build-asan
    stage "conformance (release server)" conformance build
    stage "client library" client_library build
    stage "engine against model ($operations operations)" model "$operations"
    stage "random statements both ways ($seeds seeds)" random_statements "$seeds"
    stage "power cuts of whole stores ($states)" power_cuts "$states"
    stage "failing disks under whole stores" faults "$cases"
    stage "kill -9 under load ($kills kills)" crash build "$kills"
    stage "kill -9 while keys change" crash_suite keys.py --kills $((kills / 5))
    stage "failing syncs" /usr/bin/python3 tests/crash/sync.py --binary build/millrace
    stage "power cuts of an ext4 image ($cuts)" crash_suite power.py --cuts "$cuts"
    stage "full disks" crash_suite full.py
    stage "many connections" crash_suite connections.py $([ "$mode" = full ] || echo --idle 10000 --slow 2000)
    stage "wrong clocks" crash_suite clock.py $([ "$mode" = full ] || echo --patience)
    stage "memory ceiling" crash_suite memory.py --seconds "$([ "$mode" = full ] && echo 20 || echo 300)"
    stage "failing system calls ($calls cases)" crash_suite faults.py --cases "$calls"
    [ "$mode" = full ] || stage "soak" crash_suite soak.py --minutes 10
    stage "fuzzers ($seconds s each)" tests/fuzz.sh "$seconds"
    ;;
*)
    echo "usage: tests/run.sh quick|full|torture" >&2
    exit 2
    ;;
esac
echo "all stages passed in $(($(date +%s) - started)) s"
