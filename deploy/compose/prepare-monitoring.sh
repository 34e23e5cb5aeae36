#!/bin/sh
# Writes what monitoring.yaml needs, each once: a password for Grafana, a credential for the sink, a token for
# Prometheus, and the authority that Prometheus trusts. The last two come from the gateway of compose.yaml, which must be
# running.
set -eu
umask 077
here="$(dirname "$0")"
directory="$here/secrets"
mkdir -p "$directory"
chmod 0700 "$directory"

write() {
  cat >"$directory/$1.new"
  # An empty file would be kept for ever.
  [ -s "$directory/$1.new" ]
  # Users of the containers are others than the owner out here, and get the file as it is.
  chmod 0444 "$directory/$1.new"
  mv "$directory/$1.new" "$directory/$1"
}
in_gateway() {
  docker compose -f "$here/compose.yaml" exec -T gatewright "$@"
}

if [ ! -e "$directory/grafana-password" ]; then
  head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' | write grafana-password
fi
if [ ! -e "$directory/elasticsearch-credential" ]; then
  head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' | write elasticsearch-credential
fi
if [ ! -e "$directory/prometheus-token" ]; then
  in_gateway node tools/gatewright.mjs tokens create --name prometheus --scopes read |
    grep -o 'gwa_[A-Za-z0-9_]*' | head -n 1 | tr -d '\n' | write prometheus-token
fi
if [ ! -e "$directory/gatewright-ca.crt" ]; then
  in_gateway cat /var/lib/gatewright/tls/ca.crt | write gatewright-ca.crt
fi
echo "The files are in $directory."
