#!/bin/sh
# What takes longer than the suite, or needs more packages: every fuzz target
# for a while, samples beside OpenCV and Pillow, the tests on 64-bit ARM, a
# quarter of an hour of failing replicas, an hour of clients that come and go.
# Fails when a step did, and runs the others first.
#   sh tests/nightly.sh [SECONDS_PER_FUZZ_TARGET]     60 by default
#   sh tests/nightly.sh fuzz|peers|aarch64|partition|soak [SECONDS]   one alone
set -eu
cd "$(dirname "$0")/.."
steps=
seconds=60
for argument in "$@"; do
  case $argument in
    fuzz | peers | aarch64 | partition | soak) steps="$steps $argument" ;;
    *[!0-9]* | '')
      echo "usage: sh tests/nightly.sh [fuzz|peers|aarch64|partition|soak]" \
        "[SECONDS]" >&2
      exit 64
      ;;
    *) seconds=$argument ;;
  esac
done
sh server/packages.sh nightly

release() {
  cmake --preset release >/dev/null && cmake --build build/release >/dev/null
}

partition() {
  release &&
    PASTED_CHAOS_SECONDS=900 python3 tests/e2e/test_partition.py &&
    PASTED_CHAOS_SECONDS=300 PASTED_CHAOS_DELAY_MS=50-100 \
      python3 tests/e2e/test_partition.py
}

soak() {
  release && python3 tests/e2e/soak.py
}

failed=
for step in ${steps:-fuzz peers aarch64 partition soak}; do
  echo "== $step"
  case $step in
    fuzz) sh tests/fuzz/search.sh "$seconds" || failed="$failed $step" ;;
    peers)
      PASTED_SUITES=release sh tests/run.sh peers || failed="$failed $step"
      ;;
    aarch64) sh tests/aarch64/run.sh || failed="$failed $step" ;;
    partition) partition || failed="$failed $step" ;;
    soak) soak || failed="$failed $step" ;;
  esac
done
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
