"""What strangers may do to the daemon: bad frames and requests, readers that do not read, clients
that vanish, and a host that is short of things. Each case ends with a daemon that still serves and
stops with 0. Frames are made by the conformance suite's Peer; bytes of batches are not checked."""
import os
import pathlib
import random
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "protocol")]

import stdlib_wire as wire  # noqa: E402
from daemon import Daemon, build_folder, run_to_end  # noqa: E402
from peer import Peer, encode, hello  # noqa: E402

STREAM = "/v1/streams/default"
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close sends RST


def peer(daemon, **options):
    return Peer(("127.0.0.1", daemon.tcp), timeout=20, **options)


def narrow_peer(daemon, batch, position):
    """A session that has opened a stream and will not read what it asks for."""
    p = peer(daemon)
    p.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    p.hello().open(batch=batch, position=position)
    p.credit(3)
    return p


def held(daemon):
    """Descriptors and threads of the daemon."""
    process = pathlib.Path(f"/proc/{daemon.pid}")
    return len(os.listdir(process / "fd")), len(os.listdir(process / "task"))


def send_raw(port, data, wait=True):
    """All that comes back until the end."""
    with socket.create_connection(("127.0.0.1", port), 20) as s:
        s.sendall(data)
        answer = b""
        while wait and (part := s.recv(65536)):
            answer += part
    return answer


class Attack(unittest.TestCase):

    def check_alive(self, daemon):
        with peer(daemon) as p:
            p.hello().open(batch=4)
            p.credit(2)
            p.batch(2)
            p.batch(2)
        self.assertEqual(daemon.get(f"{STREAM}/samples/3.png").status, 200)

    def check_returns_to(self, daemon, before):
        end = time.monotonic() + 10
        while held(daemon) > before and time.monotonic() < end:
            time.sleep(0.05)
        self.assertLessEqual(held(daemon), before)

    def stop(self, daemon):
        self.assertEqual(daemon.stop(), 0, daemon.log)


class Tcp(Attack):

    def test_bad_frames_end_only_their_session(self):
        rng = random.Random(7)
        greeting = encode(wire.HELLO, 1, hello())
        with Daemon("--demo") as d:
            self.check_alive(d)
            before = held(d)
            for i in range(200):
                damaged = bytearray(greeting)
                damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
                strange = encode(rng.randrange(256), rng.randrange(3),
                                 rng.randbytes(rng.randrange(60)))
                data = [bytes(damaged), greeting + strange, greeting[:rng.randrange(1, 80)],
                        greeting + encode(3, 2, n_bytes=rng.choice([4065, 2**32, 2**64 - 1])),
                        rng.randbytes(rng.randrange(1, 4000))][i % 5]
                with socket.create_connection(("127.0.0.1", d.tcp), 20) as s:
                    if i % 2:
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    s.sendall(data)
            self.check_alive(d)
            self.check_returns_to(d, before)
            self.stop(d)

    def test_extreme_numbers_are_answered(self):
        rng = random.Random(8)
        counts = [0, 1, 2, 7, 2**31 - 1, 2**31, 2**32 - 1]
        positions = [0, 1, 2**31, 2**62, 2**63 - 1, 2**63 - 8, 2**63, 2**64 - 1]
        with Daemon("--demo", "--batch-budget", "64M") as d:
            for _ in range(60):
                with peer(d) as p:
                    p.hello()
                    p.send(wire.OPEN, 2, wire.encode_open(
                        "default", position=rng.choice(positions), batch=rng.choice(counts),
                        rank=rng.choice(counts), world=rng.choice([1, *counts])))
                    p.send(wire.CREDIT, 3, struct.pack("<IQ", rng.choice(counts),
                                                       rng.choice(positions)))
                    for kind in (wire.PULL, wire.SEEK, wire.PULL):
                        p.at(kind, rng.randrange(5), rng.choice(positions))
                    p.send(wire.PING, 9, bytes(8))
                    while p.read().type != wire.PONG:
                        pass
            self.check_alive(d)
            self.stop(d)

    def test_readers_that_do_not_read_leave_others_their_turn(self):
        """Six of them held the whole arena, and a seventh session got nothing for 15 s."""
        with Daemon("--demo", "--batch-budget", "64M") as d:
            lazy = [narrow_peer(d, 1200, i * 10**6) for i in range(6)]  # 15 MB a batch
            time.sleep(0.5)
            begin = time.monotonic()
            self.check_alive(d)
            self.assertLess(time.monotonic() - begin, 12)
            for p in lazy:
                p.sock.close()
            self.check_alive(d)
            self.stop(d)

    def test_positions_far_apart_leave_nothing_behind(self):
        with Daemon("--demo", "--batch-budget", "16M") as d:
            with peer(d) as p:
                p.hello().open(batch=1)
                before = held(d)
                for i in range(1500):
                    p.at(wire.PULL, 10 + i, i * 6_148_914_691_236_517 % 2**62)
                    if i >= 8:
                        p.any_batch()
            for i in range(200):
                answer = d.get(f"{STREAM}/graph?epoch={i * 987_654_321}")
                self.assertEqual(answer.status, 200)
            self.check_returns_to(d, before)
            self.stop(d)

    def test_more_connections_than_sessions(self):
        with Daemon("--demo") as d:
            before = held(d)
            crowd = [socket.create_connection(("127.0.0.1", d.tcp), 20) for _ in range(4300)]
            self.assertEqual(d.get("/livez").status, 200)
            for s in crowd:
                s.close()
            self.check_returns_to(d, before)
            self.check_alive(d)
            self.stop(d)


