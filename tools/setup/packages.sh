#!/bin/sh
# Installs what is missing of the packages listed in the files given; says nothing when all is there.
set -eu
missing=
for list in "$@"; do
    while read -r name _; do
        case $name in ''|'#'*) continue ;; esac
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $name"
    done <"$list"
done
# npm comes with Node.js; another distribution's Node.js is as good as Debian's two packages.
command -v npm >/dev/null 2>&1 || missing="$missing nodejs npm"
[ -n "$missing" ] || exit 0
echo "installing:$missing" >&2
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo apt-get install -y -qq --no-install-recommends $missing >&2
