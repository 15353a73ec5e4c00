#!/bin/sh
# Runs every test that is a program on this machine and, cross-compiled and
# emulated, on 64-bit ARM; then compares what a daemon of each sends. Ends with
# the number of tests passed on each; fails when one did not pass or ARM ran
# fewer. Shows nothing of memory order: the emulator has this machine's.
#   sh tests/aarch64/run.sh
set -eu
cd "$(dirname "$0")/../.."
if [ "$(uname -m)" = aarch64 ]; then
  echo "skipped: this machine is one, tests/run.sh is the test"
  exit 0
fi
sysroot=build/sysroot-aarch64
failed=0
mkdir -p build

# PRESET: builds it; prints the log and ends when that fails.
build() {
  cmake --preset "$1" -DPASTED_TESTS=ON >"build/$1.log" 2>&1 &&
    cmake --build --preset "$1" >"build/$1.log" 2>&1 ||
    { cat "build/$1.log"; exit 1; }
}

# PRESET: runs its programs; leaves the counts in $programs and $cases.
run() {
  ctest --test-dir "build/$1" -L '^program$' -V --no-tests=error \
    -j "$(nproc)" >"build/$1.log" 2>&1 || {
    failed=1
    grep -E '\[ +(ERROR|LINE|FAILED) +\]|\*\*\*' "build/$1.log" ||
      tail -n 40 "build/$1.log"
    echo "FAILED   in $1: all of it is in build/$1.log"
  }
  programs=$(grep -cE '^ *[0-9]+/[0-9]+ Test .* Passed ' "build/$1.log" || :)
  cases=$(grep -cE '\[ +OK +\]' "build/$1.log" || :)
}

sh tests/aarch64/sysroot.sh "$sysroot"
build release
build aarch64
run release
here_programs=$programs here_cases=$cases
run aarch64
[ "$programs $cases" = "$here_programs $here_cases" ] || failed=1

# -ffp-contract=off, where the instruction exists without asking for it.
fused=$(aarch64-linux-gnu-objdump -d build/aarch64/server/pasted |
  grep -cE '\s(fn?m(add|sub)|fml[as])\s' || :)
[ "$fused" = 0 ] || {
  failed=1
  echo "FAILED   the daemon has $fused fused multiply-adds"
}

# The daemon as scripts start it: a build folder with a program that runs.
mkdir -p build/aarch64/emulated/server
cat >build/aarch64/emulated/server/pasted <<END
#!/bin/sh
exec qemu-aarch64 -L "$PWD/$sysroot" "$PWD/build/aarch64/server/pasted" "\$@"
END
chmod +x build/aarch64/emulated/server/pasted
PYTHONDONTWRITEBYTECODE=1 python3 tests/aarch64/replicas.py \
  build/release build/aarch64/emulated || failed=1

echo "$(uname -m): $here_programs programs, $here_cases cases passed"
echo "aarch64: $programs programs, $cases cases passed"
exit "$failed"
