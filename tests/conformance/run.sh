#!/bin/sh
# Drives a freshly started server with real SDKs. MILLRACE names the binary (default build/millrace).
set -euf
here=$(cd "$(dirname "$0")" && pwd)
MILLRACE=${MILLRACE:-$here/../../build/millrace}
export MILLRACE
cd "$here"
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -W ignore -m unittest ${*:-discover -q -p test_*.py}
