#!/bin/sh
# Loads what is in this folder; again, after an upgrade, it replaces what it loaded.
#
#   deploy/elastic/load.sh elastic http://127.0.0.1:9200 [http://127.0.0.1:5601]   Elasticsearch, and Kibana if named
#   deploy/elastic/load.sh opensearch http://127.0.0.1:9200                       OpenSearch
#
# ELASTIC_AUTHORIZATION, where set, is sent as Authorization (`ApiKey …`, `Basic …`); ELASTIC_AUTHORITY is the file of
# an authority to trust. Needs curl.
set -eu
here="$(dirname "$0")"
kind="${1:-}"
search="${2:-}"
kibana="${3:-}"
if [ -z "$search" ] || { [ "$kind" != elastic ] && [ "$kind" != opensearch ]; }; then
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi

# The answer is shown where it is no success. The credential goes by standard input: arguments can be seen by all.
call() {
  {
    [ -z "${ELASTIC_AUTHORIZATION:-}" ] || printf 'header = "Authorization: %s"\n' "$ELASTIC_AUTHORIZATION"
    [ -z "${ELASTIC_AUTHORITY:-}" ] || printf 'cacert = "%s"\n' "$ELASTIC_AUTHORITY"
  } | curl --config - --silent --show-error --fail-with-body --retry 5 --retry-connrefused --max-time 60 "$@"
}
put() {
  call --request PUT --header 'content-type: application/json' --data-binary "@$here/$2" --output /dev/null "$search/$1"
  echo "$1"
}

if [ "$kind" = elastic ]; then
  put _ilm/policy/gatewright ilm-policy.json
  put _component_template/gatewright component-template.json
  put _index_template/gatewright index-template.json
else
  put _index_template/gatewright opensearch-index-template.json
  # A policy that is there is replaced under its sequence number alone: it is left as it is.
  if call --output /dev/null "$search/_plugins/_ism/policies/gatewright" 2>/dev/null; then
    echo "_plugins/_ism/policies/gatewright was there already"
  else
    put _plugins/_ism/policies/gatewright ism-policy.json
  fi
fi

if [ -n "$kibana" ]; then
  answer="$(call --header 'kbn-xsrf: gatewright' --form "file=@$here/kibana.ndjson;type=application/ndjson" \
    "$kibana/api/saved_objects/_import?overwrite=true")"
  # An import that failed for some objects answers 200, too.
  case "$answer" in
  *'"success":true'*) echo "saved objects of Kibana" ;;
  *)
    echo "$answer" >&2
    exit 1
    ;;
  esac
fi
