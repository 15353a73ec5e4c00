"""Clients of all kinds come and go for a long time, a third of them killed; afterwards the daemon
has the descriptors and threads that it had, and its memory did not grow on the way: a line is
fitted to it after a warm-up of a third of the time.

    python3 tests/e2e/soak.py [SECONDS [CLIENTS]]    3600 and 10 (at a time) by default;
                                                     PASTED_BUILD names the build folder

Kinds: HTTP, sessions by hand with and without credit, refined pulls, slow ones too, libpasted over
TCP, over the Unix socket with batches in shared memory, and as members of groups. No client may
fail: each reason that one gave is printed with its count. Bytes of batches are others' to check."""
import collections
import json
import multiprocessing
import os
import pathlib
import random
import re
import signal
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "protocol")]

import libpasted  # noqa: E402
import stdlib_wire as wire  # noqa: E402
from daemon import Daemon  # noqa: E402
from held import greeted, held, own_bytes, wait_until  # noqa: E402
from peer import encode  # noqa: E402

CLIENTS = 10  # at a time, unless told
POSITIONS = 20000  # a few epochs, which the daemon keeps
FAILED = 1  # exit code
MAX_GROWTH_BYTES = 3 << 20  # by the line, from its begin to its end
HARD = 32  # the capability of REFINE
SLOTS = 128
STREAMS = {"default": {"pool": "demo"},
           "chained": {"pool": "demo", "recipe": {
               "size": 32, "chain": {"slots": SLOTS, "max_length": 4}}}}


def by_http(daemon, rng):
    stream = "/v1/streams/default"
    for _ in range(rng.randrange(1, 20)):
        path = rng.choice([
            "/livez", "/metrics", "/v1/streams", f"{stream}/graph?epoch={rng.randrange(6)}",
            f"{stream}/samples/{rng.randrange(POSITIONS)}.png",
            f"{stream}/batches/{rng.randrange(50)}.npz?batch=64",
            f"{stream}/batches/{rng.randrange(50)}.safetensors?batch=16"])
        answer = daemon.get(path)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {answer.body[:200]}")


def by_hand(daemon, rng):
    with greeted(daemon) as peer:
        peer.open(batch=rng.choice([1, 16, 86]), position=rng.randrange(POSITIONS))
        peer.credit(rng.randrange(3, 9))
        for _ in range(3):
            peer.any_batch()
        peer.at(wire.SEEK, 3, rng.randrange(POSITIONS))
        time.sleep(rng.random() * 0.2)


def without_credit(daemon, rng):
    with greeted(daemon) as peer:
        peer.open(position=rng.randrange(POSITIONS))
        time.sleep(rng.random() * 2)


def refine_frame(peer, request, rng):
    opened = peer.opened
    n_bytes = opened["n_samples"] * opened["height"] * opened["width"] * 3
    position = SLOTS + opened["global_batch"] * rng.randrange(16)  # of the first epoch
    return encode(wire.REFINE, request, wire.encode_refine(opened, position, bytes(n_bytes)))


def refining(daemon, rng):
    """One or two at a time; the last of them are left behind, or one in the middle."""
    with greeted(daemon, capabilities=HARD) as peer:
        peer.open(stream="chained", batch=rng.choice([4, 64]))
        for request in range(3, 3 + 2 * rng.randrange(2, 20), 2):
            peer.sock.sendall(refine_frame(peer, request, rng))
            if request > 3 or rng.random() < 0.5:
                peer.any_batch()
        frame = refine_frame(peer, 101, rng)
        peer.sock.sendall(frame[:rng.randrange(len(frame))])


def refining_slowly(daemon, rng):
    """Most who are killed are in the middle of a frame."""
    with greeted(daemon, capabilities=HARD) as peer:
        peer.open(stream="chained", batch=64)
        frame = refine_frame(peer, 3, rng)
        step = len(frame) // rng.randrange(5, 40) + 1
        for at in range(0, len(frame), step):
            peer.sock.sendall(frame[at:at + step])
            time.sleep(rng.random() * 0.1)
        peer.expect(wire.BATCH, 3)


def read_some(client, rng):
    for _ in range(rng.randrange(1, 30)):
        status, _, _ = client.next()
        if status != libpasted.OK:
            raise RuntimeError(client.error())
    if rng.random() < 0.7:
        client.close()


def over_tcp(daemon, rng):
    read_some(libpasted.Client(f"pasted://127.0.0.1:{daemon.tcp}/default", batch=64,
                               position=rng.randrange(POSITIONS)), rng)


def over_unix(daemon, rng):
    read_some(libpasted.Client(f"pasted+unix://{daemon.unix}", batch=64,
                               position=rng.randrange(POSITIONS)), rng)


def in_a_group(daemon, rng):
    # A group begins anew each minute: one without end would walk through thousands of epochs,
    # which the daemon keeps up to their budget.
    group = f"soak{rng.randrange(3)}-{int(time.time()) // 60}"
    read_some(libpasted.Client(f"pasted://127.0.0.1:{daemon.tcp}/default", batch=16,
                               group=group, lease_ms=500), rng)


KINDS = [by_http, by_hand, without_credit, refining, refining_slowly, over_tcp, over_unix,
         in_a_group]


