#!/bin/sh
# Unpacks the systems that the bench compares with into deps/peers/root: Debian's packages and what of their libraries this
# machine has not installed. Nothing is installed or started, and root is not needed.
set -eu
cd "$(dirname "$0")/../.."
dest=deps/peers
wanted='clickhouse-server clickhouse-client influxdb victoria-metrics postgresql-15 libpq5'
[ "$(cat $dest/stamp 2>/dev/null)" = "$wanted" ] && exit 0
rm -rf $dest
mkdir -p $dest/debs
# shellcheck disable=SC2086
names=$(apt-get install --simulate --reinstall --no-install-recommends $wanted | awk '/^Inst/ { print $2 }')
[ -n "$names" ] || { echo "the package lists have none of: $wanted (apt-get update?)" >&2; exit 1; }
# shellcheck disable=SC2086
(cd $dest/debs && apt-get download -qq $names >/dev/null 2>&1) || { echo "cannot download: $names" >&2; exit 1; }
for deb in "$dest"/debs/*.deb; do
    dpkg-deb --extract "$deb" $dest/root
done
rm -r $dest/debs
echo "$wanted" >$dest/stamp
