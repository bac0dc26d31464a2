#!/bin/sh
# moto_server, the stand-in of S3 and KMS that tests talk to: the installed one, or else one of its own in deps/moto.
# Debian has no package of it. Where Python's package index is out of reach, deps/moto.unreachable says so, and the
# suites that need moto print SKIP.
set -eu
cd "$(dirname "$0")/../.."
rm -f deps/moto.unreachable
command -v moto_server >/dev/null 2>&1 && exit 0
[ -x deps/moto/bin/moto_server ] && exit 0
python3 -m venv deps/moto
deps/moto/bin/pip install --quiet --retries 1 --timeout 20 'moto[server]==5.2.1' && exit 0
rm -rf deps/moto
echo "SKIP: moto is not installed and cannot be: tests against its S3, KMS, STS and Timestream are left out" >&2
touch deps/moto.unreachable
