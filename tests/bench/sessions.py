"""How a daemon answers small requests while many sessions are open and its workers are full:
p50, p99 and the longest of GET /livez and of a PULL of one sample, without load and with it, and
the memory of an idle session. Measures no throughput (stream.sh does).

    python3 tests/bench/sessions.py [--idle 1000] [--active 64] [--seconds 10] [--limit-ms 50]

--limit-ms: exit 1 when a p99 under load is beyond it; 0: never. The row `sleep` is what a sleep of
a millisecond takes longer in a process beside: that much of the others is the machine's own.
PASTED_BUILD names the build folder; the demo pools are used."""
import argparse
import http.client
import multiprocessing
import pathlib
import selectors
import socket
import struct
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "protocol")]

import stdlib_wire as wire  # noqa: E402
from daemon import Daemon  # noqa: E402
from peer import Peer  # noqa: E402

PER_PROCESS = 16  # active sessions that one client process reads
BUFFER = bytearray(1 << 20)


def rss_anon(pid):
    """Resident bytes of its own."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))


class Stream:
    """An active session: counts what comes and grants credit for each batch."""

    def __init__(self, port, index):
        self.peer = Peer(("127.0.0.1", port), timeout=60).hello(1)
        self.peer.open(position=index * 1_000_000)
        self.peer.credit(4)
        self.peer.sock.setblocking(False)
        self.left = 0
        self.head = b""
        self.n_batches = 0

    def take(self):
        """Reads what is there, at most a megabyte."""
        if self.left:
            n = self.peer.sock.recv_into(BUFFER, min(self.left, len(BUFFER)))
            self.left -= n
        else:
            part = self.peer.sock.recv(wire.HEADER_BYTES - len(self.head))
            n = len(part)
            self.head += part
            if len(self.head) == wire.HEADER_BYTES:
                self.begin()
        if n == 0:
            raise EOFError("the daemon ended a session")

    def begin(self):
        _, _, kind, _, _, _, self.left, _ = wire.HEADER.unpack_from(self.head)
        self.head = b""
        if kind != wire.BATCH:
            raise RuntimeError(f"frame {kind}")
        self.n_batches += 1
        self.peer.credit(1)


def be_active(port, first, n, ready, go, stop, total):
    streams = [Stream(port, first + i) for i in range(n)]
    selector = selectors.DefaultSelector()
    for stream in streams:
        selector.register(stream.peer.sock, selectors.EVENT_READ, stream)
    ready.release()
    go.wait()
    while not stop.is_set():
        for key, _ in selector.select(0.1):
            try:
                key.data.take()
            except BlockingIOError:
                pass
    with total.get_lock():
        total.value += sum(stream.n_batches for stream in streams)


def be_idle(port, n, ready, stop):
    """Sessions with a stream open and no credit."""
    peers = [Peer(("127.0.0.1", port), timeout=60).hello().open() for _ in range(n)]
    ready.release()
    stop.wait()
    for peer in peers:
        peer.sock.close()


def probe_livez(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def once():
        connection.request("GET", "/livez")
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()

    return once


def probe_pull(port):
    peer = Peer(("127.0.0.1", port), timeout=60).hello(1).open(batch=1)
    numbers = iter(range(10, 1 << 30))

    def once():
        number = next(numbers)
        peer.at(wire.PULL, number, number % 3000)
        peer.expect(wire.BATCH, number)

    return once


def probe_sleep(_):
    return lambda: time.sleep(0.001)


def measure(make, port, seconds, less, results):
    once = make(port)
    once()
    taken = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.perf_counter()
        once()
        taken.append(time.perf_counter() - begin - less)
        time.sleep(0.005)
    taken.sort()
    results.put([1000 * taken[int(q * (len(taken) - 1))] for q in (0.5, 0.99, 1)] + [len(taken)])


def probe_all(daemon, seconds, title):
    """Each probe in a process of its own; their rows printed; the worst p99 of requests."""
    probes = {"livez": (probe_livez, daemon.http, 0), "pull 1": (probe_pull, daemon.tcp, 0),
              "sleep": (probe_sleep, 0, 0.001)}
    running = {}
    for name, (make, port, less) in probes.items():
        results = multiprocessing.Queue()
        running[name] = results
        multiprocessing.Process(target=measure, args=(make, port, seconds, less, results),
                                daemon=True).start()
    rows = {name: results.get(timeout=seconds + 60) for name, results in running.items()}
    for name, (p50, p99, longest, n) in rows.items():
        print(f"{title:8} {name:8} p50 {p50:7.2f} ms  p99 {p99:7.2f} ms  max {longest:7.2f} ms"
              f"  of {n}")
    return max(rows["livez"][1], rows["pull 1"][1])


def with_crowd(daemon, options):
    """The measurement; the worst p99 under load."""
    make = multiprocessing
    ready, go, stop = make.Semaphore(0), make.Event(), make.Event()
    total = make.Value("Q", 0)
    probe_all(daemon, min(options.seconds, 3), "alone")
    before = rss_anon(daemon.pid)
    crowd = [make.Process(target=be_idle, args=(daemon.tcp, options.idle, ready, stop))]
    crowd[0].start()
    if not ready.acquire(timeout=120):
        raise RuntimeError("the idle sessions were not let in")
    per_session = (rss_anon(daemon.pid) - before) / max(options.idle, 1)
    for first in range(0, options.active, PER_PROCESS):
        n = min(PER_PROCESS, options.active - first)
        crowd.append(make.Process(target=be_active, args=(daemon.tcp, first, n, ready, go, stop,
                                                          total)))
        crowd[-1].start()
    for _ in crowd[1:]:
        if not ready.acquire(timeout=120):
            raise RuntimeError("the active sessions were not let in")
    go.set()
    time.sleep(1)
    worst = probe_all(daemon, options.seconds, "loaded")
    sessions = daemon.metrics()['pasted_connections{transport="tcp"}']
    stop.set()
    for process in crowd:
        process.join(60)
    print(f"sessions {sessions:.0f}  batches {total.value}"
          f"  memory of an idle session {per_session / 1024:.1f} KiB")
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--idle", type=int, default=1000)
    parser.add_argument("--active", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--limit-ms", type=float, default=50)
    options = parser.parse_args()
    with Daemon("--demo") as daemon:
        worst = with_crowd(daemon, options)
    if options.limit_ms and worst > options.limit_ms:
        sys.exit(f"a p99 of {worst:.1f} ms is beyond {options.limit_ms:g} ms")


if __name__ == "__main__":
    main()
