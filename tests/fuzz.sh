#!/bin/bash
# Builds the fuzzers and runs each for the given number of seconds on its seed corpus; a finding fails the run and
# leaves its input in fuzz/findings/.
set -eu
cd "$(dirname "$0")/.."
seconds=$1
cmake --preset fuzz >/dev/null
build=$(cmake --build build-fuzz) || { tail -n 40 <<<"$build"; exit 1; }
mkdir -p fuzz/findings
one() { # name
    work=$(mktemp -d)
    cp fuzz/corpus/"$1"/* "$work"/
    log=$work.log
    if build-fuzz/fuzz/fuzz_"$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
        -artifact_prefix="fuzz/findings/$1-" "$work" >"$log" 2>&1; then
        echo "fuzz $1: $(grep -oE '^Done [0-9]+ runs in [0-9]+' "$log" | tail -n 1) s, no finding"
        rm -rf "$work" "$log"
    else
        tail -n 40 "$log"
        rm -rf "$work" "$log"
        echo "fuzz $1: FINDING"
        return 1
    fi
}
export -f one
export seconds
sed -n 's/^mr_fuzz(\([a-z0-9_]*\).*/\1/p' fuzz/CMakeLists.txt | xargs -P "$(nproc)" -I{} bash -c 'one {}'