class Http(Attack):

    def test_a_query_that_mhd_cannot_hold_does_not_stop_the_stop(self):
        """Its request leaked, and SIGTERM ended in an assertion."""
        with Daemon("--demo") as d:
            for n in (100, 500, 1500):
                answer = send_raw(d.http, b"GET /?" + b"a=1&" * n +
                                  b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                self.assertFalse(answer.startswith(b"HTTP/1.1 200"))
            self.check_alive(d)
            self.stop(d)

    def test_bad_requests_are_refused(self):
        host = b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        bad = [b"GET /" + b"a" * 100000 + host + b"\r\n", b"GET / HTTP/9.9\r\n\r\n",
               b"GET /" + host + b"X: " + b"y" * 200000 + b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
               b"POST /" + host + b"Content-Length: 9\r\n\r\n123456789",
               b"BREW /livez" + host + b"\r\n", b"GET /v1/streams/%00" + host + b"\r\n",
               b"GET /%2e%2e/%2e%2e/etc/passwd" + host + b"\r\n",
               b"GET /v1/streams/default/batches/0.npz?batch=4294967295" + host + b"\r\n",
               b"GET /v1/streams/default/samples/9223372036854775808.png" + host + b"\r\n"]
        with Daemon("--demo") as d:
            for request in bad:
                with self.subTest(request[:60]):
                    try:
                        self.assertRegex(send_raw(d.http, request), rb"^(HTTP/1.1 [45]|$)")
                    except ConnectionResetError:
                        pass
            self.check_alive(d)
            self.stop(d)

    def test_clients_that_vanish_while_an_answer_is_made(self):
        rng = random.Random(9)
        with Daemon("--demo", "--batch-budget", "64M") as d:
            before = held(d)
            for i in range(150):
                path = ["batches/{}.npz?batch=500", "batches/{}.png", "graph?epoch={}",
                        "samples/{}.json", "samples/{}.png"][i % 5].format(i * 1009)
                with socket.create_connection(("127.0.0.1", d.http), 20) as s:
                    if i % 3:
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    s.sendall(f"GET {STREAM}/{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                    time.sleep(rng.random() * 0.01)
            self.check_alive(d)
            self.check_returns_to(d, (before[0] + 1, before[1]))
            self.stop(d)


class Operation(Attack):

    def test_sigterm_at_any_moment(self):
        for delay in (0, 0.01, 0.05, 0.2, 0.5):
            with Daemon("--demo", "--grace", "1", ready=False) as d:
                time.sleep(delay)
                self.stop(d)
        with Daemon("--demo", "--grace", "1", "--batch-budget", "64M") as d:
            lazy = [narrow_peer(d, 1200, i * 10**6) for i in range(3)]
            half = socket.create_connection(("127.0.0.1", d.http), 20)
            half.sendall(b"GET /livez HTT")
            self.stop(d)
            for s in [half] + [p.sock for p in lazy]:
                s.close()

    def test_the_smallest_budget_serves(self):
        with Daemon("--demo", "--batch-budget", "1M") as d:
            self.check_alive(d)
            self.assertEqual(d.get(f"{STREAM}/batches/0.npz?batch=4096").status, 413)
            self.stop(d)

    def test_a_port_file_that_is_no_file_is_not_replaced(self):
        with tempfile.TemporaryDirectory() as folder:
            link = pathlib.Path(folder, "ports")
            link.symlink_to("/dev/full")
            code, _, log = run_to_end("--demo", "--port-file", str(link), "--http",
                                      "127.0.0.1:0", "--tcp", "127.0.0.1:0")
            self.assertEqual(code, 78, log)
            self.assertIn("cannot write", log)
            self.assertTrue(link.is_symlink())
            self.assertEqual(os.listdir(folder), ["ports"])

    def test_pastectl_on_a_full_disk_fails_and_leaves_devices_alone(self):
        """libpng removed what it could not write, a device too."""
        pastectl = os.path.join(build_folder(), "client", "pastectl")
        with tempfile.TemporaryDirectory() as folder, Daemon("--demo") as d:
            link = pathlib.Path(folder, "image.png")
            link.symlink_to("/dev/full")
            server = ["--server", f"127.0.0.1:{d.tcp}"]
            done = subprocess.run([pastectl, *server, "preview", "--out", str(link)],
                                  capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertTrue(link.is_symlink())
            done = subprocess.run(
                [pastectl, *server, "pull", "--steps", "9", "--out", f"{folder}/x.npz"],
                capture_output=True, timeout=60, preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_FSIZE, (20000, 20000)))
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(b"too large", done.stderr)
            self.assertEqual(os.listdir(folder), ["image.png"])

    def test_a_token_file_that_is_a_folder_is_a_configuration_error(self):
        code, _, log = run_to_end("--demo", "--token-file", "/", "--http", "127.0.0.1:0",
                                  "--tcp", "127.0.0.1:0")
        self.assertEqual(code, 78, log)


if __name__ == "__main__":
    unittest.main()
