"""What a daemon holds, and how another session fares meanwhile: for tests that do it harm and then
want everything back as it was. Does no harm itself."""
import multiprocessing
import os
import pathlib
import struct
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "protocol")]

import stdlib_wire as wire  # noqa: E402
from daemon import program  # noqa: E402
from peer import Peer, hello  # noqa: E402

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close sends RST


def sanitized():
    """Whether the daemon keeps freed memory to find faults: its size then says nothing."""
    code = pathlib.Path(program()).read_bytes()
    return any(name in code for name in (b"__asan_init", b"__tsan_init"))


def held(daemon):
    """Descriptors and threads of the daemon."""
    process = pathlib.Path(f"/proc/{daemon.pid}")
    return len(os.listdir(process / "fd")), len(os.listdir(process / "task"))


def own_bytes(daemon):
    """Resident memory that no file holds: the arena is in it unless it is for sharing."""
    with open(f"/proc/{daemon.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))


def wait_until(condition, seconds=15):
    """Whether it came true in that time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _watch(port, seconds, out):
    with Peer(("127.0.0.1", port), timeout=60) as peer:
        peer.hello().open(batch=1)
        taken = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            begin = time.perf_counter()
            peer.at(wire.PULL, 10 + len(taken), len(taken) % 3000)
            peer.expect(wire.BATCH, 10 + len(taken))
            taken.append(time.perf_counter() - begin)
            time.sleep(0.002)
    taken.sort()
    out.put(taken[int(0.99 * (len(taken) - 1))])


class Witness:
    """A session in a process of its own that pulls one sample at a time for so long; p99() waits
    for its end: seconds."""

    def __init__(self, daemon, seconds):
        self._out = multiprocessing.Queue()
        self._process = multiprocessing.Process(
            target=_watch, args=(daemon.tcp, seconds, self._out), daemon=True)
        self._process.start()

    def p99(self):
        value = self._out.get(timeout=120)
        self._process.join(10)
        return value


def greeted(daemon, capabilities=0, **options):
    """A session after WELCOME with these capabilities."""
    peer = Peer(("127.0.0.1", daemon.tcp), timeout=20, **options)
    peer.send(wire.HELLO, 1, hello(capabilities=capabilities))
    peer.welcome = wire.decode_welcome(peer.expect(wire.WELCOME, 1).payload)
    return peer
