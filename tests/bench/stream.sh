#!/bin/sh
# What reaches a trainer of this host over the ring, a Unix stream and TCP, beside composing
# without a hand-off and a raw loopback socket; see stream.py for the options.
#   sh tests/bench/stream.sh [--seconds S] [--rounds N]   PASTED_BUILD: build/release
set -eu
cd "$(dirname "$0")/../.."
exec python3 tests/bench/stream.py "$@"
