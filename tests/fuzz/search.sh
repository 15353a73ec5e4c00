#!/bin/sh
# Searches with every fuzz target for a while, from its committed corpus. Ends
# with a line for each target; fails when one did. Installs nothing.
#   sh tests/fuzz/search.sh SECONDS_PER_TARGET
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:?seconds per target}
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz >/dev/null

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
passed=0
for target in build/fuzz/tests/fuzz_*; do
  [ -x "$target" ] || continue
  thing=${target##*/fuzz_}
  mkdir -p "$work/$thing"
  # Two folders with found inputs first: new ones go to the temporary one.
  if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="build/fuzz/" "$work/$thing" "tests/fuzz/corpus/$thing" \
    >"$work/$thing.log" 2>&1; then
    passed=$((passed + 1))
    echo "clean    $thing: $(grep -E '^Done' "$work/$thing.log")"
  else
    failed=$((failed + 1))
    tail -n 40 "$work/$thing.log"
    echo "FAILED   $thing (the input is kept in build/fuzz)"
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
