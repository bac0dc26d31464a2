#!/bin/sh
# Installs the pinned JavaScript SDK of the conformance tests into tests/conformance/node_modules.
set -eu
cd "$(dirname "$0")/../../tests/conformance"
want=$(sha256sum package-lock.json)
[ "$(cat node_modules/.stamp 2>/dev/null)" = "$want" ] && exit 0
npm ci --silent --no-audit --no-fund
echo "$want" >node_modules/.stamp
