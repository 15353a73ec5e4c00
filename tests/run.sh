#!/bin/sh
# Installs what the tests need, builds three ways and runs every test:
# release (with the end-to-end tests), address+undefined and thread sanitizers.
#   sh tests/run.sh            all of it, under 20 minutes on two cores
#   sh tests/run.sh NAME       only tests whose name matches the pattern
#   PASTED_SUITES=release sh tests/run.sh    fewer builds
# What takes longer is `sh tests/nightly.sh`.
set -eu
cd "$(dirname "$0")/.."
sh server/packages.sh test

suites=${PASTED_SUITES:-release asan tsan}
werror=OFF
[ "${CI:-}" != true ] || werror=ON
mkdir -p build/suites
: >build/suites/CTestTestfile.cmake
for suite in $suites; do
  echo "== building $suite"
  cmake --preset "$suite" -DPASTED_TESTS=ON -DPASTED_WERROR=$werror \
    >"build/suites/$suite.log" 2>&1 ||
    { cat "build/suites/$suite.log"; exit 1; }
  cmake --build --preset "$suite" >"build/suites/$suite.log" 2>&1 ||
    { cat "build/suites/$suite.log"; exit 1; }
  # One run over all builds, so that one summary counts every test.
  printf 'subdirs("%s")\n' "$PWD/build/$suite" \
    >>build/suites/CTestTestfile.cmake
done

echo "== testing"
exec ctest --test-dir build/suites --output-on-failure --no-tests=error \
  -j "$(nproc)" ${1:+-R "$1"}
