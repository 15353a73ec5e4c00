#!/bin/sh
# What a trainer receives: images/s and MB/s of a daemon's stream, beside memcpy
# of the same bytes and beside a raw loopback socket (pastectl bench), for small
# and larger images of the demo pools.
#   sh tests/bench/stream.sh [SECONDS]      PASTED_BUILD: build/release
set -eu
cd "$(dirname "$0")/../.."
build=${PASTED_BUILD:-build/release}
work=$(mktemp -d)
daemon=
trap '[ -z "$daemon" ] || kill "$daemon"; rm -rf "$work"' EXIT

for size in 32 64 224; do
  printf '{"size": %s}' "$size" >"$work/recipe.json"
  rm -f "$work/ports.json" "$work/log"
  "$build/server/pasted" --demo --recipe "$work/recipe.json" \
    --http 127.0.0.1:0 --tcp 127.0.0.1:0 --port-file "$work/ports.json" \
    2>"$work/log" &
  daemon=$!
  for _ in $(seq 300); do
    ! grep -qs " ready: " "$work/log" || break
    kill -0 "$daemon" || { cat "$work/log"; exit 1; }
    sleep 0.1
  done
  tcp=$(sed -n 's/.*"tcp": *\([0-9]*\).*/\1/p' "$work/ports.json")
  "$build/client/pastectl" --server "127.0.0.1:$tcp" bench \
    --seconds "${1:-5}"
  kill "$daemon"
  wait "$daemon"
  daemon=
done