def be_client(kind, daemon, seed, reasons):
    """Nothing that a kill could leave locked: a line at once, and the exit code."""
    try:
        kind(daemon, random.Random(seed))
    except BaseException as error:
        os.write(reasons, f"{kind.__name__}: {error!r}\n"[:400].encode())
        os._exit(FAILED)
    os._exit(0)


class Churn:
    """Keeps so many of them going."""

    def __init__(self, daemon, seed, n_clients):
        self.daemon, self.rng = daemon, random.Random(seed)
        self.n_clients = n_clients
        self.running, self.n_begun, self.n_killed = [], 0, 0
        self.n_failed = 0
        self.reasons = os.memfd_create("reasons")

    def end_of(self, process):
        """Whether it has ended: counts how."""
        if process.is_alive():
            return False
        process.join()
        if process.exitcode not in (0, FAILED, -signal.SIGKILL):
            os.write(self.reasons, f"{process.name} ends with {process.exitcode}\n".encode())
        self.n_failed += process.exitcode not in (0, -signal.SIGKILL)
        return True

    def why(self):
        """Each reason with its count, numbers left out: the commonest first."""
        os.lseek(self.reasons, 0, os.SEEK_SET)
        with open(os.dup(self.reasons), encoding="utf-8") as lines:
            return collections.Counter(re.sub(r"\d+", "N", line.strip())
                                       for line in lines).most_common()

    def turn(self):
        now = time.monotonic()
        for client in self.running:
            process, kill_at = client
            if process.is_alive() and now > kill_at:
                process.kill()
                self.n_killed += 1
                client[1] = float("inf")
        self.running = [c for c in self.running if not self.end_of(c[0])]
        if len(self.running) < self.n_clients:
            kill_at = now + self.rng.random() * 2 if self.rng.random() < 1 / 3 else now + 60
            kind = self.rng.choice(KINDS)
            process = multiprocessing.Process(target=be_client, name=kind.__name__, daemon=True,
                                              args=(kind, self.daemon, self.rng.random(),
                                                    self.reasons))
            process.start()
            self.running.append([process, kill_at])
            self.n_begun += 1

    def run(self, seconds, samples):
        end = time.monotonic() + seconds
        next_sample = 0
        while (now := time.monotonic()) < end:
            self.turn()
            if now >= next_sample:
                samples.append((now, own_bytes(self.daemon)))
                next_sample = now + 0.5
            time.sleep(0.01)

    def end(self):
        for process, _ in self.running:
            process.kill()
            process.join()
        self.running = []


def growth(samples):
    """Of the line of least squares through them, from the first to the last."""
    n = len(samples)
    mean_t = sum(t for t, _ in samples) / n
    mean_b = sum(b for _, b in samples) / n
    slope = (sum((t - mean_t) * (b - mean_b) for t, b in samples) /
             sum((t - mean_t) ** 2 for t, _ in samples))
    return slope * (samples[-1][0] - samples[0][0])


def at_rest(daemon):
    """Descriptors and threads, and bytes of contexts, once nobody is connected."""
    name = 'pasted_connections{transport="%s"}'
    wait_until(lambda: daemon.metrics()[name % "tcp"] == 0, 30)
    time.sleep(0.5)
    return (*held(daemon), daemon.metrics()["pasted_contexts_bytes"])


def soak(daemon, seconds, n_clients, seed):
    """Sentences about what went wrong."""
    churn, samples, wrong = Churn(daemon, seed, n_clients), [], []
    churn.run(seconds / 3, [])
    churn.end()
    before = at_rest(daemon)
    churn.run(seconds * 2 / 3, samples)
    churn.end()
    after = at_rest(daemon)
    grown = growth(samples)
    print(f"seed {seed}: {churn.n_begun} clients, {churn.n_killed} killed, {churn.n_failed} "
          f"failed; memory {samples[-1][1] / 2**20:.1f} MiB, by the line {grown / 2**20:+.2f}; "
          f"descriptors {before[0]} and {after[0]}, threads {before[1]} and {after[1]}, "
          f"bytes of contexts {before[2]:.0f} and {after[2]:.0f}")
    if grown > MAX_GROWTH_BYTES:
        wrong.append("its memory grows")
    if after[:2] > before[:2]:
        wrong.append("it holds more descriptors or threads than before")
    if before[2] > 0 or after[2] > 0:
        wrong.append("it holds contexts of sessions that are gone")
    for reason, count in churn.why():
        print(f"failed {count} times: {reason}")
    if churn.n_failed > 0:
        wrong.append(f"{churn.n_failed} clients failed")
    if churn.n_begun < seconds:
        wrong.append("there were hardly any clients")
    return wrong


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600
    n_clients = int(sys.argv[2]) if len(sys.argv) > 2 else CLIENTS
    seed = int(os.environ.get("PASTED_TEST_SEED", time.time_ns() % 10**6))
    with tempfile.TemporaryDirectory(prefix="pasted-") as folder:
        path = os.path.join(folder, "pasted.sock")
        config = os.path.join(folder, "daemon.json")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"pools": {"demo": {"demo": True}}, "streams": STREAMS}, file)
        with Daemon("--config", config, "--unix", path, "--batch-budget", "64M",
                    "--log-level", "warn") as daemon:
            daemon.unix = path
            wrong = soak(daemon, seconds, n_clients, seed)
            code = daemon.stop()
            if code != 0:
                wrong.append(f"it ended with {code}:\n{daemon.log}")
    if wrong:
        sys.exit("the daemon: " + "; ".join(wrong))


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    main()
