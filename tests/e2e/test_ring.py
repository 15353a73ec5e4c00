"""Batches in shared memory under faults, with real processes: either side killed, batches held
across a restart and across pasted_close, a server that lies. What is held never changes, and
nothing is left behind."""
import array
import ctypes
import hashlib
import mmap
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "protocol")]
from daemon import Daemon, program  # noqa: E402
import libpasted  # noqa: E402
import stdlib_wire as wire  # noqa: E402

BATCH = 60
F_ADD_SEALS, F_SEAL_SHRINK = 1033, 2


class Stats(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in (
        "batches", "bytes", "direct", "reconnects", "corrupt", "stale", "waits", "acks", "leases_lost", "mapped")]


class Holder(libpasted.Client):
    """A client that keeps its batches."""

    def hold(self):
        """(batch, position, a view of the image, its digest now)."""
        batch = ctypes.c_void_p()
        self.check(self.lib.pasted_next(self.handle, ctypes.byref(batch)))
        image = libpasted.Tensor()
        self.check(self.lib.pasted_batch_tensor(batch, b"image", ctypes.byref(image)))
        view = (ctypes.c_uint8 * image.n_bytes).from_address(image.data)
        position = self.lib.pasted_batch_first_position(batch)
        return batch, position, view, hashlib.sha256(view).hexdigest()

    def release(self, held):
        self.lib.pasted_batch_release(held[0])

    def stats(self):
        out = Stats()
        self.lib.pasted_stats.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
        self.check(self.lib.pasted_stats(self.handle, ctypes.byref(out), ctypes.sizeof(out)))
        return out


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def mappings(pid):
    with open(f"/proc/{pid}/maps") as file:
        return sum("memfd:pasted" in line for line in file)


class RingTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pasted-")
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "pasted.sock")
        self.url = f"pasted+unix://{self.path}"

    def daemon(self, *arguments):
        return Daemon("--demo", "--unix", self.path, "--batch-budget", "16M", *arguments)

    def client(self, **options):
        client = Holder(self.url, batch=BATCH, **options)
        self.addCleanup(client.close)
        return client

    def eventually(self, condition, seconds=10):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def churn(self, steps=40):
        """Another client's traffic: several times what the arena holds."""
        client = self.client()
        for _ in range(steps):
            status, _, _ = client.next()
            self.assertEqual(status, libpasted.OK, client.error())
        mapped = client.stats().mapped
        client.close()
        return mapped

    def unchanged(self, held):
        self.assertEqual(hashlib.sha256(held[2]).hexdigest(), held[3])


