#!/bin/sh
# The client library from outside. MILLRACE_BUILD names the build directory (default build): millrace, libmillrace.*.
set -euf
here=$(cd "$(dirname "$0")" && pwd)
MILLRACE_BUILD=${MILLRACE_BUILD:-$here/../../build}
export MILLRACE_BUILD
cd "$here"
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -W ignore -m unittest ${*:-discover -q -p test_*.py}
