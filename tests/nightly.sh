#!/bin/sh
# What takes longer than the suite, or needs more packages: every fuzz target
# for a while, samples beside OpenCV and Pillow, then the tests on 64-bit ARM.
# Fails when a step did, and runs the others first.
#   sh tests/nightly.sh [SECONDS_PER_FUZZ_TARGET]     60 by default
#   sh tests/nightly.sh fuzz|peers|aarch64 [SECONDS]  one step alone
set -eu
cd "$(dirname "$0")/.."
steps=
seconds=60
for argument in "$@"; do
  case $argument in
    fuzz | peers | aarch64) steps="$steps $argument" ;;
    *[!0-9]* | '')
      echo "usage: sh tests/nightly.sh [fuzz|peers|aarch64] [SECONDS]" >&2
      exit 64
      ;;
    *) seconds=$argument ;;
  esac
done
sh server/packages.sh nightly

failed=
for step in ${steps:-fuzz peers aarch64}; do
  echo "== $step"
  case $step in
    fuzz) sh tests/fuzz/search.sh "$seconds" || failed="$failed $step" ;;
    peers)
      PASTED_SUITES=release sh tests/run.sh peers || failed="$failed $step"
      ;;
    aarch64) sh tests/aarch64/run.sh || failed="$failed $step" ;;
  esac
done
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
