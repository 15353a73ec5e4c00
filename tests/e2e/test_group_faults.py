"""A member of a group behind a wire that loses, doubles, damages and makes up
frames: every breach ends the connection, none ends the member, and the group
still ends with every step acknowledged once."""
import hashlib
import pathlib
import socket
import struct
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "protocol")]
from daemon import Daemon  # noqa: E402
from held import wait_until  # noqa: E402
import libpasted  # noqa: E402
import stdlib_wire as wire  # noqa: E402

BATCH, STEPS = 4, 12


class Wire:
    """Hands frames on between one client after the other and the daemon.

    meddle(kind, frame) gives the list of frames that the client gets instead
    of one from the daemon; None cuts the connection."""

    def __init__(self, port, meddle, meddle_up=lambda kind, frame: [frame]):
        self.to, self.meddle, self.meddle_up = port, meddle, meddle_up
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.to))
            self.sockets += [client, server]
            for a, b, meddle in ((server, client, self.meddle),
                                 (client, server, self.meddle_up)):
                threading.Thread(target=self._pump, args=(a, b, meddle),
                                 daemon=True).start()

    @staticmethod
    def _pump(source, sink, meddle):
        try:
            while True:
                head = wire.read_exactly(source, wire.HEADER_BYTES)
                n_bytes = struct.unpack_from("<Q", head, 16)[0]
                body = wire.read_exactly(source, n_bytes) if n_bytes else b""
                frames = meddle(head[5], bytes(head + body))
                if frames is None:
                    break
                for frame in frames:
                    sink.sendall(frame)
        except (OSError, EOFError):
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        for end in (self.listener, *self.sockets):
            end.close()


class Once:
    """Does `act` to the nth frame of that kind, and nothing to others."""

    def __init__(self, kind, act, nth=3):
        self.kind, self.act, self.left = kind, act, nth

    def __call__(self, kind, frame):
        if kind == self.kind:
            self.left -= 1
            if self.left == 0:
                return self.act(frame)
        return [frame]


