#!/bin/sh
# Builds the image with podman and runs it as an operator would: read-only,
# without capabilities, as a non-root user; pulls a batch through the published
# port, checks its health and stops it with SIGTERM (exit code 0).
# Skips (77) where podman cannot run, with the reason on the last line.
set -eu
cd "$PASTED_SOURCE"

skip() { echo "skipped: $1"; exit 77; }
[ "$(id -u)" = 0 ] || skip "containers are built as root here"
for tool in podman buildah debootstrap runc; do
  command -v "$tool" >/dev/null 2>&1 || skip "$tool is not installed"
done

work=$(mktemp -d)
name=pasted-test-$$
trap 'podman rm -f "$name" >/dev/null 2>&1 || :; rm -rf "$work"' EXIT
cat >"$work/containers.conf" <<'END'
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
END
export CONTAINERS_CONF="$work/containers.conf"
podman info >"$work/info" 2>&1 || skip "podman does not run here"

# Debian's own base image, made from this machine's package source when no
# registry has been asked before.
base=docker.io/library/debian:bookworm-slim
if ! podman image exists "$base"; then
  sources=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null)
  source=$(printf '%s\n' "$sources" |
    sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p; s/^URIs: *\([^ ]*\).*/\1/p' |
    head -n 1)
  debootstrap --variant=minbase --include=ca-certificates bookworm \
    "$work/root" "$source" >"$work/debootstrap.log" 2>&1 ||
    { tail -n 3 "$work/debootstrap.log"; skip "no package source to debootstrap from"; }
  tar -C "$work/root" -c . |
    podman import --change 'CMD ["/bin/bash"]' - "$base" >/dev/null
fi

podman build --format docker --network=host -q -f docker/Dockerfile \
  -t "$name" . >"$work/build.log" 2>&1 || { tail -n 30 "$work/build.log"; exit 1; }
# The folder that the daemon shares with other containers, for its Unix socket.
mkdir -m 777 "$work/run"
podman run -d --name "$name" --network=host -v "$work/run:/run/pasted" --read-only --cap-drop=all \
  --security-opt=no-new-privileges --memory=1g --entrypoint /usr/bin/pasted \
  "$name" --demo --http 127.0.0.1:0 --tcp 127.0.0.1:0 \
  --unix /run/pasted/pasted.sock >"$work/id"

# Port 0 took free ports; the start-up log names them.
for _ in $(seq 300); do
  podman logs "$name" >"$work/log" 2>&1 || :
  http=$(sed -n 's|.*http://127.0.0.1:\([0-9]*\).*|\1|p' "$work/log" | head -n 1)
  [ -z "$http" ] ||
    ! curl -fs -o "$work/ready" "http://127.0.0.1:$http/readyz" || break
  sleep 0.2
done
curl -fsS "http://127.0.0.1:$http/v1/streams/default" | grep -q fingerprint
curl -fsS -o "$work/sample.png" \
  "http://127.0.0.1:$http/v1/streams/default/samples/0.png"
head -c 8 "$work/sample.png" | od -An -tx1 | grep -q '89 50 4e 47 0d 0a 1a 0a'
user=$(podman inspect --format '{{.Config.User}}' "$name")
[ "$user" = 65532:65532 ] || { echo "runs as $user"; exit 1; }
podman image inspect "$name" | grep -q '"Healthcheck"' ||
  { echo "HEALTHCHECK was lost"; exit 1; }

# A second container, without a network, reads batches in the first one's memory.
podman run --rm --network=none --read-only --cap-drop=all \
  -v "$work/run:/run/pasted" --entrypoint /usr/bin/pastectl "$name" \
  --server unix:/run/pasted/pasted.sock bench --seconds 2 >"$work/bench"
grep -q '^stream, ring ' "$work/bench" || { cat "$work/bench"; exit 1; }

podman stop -t 20 "$name" >/dev/null
code=$(podman inspect --format '{{.State.ExitCode}}' "$name")
[ "$code" = 0 ] || { echo "exit code $code after SIGTERM"; exit 1; }
podman rm "$name" >/dev/null
podman rmi "$name" >/dev/null 2>&1 || :
echo "container: built, served, stopped with exit code 0"
