#!/bin/sh
# make run: starts the server in the foreground and, once it answers, prints what to paste elsewhere.
set -eu
listen=$1
data=$2
mkdir -p "$data"
data=$(cd "$data" && pwd)
pipe=$(mktemp -u)
mkfifo "$pipe"
trap 'rm -f "$pipe"' EXIT
build/millrace serve --data "$data" --listen "$listen" >"$pipe" &
server=$!
trap 'kill -TERM $server 2>/dev/null || true; wait $server; rm -f "$pipe"; exit 0' INT TERM
exec 3<"$pipe"
if ! read -r line <&3; then
    wait $server
    exit 1
fi
echo "$line"
cat <<TXT

Millrace answers at http://$listen. Paste into another terminal:

  export AWS_ENDPOINT_URL=http://$listen
  export AWS_DEFAULT_REGION=us-east-1
TXT
if [ -n "${MILLRACE_ROOT_ACCESS_KEY_ID:-}" ]; then
    echo '  export AWS_ACCESS_KEY_ID=$MILLRACE_ROOT_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$MILLRACE_ROOT_SECRET_ACCESS_KEY'
else
    echo "  export AWS_SHARED_CREDENTIALS_FILE=$data/root-credentials"
fi
cat <<TXT
  aws timestream-write create-database --database-name demo --endpoint-url \$AWS_ENDPOINT_URL

Ctrl-C stops the server.
TXT
wait $server
