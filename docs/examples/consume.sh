#!/usr/bin/env bash
# A ticket system in a few lines: reads one department's complaints through a
# consumer group, prints them, and acknowledges them.
#   consume.sh redis://:password@host:port/0 FIN
set -euo pipefail
url=$1 stream="{complaints}:dept:$2" group=ticketing consumer=shell
redis() { redis-cli -u "$url" --no-auth-warning "$@"; }

# At 0, so that what came before the group is read too. It may exist already.
redis XGROUP CREATE "$stream" "$group" 0 MKSTREAM >/dev/null 2>&1 || true

while true; do
	# First what an earlier run left unacknowledged (0), then what is new (>).
	entries=$(redis XREADGROUP GROUP "$group" "$consumer" COUNT 10 STREAMS "$stream" 0)
	if [ "$(grep -c '^[0-9]*-[0-9]*$' <<<"$entries")" = 0 ]; then
		entries=$(redis XREADGROUP GROUP "$group" "$consumer" COUNT 10 STREAMS "$stream" '>')
	fi
	ids=$(grep '^[0-9]*-[0-9]*$' <<<"$entries" || true)
	[ -n "$ids" ] || break
	# Fields follow each other as name, value. Here a real system would open a
	# ticket under `id`, once: the same id may come again.
	awk '$0 ~ /^[0-9]+-[0-9]+$/ { print "" } name != "" { printf "%s=%s ", name, $0; name = ""; next } /^(number|event|role|type|priority)$/ { name = $0 }' <<<"$entries"
	echo
	for id in $ids; do redis XACK "$stream" "$group" "$id" >/dev/null; done
done