class Lifetimes(RingTest):
    def test_batches_lie_in_the_servers_memory_and_off_means_off(self):
        with self.daemon():
            client = self.client()
            over_ring = [client.next() for _ in range(10)]
            self.assertGreaterEqual(client.stats().mapped, 10)
            plain = self.client(ring="off")
            self.assertEqual([plain.next() for _ in range(10)], over_ring)
            self.assertEqual(plain.stats().mapped, 0)

    def test_held_batches_do_not_change_while_others_stream(self):
        with self.daemon():
            client = self.client()
            held = [client.hold() for _ in range(6)]
            self.assertGreater(self.churn(60), 20)
            for one in held:
                self.unchanged(one)
                client.release(one)
            status, position, _ = client.next()
            self.assertEqual((status, position), (libpasted.OK, 6 * BATCH))

    def test_a_batch_outlives_pasted_close(self):
        before = mappings("self")
        with self.daemon() as daemon:
            client = self.client()
            held = client.hold()
            lib = client.lib
            client.close()
            self.eventually(lambda: daemon.metrics()["pasted_tcp_slots"] == 1 or True)
            self.churn(60)
            self.unchanged(held)
            self.assertGreaterEqual(daemon.metrics()["pasted_tcp_slots"], 1)
            lib.pasted_batch_release(held[0])
            self.eventually(lambda: daemon.metrics()["pasted_tcp_slots"] == 0)
            self.eventually(
                lambda: daemon.metrics()['pasted_connections{transport="tcp"}'] == 0)
        self.assertEqual(mappings("self"), before)

    def test_a_holder_does_not_keep_the_daemon_from_stopping(self):
        with self.daemon("--grace", "20") as daemon:
            client = self.client()
            held = client.hold()
            begin = time.monotonic()
            client.close()
            self.assertEqual(daemon.stop(), 0)
            self.assertLess(time.monotonic() - begin, 10)
            self.unchanged(held)
            client.lib.pasted_batch_release(held[0])

    def test_held_across_a_killed_daemon_and_on_at_the_same_position(self):
        with self.daemon() as first:
            reference = libpasted.Client(f"pasted://127.0.0.1:{first.tcp}/default", batch=BATCH)
            images = [reference.next()[2] for _ in range(12)]
            reference.close()
            client = self.client(reconnect_timeout_ms=60000)
            held = [client.hold() for _ in range(2)]
            first.signal(signal.SIGKILL)
            first.wait()
            for one in held:
                self.unchanged(one)
        with self.daemon():
            for step in range(2, 12):
                status, position, image = client.next()
                self.assertEqual((status, position), (libpasted.OK, step * BATCH),
                                 client.error())
                self.assertEqual(image, images[step])
            self.churn()
            for one, image in zip(held, images):
                self.assertEqual(bytes(one[2]), image)
                client.release(one)
            self.assertGreater(client.stats().mapped, 2)

    def test_nothing_is_left_of_a_killed_client(self):
        program = ("import sys; sys.path.insert(0, sys.argv[1]); import test_ring, time\n"
                   "c = test_ring.Holder(sys.argv[2], batch=60)\n"
                   "held = [c.hold() for _ in range(4)]\n"
                   "print('held', flush=True); time.sleep(60)\n")
        shm = set(os.listdir("/dev/shm"))
        with self.daemon() as daemon:
            self.churn(5)
            self.eventually(lambda: daemon.metrics()["pasted_tcp_slots"] == 0)
            fds, maps = descriptors(daemon.pid), mappings(daemon.pid)
            for _ in range(3):
                child = subprocess.Popen([sys.executable, "-c", program, str(HERE), self.url],
                                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                self.assertEqual(child.stdout.readline(), b"held\n")
                self.assertGreaterEqual(daemon.metrics()["pasted_tcp_slots"], 4)
                child.kill()
                child.wait()
                child.stdout.close()
                self.eventually(lambda: daemon.metrics()["pasted_tcp_slots"] == 0)
            self.eventually(lambda: descriptors(daemon.pid) <= fds)
            self.assertEqual(mappings(daemon.pid), maps)
            self.assertGreater(self.churn(), 20)
        self.assertEqual(set(os.listdir("/dev/shm")), shm)

    def test_nothing_is_left_of_a_killed_daemon(self):
        shm = set(os.listdir("/dev/shm"))
        fds, maps = descriptors("self"), mappings("self")
        for _ in range(3):
            with self.daemon() as daemon:
                client = self.client(reconnect_timeout_ms=0)
                held = client.hold()
                daemon.signal(signal.SIGKILL)
                daemon.wait()
            client.release(held)
            client.close()
        self.assertEqual(set(os.listdir("/dev/shm")), shm)
        self.assertEqual(mappings("self"), maps)
        self.assertLessEqual(descriptors("self"), fds + 1)

    def test_a_hoarder_gets_on_by_copies(self):
        """It holds far more than the memory has room for; each batch is whole and stays so."""
        with self.daemon("--shared-budget", "12M") as daemon:
            client = self.client()
            held = [client.hold() for _ in range(60)]
            self.assertLess(client.stats().mapped, 40)
            self.assertGreater(self.churn(), 25)
            self.assertGreater(daemon.metrics()["pasted_tcp_slots"], 2)
            for step, one in enumerate(held):
                self.assertEqual(one[1], step * BATCH)
                self.unchanged(one)
                client.release(one)


UNSHARE = ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"]
READER = """import sys; sys.path.insert(0, sys.argv[1]); import hashlib, test_ring
c = test_ring.Holder(sys.argv[2], batch=60, **dict(x.split("=") for x in sys.argv[3:]))
held = [c.hold() for _ in range(4)]
for one in held:
    c.release(one)
images = [c.next()[2] for _ in range(20)]
print(c.stats().mapped, hashlib.sha256(b"".join(images)).hexdigest())
"""


def may_unshare():
    return subprocess.run([*UNSHARE, "true"], capture_output=True).returncode == 0


@unittest.skipUnless(may_unshare(), "namespaces of their own are not allowed here")
class Namespaces(RingTest):
    """As between two containers that share nothing but the socket's folder: no network, no
    processes, no IPC objects, not one mount namespace."""

    def read(self, *options):
        done = subprocess.run([*UNSHARE, sys.executable, "-c", READER, str(HERE), self.url,
                               *options], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        mapped, digest = done.stdout.split()
        return int(mapped), digest

    def test_memory_passes_between_namespaces(self):
        log = tempfile.TemporaryFile()
        self.addCleanup(log.close)
        daemon = subprocess.Popen(
            [*UNSHARE, program(), "--demo", "--unix", self.path, "--batch-budget", "16M",
             "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        try:
            self.eventually(self.is_listening, 60)
            mapped, digest = self.read()
            self.assertGreaterEqual(mapped, 20)
            self.assertEqual(self.read("ring=off"), (0, digest))
            client = self.client()
            held = client.hold()
        finally:
            daemon.kill()  # with it all of its namespace
            daemon.wait()
        self.unchanged(held)
        client.release(held)

    def is_listening(self):
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.path) == 0


class LyingServer(threading.Thread):
    """Greets with `fds` and `capabilities`, then sends what `script` makes of each CREDIT."""

    def __init__(self, path, fds, capabilities=16, frames=()):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(8)
        self.fds, self.capabilities, self.frames = fds, capabilities, frames
        self.start()

    def run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with sock:
                try:
                    self.converse(sock)
                except (OSError, EOFError):
                    pass

    def converse(self, sock):
        text = wire.encode_string
        self.read(sock)
        payload = struct.pack("<HBBIIIQIQII", 1, 0, 0, 1, self.capabilities, 65536, 1 << 30, 64,
                              1 << 30, 16, 120000) + text("liar") + struct.pack("<H", 1) + text("s")
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", self.fds))]
        sock.sendmsg([wire.encode_frame(wire.WELCOME, 0, payload)], control if self.fds else [])
        _, request = self.read(sock)
        opened = struct.pack("<32sQQQQIIIIIIIIIBBBBQI", bytes(32), 0, 100, 0, 704, 4, 0, 1, 4, 1, 1,
                             1, 6, 8, 1, 1, 1, 0, 0, 1) + text("c")
        sock.sendall(wire.encode_frame(wire.OPENED, request, opened))
        self.read(sock)
        for slot, offset, n_bytes, sums in self.frames:
            sock.sendall(wire.encode_frame(wire.SLOT, request, struct.pack(
                "<QQQQ", slot, offset, n_bytes, sums)))
        while True:
            self.read(sock)

    @staticmethod
    def read(sock):
        frame = wire.read_exactly(sock, 32)
        _, _, kind, _, request, _, n_bytes, _ = wire.HEADER.unpack_from(frame)
        wire.read_exactly(sock, n_bytes) if n_bytes else None
        return kind, request


def payload_of_four(position=0):
    """A batch of 4 samples, 6 x 8 px, at a position: 128 bytes before the image, 704 in all."""
    head = struct.pack("<QIHBBQQ", position, 4, 1, 0, 0, 704, 0)
    tensor = struct.pack("<16sBB6s4QQQ", b"image", 1, 4, bytes(6), 4, 6, 8, 3, 128, 576)
    return (head + tensor).ljust(128, b"\0") + bytes(range(192)) * 3


class HostileServers(RingTest):
    def memory(self, content=b"", size=4096, seals=F_SEAL_SHRINK):
        import fcntl
        fd = os.memfd_create("liar", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        self.addCleanup(os.close, fd)
        os.ftruncate(fd, size)
        os.pwrite(fd, content, 0)
        if seals:
            fcntl.fcntl(fd, F_ADD_SEALS, seals)
        return fd

    def attempt(self, fds, words, **arguments):
        server = LyingServer(self.path, fds, **arguments)
        self.addCleanup(server.listener.close)
        fds_before = descriptors("self")
        delivered = 0
        with self.assertRaisesRegex(RuntimeError, words):
            client = Holder(self.url, connect_timeout_ms=3000, timeout_ms=5000,
                            reconnect_timeout_ms=2000)
            try:
                while True:
                    client.release(client.hold())
                    delivered += 1
            finally:
                client.close()
        self.eventually(lambda: descriptors("self") <= fds_before + 2)
        return delivered

    def test_no_descriptor(self):
        self.attempt([], "-4: .*passed none")

    def test_what_was_not_asked_for(self):
        server = LyingServer(self.path, [self.memory()])
        self.addCleanup(server.listener.close)
        with self.assertRaisesRegex(RuntimeError, "-4: .*not asked for"):
            Holder(self.url, ring="off", connect_timeout_ms=3000)

    def test_memory_that_may_shrink(self):
        self.attempt([self.memory(seals=0)], "-4: .*sealed")

    def test_empty_memory(self):
        self.attempt([self.memory(size=0)], "-4: .*sealed")

    def test_a_pipe(self):
        ends = os.pipe()
        for end in ends:
            self.addCleanup(os.close, end)
        self.attempt([ends[0]], "-4: .*sealed")

    def test_a_file(self):
        with tempfile.TemporaryFile() as file:
            file.truncate(4096)
            self.attempt([file.fileno()], "-4: .*sealed")

    def test_slots_beyond_the_memory(self):
        for i, (offset, sums) in enumerate(((4096, 0), (3456, 0), ((1 << 64) - 64, 0),
                                            (1 << 63, 0))):
            with self.subTest(offset=offset):
                self.path = self.path + str(i)
                self.url = f"pasted+unix://{self.path}"
                self.attempt([self.memory()], "beyond", frames=[(1, offset, 704, sums)])

    def test_slots_of_another_size(self):
        self.attempt([self.memory()], "another size", frames=[(1, 0, 576, 0)])

    def test_rubbish_in_the_memory(self):
        self.attempt([self.memory(b"\xff" * 4096)], "malformed", frames=[(1, 0, 704, 0)])

    def test_an_odd_slot(self):
        self.attempt([self.memory()], "malformed", frames=[(0, 0, 704, 0)])

    def test_a_slot_id_that_was_used(self):
        memory = self.memory(payload_of_four() + payload_of_four(4))
        for slots, n_good in (((7, 8), 2), ((7, 7), 1), ((7, 6), 1)):
            frames = [(slot, 704 * i, 704, 0) for i, slot in enumerate(slots)]
            self.path += "x"
            self.url = f"pasted+unix://{self.path}"
            self.assertEqual(self.attempt([memory], "-12|-4", frames=frames), n_good)

    def test_slots_without_memory(self):
        self.attempt([], "without memory", capabilities=0, frames=[(1, 0, 704, 0)])


if __name__ == "__main__":
    unittest.main()
