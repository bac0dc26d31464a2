#!/bin/sh
# Puts the pinned libduckdb.so and duckdb.h into deps/duckdb, checked against the hashes below.
# They come inside two npm packages because Debian 12 has no libduckdb.
set -eu
cd "$(dirname "$0")/../.."
dest=deps/duckdb
lib_version=1.5.6-r.1
hdr_version=1.4.4
case $(uname -m) in
x86_64) lib=@duckdb/node-bindings-linux-x64
        lib_sha=IXcrZJE6kEqM0Z4wwdVnGBHX/frOS33VPNAwDXQ/Q+Fs84b058Qe94chrCCIcNJlG8Y3UHIUU4eBeCQxW5mN1Q== ;;
aarch64) lib=@duckdb/node-bindings-linux-arm64
         lib_sha=3jnUaDil1BrF/6vAZwVaInJ1xoBaWGHB4PDiUnzJWKCo8a8TLx9j7/gPyPl/UGRBftrYIuTihRZSfF4mWMgtWA== ;;
*) echo "no pinned libduckdb for $(uname -m)" >&2; exit 1 ;;
esac
hdr_sha=hEJJ5hyVF0VLj3dmOLpsWrQR0b3d4Ykqtygm6iUXjHJDDnSqg/USKxcb5qvNrOhFYPgktayU6dXCtgPqcmmpog==

stamp="$lib_version $hdr_version"
[ "$(cat $dest/stamp 2>/dev/null)" = "$stamp" ] && exit 0

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fetch() { # package@version sha512 member destination
    file=$(cd "$tmp" && npm pack --silent "$1")
    got=$(openssl dgst -sha512 -binary "$tmp/$file" | openssl base64 -A)
    [ "$got" = "$2" ] || { echo "$1: integrity check failed (sha512 $got)" >&2; exit 1; }
    tar -xzf "$tmp/$file" -C "$tmp" "package/$3"
    mv "$tmp/package/$3" "$4"
}
mkdir -p $dest
fetch "$lib@$lib_version" "$lib_sha" libduckdb.so $dest/libduckdb.so
fetch "duckdb@$hdr_version" "$hdr_sha" src/duckdb/src/include/duckdb.h $dest/duckdb.h
echo "$stamp" >$dest/stamp
