"""Conformance: section 17, batches in memory of one host, against a server with a Unix socket:
PASTED_UNIX names it, else a demo daemon of its own listens there."""

import array
import fcntl
import mmap
import os
import socket
import struct
import tempfile
import time
import unittest

import stdlib_wire as wire
from peer import Peer, encode, hello, own_daemon
from stdlib_wire import CHECKSUMS, ERROR, PING, PONG, RETURN, SLOT

RING = 16
SEALS = 0x2 | 0x4 | 0x10  # F_SEAL_SHRINK, GROW, FUTURE_WRITE
F_GET_SEALS = 1034


class RingPeer(Peer):
    """A peer over a Unix socket that keeps the descriptor that comes with WELCOME."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(path)
        self.welcome = self.opened = self.memory = None
        self.fds = []

    def recv_into(self, view):
        data, control, _, _ = self.sock.recvmsg(len(view), socket.CMSG_SPACE(16))
        view[:len(data)] = data
        for level, kind, packed in control:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds = array.array("i")
                fds.frombytes(packed)
                self.fds += fds
        return len(data)

    def greet(self, capabilities=RING, kinds=1):
        """HELLO; WELCOME with its descriptor, which is mapped."""
        self.send(wire.HELLO, 1, hello(kinds, capabilities=capabilities))
        frame = wire.read_frame(self)
        if frame.type == ERROR:
            raise wire.decode_error(frame)
        self.welcome = wire.decode_welcome(frame.payload)
        if self.fds:
            self.memory = mmap.mmap(self.fds[0], 0, prot=mmap.PROT_READ)
        return self

    def any_slot(self):
        """The next frame: (slot, request, Batch) of a SLOT; a Batch that was sent has slot 0."""
        frame = self.read()
        if frame.type == ERROR:
            raise wire.decode_error(frame)
        kind = self.welcome["checksum"]
        if frame.type == wire.BATCH:
            return 0, frame.request, wire.decode_batch(frame.payload, frame.request, kind=kind)
        assert frame.type == SLOT, f"frame {frame.type}, not SLOT"
        fields = wire.decode_slot(frame.payload)
        return fields["slot"], frame.request, self.at_slot(fields, kind, frame.request)

    def at_slot(self, fields, kind, request):
        """The Batch that lies where SLOT says, with its sums when there are any."""
        end = fields["offset"] + fields["n_bytes"]
        assert end <= len(self.memory), "a slot beyond the memory"
        payload = bytearray(self.memory[fields["offset"]:end])
        if kind:
            n_bytes = 8 * (struct.unpack_from("<I", payload, 8)[0] + 1)
            at = fields["sums_offset"]
            payload[14] = kind  # stored with 0, as section 9 sums it
            payload += self.memory[at:at + n_bytes]
        else:
            assert fields["sums_offset"] == 0, "a table that was not agreed on"
        assert len(payload) == self.opened["batch_bytes"], "size of a slot"
        return wire.decode_batch(payload, request, kind=kind)

    def give_back(self, slot):
        """RETURN."""
        self.send(RETURN, 0, struct.pack("<Q", slot))

    def done(self):
        """Closes everything."""
        if self.memory:
            self.memory.close()
        for fd in self.fds:
            os.close(fd)
        self.sock.close()


class Ring(unittest.TestCase):
    """A server whose memory clients of the same host read."""

    @classmethod
    def setUpClass(cls):
        cls.path = os.environ.get("PASTED_UNIX")
        cls.daemon = None
        if not cls.path:
            folder = tempfile.TemporaryDirectory(prefix="pasted-")
            cls.addClassCleanup(folder.cleanup)
            cls.path = os.path.join(folder.name, "pasted.sock")
            cls.daemon = own_daemon("--unix", cls.path, "--batch-budget", "64M").__enter__()
            cls.addClassCleanup(cls.daemon.__exit__, None, None, None)

    def peer(self):
        """A peer in state FRESH."""
        peer = RingPeer(self.path)
        self.addCleanup(peer.done)
        return peer

    def streaming(self, kinds=1, **fields):
        """A peer that reads in place."""
        return self.peer().greet(kinds=kinds).open(**({"batch": 4} | fields))

    def test_memory_is_sealed_and_read_only(self):
        peer = self.peer().greet()
        self.assertEqual(peer.welcome["capabilities"], RING)
        self.assertEqual(len(peer.fds), 1)
        self.assertEqual(fcntl.fcntl(peer.fds[0], F_GET_SEALS) & SEALS, SEALS)
        with self.assertRaises(OSError):
            mmap.mmap(peer.fds[0], 0, prot=mmap.PROT_READ | mmap.PROT_WRITE)
        with self.assertRaises(OSError):
            os.pwrite(peer.fds[0], b"x", 0)
        for size in (0, len(peer.memory) + 1):
            with self.assertRaises(OSError):
                os.ftruncate(peer.fds[0], size)

    def test_who_does_not_ask_gets_batches_through_the_socket(self):
        peer = self.peer().greet(capabilities=0).open(batch=4)
        self.assertEqual((peer.welcome["capabilities"], peer.fds), (0, []))
        peer.credit(1)
        self.assertEqual(peer.batch(2).first_position, 0)
        peer.give_back(1)
        peer.error("unsupported", fatal=True)

    def test_not_over_tcp(self):
        if not self.daemon:
            self.skipTest("needs a daemon of its own")
        peer = Peer(("127.0.0.1", self.daemon.tcp))
        self.addCleanup(peer.sock.close)
        peer.send(wire.HELLO, 1, hello(capabilities=RING))
        welcome = wire.decode_welcome(peer.expect(wire.WELCOME, 1).payload)
        self.assertEqual(welcome["capabilities"] & RING, 0)

    def test_bits_that_nobody_knows(self):
        welcome = self.peer().greet(capabilities=0xFFFFFF80 | RING).welcome
        self.assertEqual(welcome["capabilities"], RING)

    def test_slots_hold_what_batches_carry(self):
        for kinds in (1, 2, 4):
            sent = self.peer().greet(capabilities=0, kinds=kinds).open(batch=4)
            peer = self.streaming(kinds=kinds)
            peer.at(wire.SEEK, 6, 4000 * kinds)  # where nobody was
            sent.at(wire.SEEK, 6, 4000 * kinds)
            peer.credit(3)
            slots = [peer.any_slot() for _ in range(3)]
            sent.credit(3)
            self.assertEqual([batch for _, _, batch in slots], [sent.batch(6) for _ in slots])
            self.assertLess(0, slots[0][0])
            self.assertLess(slots[0][0], slots[1][0])
            self.assertLess(slots[1][0], slots[2][0])

    def test_pull_and_seek(self):
        peer = self.streaming()
        peer.at(wire.PULL, 7, 400)
        slot, request, batch = peer.any_slot()
        self.assertEqual((request, batch.first_position), (7, 400))
        self.assertGreater(slot, 0)
        peer.at(wire.SEEK, 4, 80)
        peer.credit(1)
        _, request, batch = peer.any_slot()
        self.assertEqual((request, batch.first_position), (4, 80))

    def test_credit_rules_slots_too(self):
        peer = self.streaming()
        peer.credit(2)
        peer.any_slot()
        peer.any_slot()
        peer.quiet()

    def test_return_of_what_is_not_held(self):
        for name, slots in (("unknown", [1 << 40]), ("zero", [0]), ("twice", [None, None])):
            with self.subTest(name):
                peer = self.streaming()
                peer.credit(1)
                mine = peer.any_slot()[0]
                for slot in slots:
                    peer.give_back(mine if slot is None else slot)
                peer.error("bad_argument", fatal=True)

    def test_return_of_what_another_holds(self):
        owner, thief = self.streaming(), self.streaming()
        owner.credit(1)
        slot = owner.any_slot()[0]
        thief.give_back(slot)
        thief.error("bad_argument", fatal=True)
        owner.give_back(slot)
        owner.ping()

    def test_returns_without_end(self):
        """The first is answered; all the others go nowhere."""
        peer = self.streaming()
        frame = encode(RETURN, 0, struct.pack("<Q", 12345))
        begin = time.monotonic()
        try:
            while time.monotonic() - begin < 5:
                peer.sock.sendall(frame * 1000)
        except OSError:
            pass
        self.assertLess(time.monotonic() - begin, 5, "the server still reads")

    def test_malformed(self):
        for payload in (b"", bytes(7), bytes(9)):
            peer = self.streaming()
            peer.send(RETURN, 3, payload)
            peer.error("bad_frame", fatal=True, request=3)
        peer = self.peer()
        peer.send(RETURN, 3, bytes(8))
        peer.error("bad_state unsupported", fatal=True)
        peer = self.streaming()
        peer.send(SLOT, 3, bytes(32))
        peer.error("bad_frame bad_state unsupported", fatal=True)

    def test_a_holder_has_its_share_and_no_more(self):
        """What is held never changes; beyond its share batches come through the socket; others
        get slots all the same."""
        hog = self.streaming(batch=64)
        held = {}
        for step in range(200):
            hog.credit(1)
            slot, _, batch = hog.any_slot()
            self.assertEqual(batch.first_position, 64 * step)
            if slot:
                held[slot] = batch
            if not slot and step > 80:
                break
        self.assertGreater(len(held), 2)
        self.assertLess(len(held), 65)
        other = self.streaming(batch=64)
        slots = 0
        for step in range(60):
            other.credit(1)
            slot = other.any_slot()[0]
            slots += slot > 0
            if slot:
                other.give_back(slot)
        self.assertGreater(slots, 50)
        # `held` was copied out when it came: a second look at the memory.
        again = self.streaming(batch=64)
        for slot, batch in held.items():
            again.at(wire.PULL, 9, batch.first_position)
            there, _, now = again.any_slot()
            self.assertEqual(now.tensors, batch.tensors)
            if there:
                again.give_back(there)
            hog.give_back(slot)
        hog.ping()

    def test_slots_outlive_open_and_seek(self):
        peer = self.streaming()
        peer.credit(1)
        slot = peer.any_slot()[0]
        peer.at(wire.SEEK, 4, 80)
        peer.open(request=6, batch=8)
        peer.give_back(slot)
        peer.ping()

    def test_after_close_only_the_end_of_the_socket_releases(self):
        if not self.daemon:
            self.skipTest("needs the daemon's metrics")
        peer = self.streaming()
        peer.credit(1)
        self.assertGreater(peer.any_slot()[0], 0)
        peer.send(wire.CLOSE, 0, struct.pack("<H", 0) + wire.encode_string(""))
        time.sleep(1.5)  # longer than the linger of others
        self.assertGreaterEqual(self.daemon.metrics()["pasted_tcp_slots"], 1)
        self.doCleanups()
        end = time.monotonic() + 5
        while self.daemon.metrics()["pasted_tcp_slots"] > 0:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def test_pings_are_answered_while_slots_are_held(self):
        peer = self.streaming()
        peer.credit(1)
        peer.any_slot()
        peer.send(PING, 5, struct.pack("<Q", 7))
        self.assertEqual(peer.expect(PONG, 5).payload, struct.pack("<Q", 7))

    def test_checksums_are_in_the_memory(self):
        peer = self.streaming(kinds=2)
        self.assertEqual(peer.welcome["checksum"], CHECKSUMS["crc32"])
        peer.credit(1)
        peer.any_slot()  # decode_batch has checked them


