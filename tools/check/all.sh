#!/bin/sh
# make check: every mechanical promise about the source. Prints what fails and exits non-zero.
# `all.sh fast` leaves out clang-tidy, which takes minutes; make test runs that form.
set -u
cd "$(dirname "$0")/../.."
failed=0
step() { # name, command...
    name=$1
    shift
    if "$@"; then echo "ok    $name"; else echo "FAIL  $name"; failed=1; fi
}

formatted() {
    git ls-files '*.c' '*.h' '*.cc' | xargs clang-format --dry-run -Werror 2>&1 | head -n 20 | grep . && return 1
    return 0
}
tidy() {
    cmake --preset debug >/dev/null && cmake --build build-debug >/dev/null || return 1
    git ls-files 'src/*.c' 'client/*.c' 'cli/*.c' | xargs -P "$(nproc)" -n 4 clang-tidy -quiet -p build-debug 2>/dev/null | grep -E 'warning:|error:' && return 1
    return 0
}
cpp() {
    cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
        --suppress=missingInclude --suppress=normalCheckLevelMaxBranches --suppressions-list=tools/check/cppcheck.txt \
        -j "$(nproc)" -I src -I . -I include src client cli
}
no_hosts() { # no path of one machine, no registry host
    git grep -nE 'registry\.npm|deb\.debian|pypi\.org|/(work|farm)/' -- . ':!tools/check/all.sh' && return 1
    return 0
}

step format formatted
step layers tools/check/layers.py
step hosts no_hosts
step cppcheck cpp
[ "${1:-}" = fast ] || step clang-tidy tidy
exit $failed
