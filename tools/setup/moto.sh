#!/bin/sh
# moto_server, the stand-in of S3 and KMS that tests talk to: the installed one, or else one of its own in deps/moto.
set -eu
cd "$(dirname "$0")/../.."
command -v moto_server >/dev/null 2>&1 && exit 0
[ -x deps/moto/bin/moto_server ] && exit 0
python3 -m venv deps/moto
deps/moto/bin/pip install --quiet 'moto[server]==5.2.1'