def flip(frame):
    """One bit of the image: the checksum table lies behind it."""
    damaged = bytearray(frame)
    damaged[len(frame) * 2 // 3] ^= 4
    return [bytes(damaged)]


class Lose:
    """Says of the next step, each second time that one is acknowledged, that
    its lease is lost: the caller is at work on it just then."""

    def __init__(self):
        self.leases, self.n_acked, self.n_lost = [], 0, 0

    def __call__(self, kind, frame):
        yield frame
        if kind == wire.LEASE:
            lease = wire.decode_lease(frame[wire.HEADER_BYTES:])["lease"]
            self.leases.append(lease)
        if kind == wire.ACKED:
            acked = wire.decode_acked(frame[wire.HEADER_BYTES:])[0]
            self.leases = [lease for lease in self.leases if lease != acked]
            self.n_acked += 1
            if self.n_acked % 2 == 0 and self.leases:
                self.n_lost += 1
                lost = struct.pack("<QQ", self.leases.pop(0), 22)
                yield wire.encode_frame(wire.ACKED, 2, lost)


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon("--demo").__enter__()
        plain = libpasted.Client(
            f"pasted://127.0.0.1:{cls.daemon.tcp}/default?batch={BATCH}")
        cls.digests = [hashlib.sha256(plain.next()[2]).hexdigest()
                       for _ in range(STEPS)]
        plain.close()

    @classmethod
    def tearDownClass(cls):
        cls.daemon.close()

    def client(self, *meddles, **options):
        between = Wire(self.daemon.tcp, *meddles)
        self.addCleanup(between.close)
        client = libpasted.Client(
            f"pasted://127.0.0.1:{between.port}/default?batch={BATCH}",
            **options)
        self.addCleanup(client.close)
        return client

    def run_group(self, name, *meddles):
        """The member to the group's end; its statistics."""
        client = self.client(*meddles, group=name, steps=STEPS)
        while (answer := client.next())[0] == libpasted.OK:
            self.assertEqual(hashlib.sha256(answer[2]).hexdigest(),
                             self.digests[client.lease.step])
        self.assertEqual(answer[0], libpasted.ENDED, client.error())
        report = self.daemon.get(f"/v1/streams/default/groups/{name}").json
        self.assertTrue(report["ended"])
        self.assertEqual(report["acknowledged"], STEPS)
        return client.stats()

    def test_a_lost_lease_frame(self):
        stats = self.run_group("lost", Once(wire.LEASE, lambda frame: []))
        self.assertEqual(stats.reconnects, 1)

    def test_a_doubled_lease_frame(self):
        stats = self.run_group("double", Once(wire.LEASE, lambda f: [f, f]))
        self.assertEqual(stats.reconnects, 1)

    def test_a_batch_that_comes_twice(self):
        stats = self.run_group("twice", Once(wire.BATCH, lambda f: [f, f]))
        self.assertEqual(stats.reconnects, 1)

    def test_a_damaged_batch_is_leased_again(self):
        stats = self.run_group("damaged", Once(wire.BATCH, flip))
        self.assertEqual((stats.corrupt, stats.reconnects), (1, 1))

    def test_a_damaged_lease_frame(self):
        stats = self.run_group("bits", Once(wire.LEASE, flip))
        self.assertEqual(stats.reconnects, 1)

    def test_a_cut_between_frames(self):
        for kind in (wire.LEASE, wire.BATCH, wire.ACKED):
            stats = self.run_group(f"cut-{kind}", Once(kind, lambda f: None))
            self.assertEqual(stats.reconnects, 1)

    def test_a_broken_connection_takes_nothing_away(self):
        client = self.client(Once(wire.BATCH, lambda f: None, 3),
                             group="kept", steps=4, prefetch=2)
        self.assertEqual(client.next()[0], libpasted.OK)
        self.assertTrue(wait_until(lambda: client.stats().reconnects == 1))
        self.assertEqual(client.ack(), libpasted.OK, client.error())
        steps = []
        while client.next()[0] == libpasted.OK:
            steps.append(client.lease.step)
        self.assertEqual(sorted(steps), [1, 2, 3])
        report = self.daemon.get("/v1/streams/default/groups/kept").json
        self.assertTrue(report["ended"])
        self.assertEqual(report["deliveries"], 5)  # the one cut off, twice
        self.assertEqual(client.stats().leases_lost, 0)

    def test_an_answer_that_never_comes(self):
        client = self.client(Once(wire.ACKED, lambda frame: None, 1),
                             group="unknown", steps=2, prefetch=1)
        self.assertEqual(client.next()[0], libpasted.OK)
        self.assertEqual(client.ack(), libpasted.CLOSED)
        self.assertIn("before the answer", client.error())
        self.assertEqual(client.next()[0], libpasted.OK)
        self.assertEqual(client.lease.step, 1)  # the first was taken
        self.assertEqual(client.ack(), libpasted.OK)
        self.assertEqual(client.next()[0], libpasted.ENDED)

    def test_a_lease_lost_while_its_batch_is_being_copied(self):
        """The receiver took the batch out of the caller's hands: the client
        aborted, or gave the bytes of another."""
        n, side = 64, 64
        image = bytearray(n * side * side * 3)
        lose = Lose()
        between = Wire(self.daemon.tcp, lose)
        self.addCleanup(between.close)
        client = libpasted.Client(
            f"pasted://127.0.0.1:{between.port}/default?batch={n}",
            group="copied", prefetch=3)
        self.addCleanup(client.close)
        digests = {}
        for _ in range(20):
            time.sleep(0.02)  # the next one is ready
            status, position = client.next_into(image, 400)
            self.assertEqual(status, libpasted.OK, client.error())
            digests[position] = hashlib.sha256(image).digest()
        plain = libpasted.Client(
            f"pasted://127.0.0.1:{self.daemon.tcp}/default?batch={n}")
        self.addCleanup(plain.close)
        for position in sorted(digests):
            self.assertEqual(plain.seek(position), libpasted.OK)
            self.assertEqual(hashlib.sha256(plain.next()[2]).digest(),
                             digests[position])
        self.assertGreater(lose.n_lost, 3)

    def test_frames_of_groups_to_who_is_of_none(self):
        acked = wire.encode_frame(wire.ACKED, 2, struct.pack("<QQ", 9, 0))
        lease = wire.encode_frame(wire.LEASE, 2,
                                  struct.pack("<QQQII", 9, 0, 0, 1, 1000))
        for frame in (acked, lease):
            client = self.client(Once(wire.BATCH, lambda f: [frame, f]))
            for i in range(6):
                status, position, data = client.next()
                self.assertEqual((status, position), (libpasted.OK, i * BATCH))
                self.assertEqual(hashlib.sha256(data).hexdigest(),
                                 self.digests[i])
            self.assertEqual(client.stats().reconnects, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
