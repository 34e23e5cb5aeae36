#!/bin/sh
# Writes the secrets of compose.yaml, each once: what is there stays.
set -eu
umask 077
directory="$(dirname "$0")/secrets"
mkdir -p "$directory"
chmod 0700 "$directory"

new_password() {
  head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'
}
write() {
  printf '%s\n' "$2" >"$directory/$1.new"
  # Users of the containers are others than the owner out here, and get the file as it is.
  chmod 0444 "$directory/$1.new"
  mv "$directory/$1.new" "$directory/$1"
}

if [ ! -e "$directory/database-url" ]; then
  password="$(new_password)"
  write database-password "$password"
  write database-url "postgres://gatewright:$password@localhost/gatewright?host=/var/run/postgresql"
fi
if [ ! -e "$directory/counters-url" ]; then
  password="$(new_password)"
  # Its own keys, and no command but those that the counters need.
  write counters-acl "user default off
user gatewright on >$password ~gatewright:* -@all +@connection +info +fcall +function|load +eval +evalsha +time +hgetall +hset +hdel +del +pexpire"
  write counters-url "redis://gatewright:$password@counters:6379"
fi
echo "The secrets are in $directory."
