#!/bin/sh
# `cmake --install` puts every part where a Debian machine looks for it, and the
# unit starts the daemon that was installed beside it.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
DESTDIR="$work" cmake --install "$PASTED_BUILD" >"$work/log" 2>&1 ||
  { tail -n 5 "$work/log"; exit 1; }

status=0
one() {
  found=$(find "$work" -path "*/$1" | wc -l)
  [ "$found" = 1 ] || { echo "$1: $found of it, 1 is wanted"; status=1; }
}
for file in bin/pasted bin/pastectl include/pasted.h \
  include/pasted_robust.h libpasted.so libpasted.so.0 pkgconfig/pasted.pc \
  cmake/pasted/pasted-config.cmake \
  lib/systemd/system/pasted.service lib/systemd/system/pasted.socket \
  lib/systemd/system/pasted-tcp.socket \
  lib/systemd/system/pasted-unix.socket doc/pasted/README.md \
  doc/pasted/LICENSE doc/pasted/common/PROTOCOL.md \
  doc/pasted/systemd/pasted.json; do
  one "$file"
done
[ "$status" = 0 ] || exit 1
unit=$(find "$work" -name pasted.service)
daemon=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$unit")
"$work$daemon" --version
"$work$daemon" --check --config "$(find "$work" -name pasted.json)"
"$(find "$work" -path '*/bin/pastectl')" --version
