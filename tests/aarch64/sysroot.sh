#!/bin/sh
# Unpacks Debian's arm64 libraries into a folder, with apt's lists and state in
# that folder too: no package of this machine changes, no root is needed. Does
# not bring the compiler or qemu: server/packages.sh nightly does.
#   sh tests/aarch64/sysroot.sh FOLDER
# Does nothing, and needs no network, when FOLDER holds the same packages.
set -eu
[ $# = 1 ] || { echo "usage: sh tests/aarch64/sysroot.sh FOLDER" >&2; exit 64; }
libraries=$(sh "$(dirname "$0")/../../server/packages.sh" libraries)
packages="$libraries libcmocka-dev"
if [ "$(cat "$1/packages" 2>/dev/null)" = "$packages" ]; then
  exit 0
fi

rm -rf "$1" "$1.new"
mkdir -p "$1.new/apt/lists" "$1.new/apt/archives/partial"
root=$(cd "$1.new" && pwd)
: >"$root/apt/status"
apt() {
  apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 \
    -o APT::Sandbox::User=root -o Debug::NoLocking=1 \
    -o Dir::State="$root/apt" -o Dir::State::status="$root/apt/status" \
    -o Dir::Cache="$root/apt" "$@"
}
apt update
# Nothing counts as installed there, so this is libc and all else they need.
# shellcheck disable=SC2086 # a list of names, split on purpose
apt install --download-only -y --no-install-recommends $packages >/dev/null
for package in "$root"/apt/archives/*.deb; do
  dpkg-deb -x "$package" "$root"
done
rm -rf "$root/apt"

# Links from the root of the tree lead into this one instead.
find "$root" -type l -lname '/*' | while read -r link; do
  ln -sfnr "$root$(readlink "$link")" "$link"
done
printf '%s\n' "$packages" >"$root/packages"
mv "$1.new" "$1"
