#!/bin/sh
# The units are valid (systemd-analyze verify) and tightly sandboxed.
set -eu
cd "$PASTED_SOURCE"
command -v systemd-analyze >/dev/null 2>&1 ||
  { echo "skipped: systemd-analyze is not installed"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# verify wants the binary to exist: point a copy of the unit at this build's.
sed "s|/usr/bin/pasted|$PASTED_BUILD/server/pasted|" systemd/pasted.service \
  >"$work/pasted.service"
cp systemd/*.socket "$work"
systemd-analyze verify --recursive-errors=no --man=no "$work/pasted.service" \
  "$work/pasted.socket" "$work/pasted-tcp.socket" \
  "$work/pasted-unix.socket" 2>"$work/errors" ||
  { cat "$work/errors"; exit 1; }
! grep -i 'pasted' "$work/errors" || exit 1
# The daemon has no reload: a unit must not claim one.
! grep -i '^ExecReload' systemd/*.service || exit 1
# 0 is no exposure, 100 all of it (in tenths: 2.5 of 10).
systemd-analyze security --offline=true --threshold=25 \
  "$work/pasted.service" >"$work/security" || { tail -n 3 "$work/security"; exit 1; }
tail -n 1 "$work/security"
# The shipped configuration is accepted by the daemon itself.
"$PASTED_BUILD/server/pasted" --config systemd/pasted.json --check
