#!/bin/sh
# From a fresh Debian machine to batches in a minute: installs packages, builds,
# starts the daemon on its built-in demo pools, pulls real batches through the
# client, writes a preview PNG and says what to open and curl next.
#   sh server/quickstart.sh         the daemon keeps running in the background
#   sh server/quickstart.sh stop    stops it
# HTTP=ADDR:PORT and TCP=ADDR:PORT choose other addresses than the defaults.
set -eu
cd "$(dirname "$0")/.."
here=$PWD
run=build/quickstart
bin=build/release
http=${HTTP:-127.0.0.1:7780}
tcp=${TCP:-127.0.0.1:7700}

stop() {
  [ -s "$run/pid" ] || return 0
  pid=$(cat "$run/pid")
  if [ "$(cat "/proc/$pid/comm" 2>/dev/null || :)" = pasted ]; then
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    echo "pasted: stopped the daemon with process id $pid"
  fi
  rm -f "$run/pid"
}

mkdir -p "$run"
if [ "${1:-}" = stop ]; then stop; exit 0; fi
[ $# = 0 ] || { echo "usage: sh server/quickstart.sh [stop]" >&2; exit 64; }

sh server/packages.sh build
echo "== building (log: $run/build.log)"
{ cmake --preset release -DPASTED_TESTS=OFF && cmake --build "$bin"; } \
  >"$run/build.log" 2>&1 || { tail -n 40 "$run/build.log"; exit 1; }

stop
echo "== starting the daemon on its demo pools (log: $run/pasted.log)"
rm -f "$run/ports.json"
setsid "$bin/server/pasted" --demo --http "$http" --tcp "$tcp" \
  --port-file "$run/ports.json" >"$run/pasted.log" 2>&1 </dev/null &
echo $! >"$run/pid"
pid=$(cat "$run/pid")
for _ in $(seq 600); do
  [ ! -s "$run/ports.json" ] || break
  kill -0 "$pid" 2>/dev/null || { tail -n 5 "$run/pasted.log"; exit 1; }
  sleep 0.1
done
port() { sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" "$run/ports.json"; }
url=http://${http%:*}:$(port http)
server=${tcp%:*}:$(port tcp)
for _ in $(seq 600); do
  ! curl -fs -o "$run/readyz" "$url/readyz" || break
  kill -0 "$pid" 2>/dev/null || { tail -n 5 "$run/pasted.log"; exit 1; }
  sleep 0.1
done

echo "== pulling batches through the client"
pastectl=$bin/client/pastectl
"$pastectl" --server "$server" status
"$pastectl" --server "$server" pull --steps 4 --out "$run/batches.npz"
"$pastectl" --server "$server" preview --out "$run/preview.png"

cat <<END

pasted is running (process id $pid, HTTP $url, TCP $server).
Look at     $here/$run/preview.png
Open        $url/
Then try
  curl $url/v1/streams/default
  curl -o sample.png $url/v1/streams/default/samples/0.png
  curl $url/v1/streams/default/samples/0.json
  curl -o batch.npz $url/v1/streams/default/batches/0.npz
  curl $url/v1/streams/default/graph
  $pastectl --server $server bench
Your own images
  $bin/server/pasted --objects DIR --backgrounds DIR
Stop it     sh server/quickstart.sh stop
END
