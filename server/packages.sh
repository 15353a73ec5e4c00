#!/bin/sh
# Installs the Debian packages that pasted needs: `sh server/packages.sh build`
# to build and run it, `sh server/packages.sh test` to run its tests as well.
# Does nothing, and needs no network, when all of them are there already.
# `sh server/packages.sh libraries` only prints what pasted links.
set -eu

libraries="libuv1-dev libmicrohttpd-dev libjansson-dev libpng-dev
  libturbojpeg0-dev libxxhash-dev nettle-dev zlib1g-dev"
build="build-essential cmake ninja-build pkg-config $libraries curl
  ca-certificates"
# python3-numpy recomputes composites, pytest, pip, setuptools and wheel test
# the Python package, prometheus brings promtool, podman and debootstrap run
# the image, systemd checks the unit.
test="$build git libcmocka-dev python3 python3-numpy python3-pytest
  python3-pip python3-setuptools python3-wheel clang-format prometheus
  systemd"
# Containers and hosts of a test cannot be made inside most containers: not
# asked for there.
if [ ! -e /run/.containerenv ] && [ ! -e /.dockerenv ]; then
  test="$test iproute2 iptables podman buildah debootstrap runc
    fuse-overlayfs slirp4netns netavark aardvark-dns uidmap catatonit"
fi
# OpenCV and Pillow are what samples and operations are compared with.
nightly="$test clang libclang-rt-14-dev python3-opencv python3-pil"
# The suite for the other machine; nothing to cross where this one is it.
if [ "$(uname -m)" != aarch64 ]; then
  nightly="$nightly gcc-aarch64-linux-gnu qemu-user"
fi

case "${1:-}" in
  build) wanted=$build ;;
  test) wanted=$test ;;
  nightly) wanted=$nightly ;;
  libraries) echo $libraries; exit 0 ;;
  *)
    echo "usage: sh server/packages.sh build|test|nightly|libraries" >&2
    exit 64
    ;;
esac

missing=
for package in $wanted; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) ||
    status=absent
  [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "pasted: installing$missing"
sudo=
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "pasted: these packages are missing; install them as root:" >&2
    echo "  apt-get install --no-install-recommends$missing" >&2
    exit 1
  fi
  sudo=sudo
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# prometheus is wanted for promtool alone: keep its service from starting.
policy=/usr/sbin/policy-rc.d
made_policy=
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
  $sudo chmod 755 "$policy"
  made_policy=yes
fi
status=0
# shellcheck disable=SC2086 # a list of names, split on purpose
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
  status=$?
[ -z "$made_policy" ] || $sudo rm -f "$policy"
exit "$status"
