"""Conformance: section 11, the clocks. The long ones run only where PASTED_SLOW is set."""

import os
import socket
import struct
import time
import unittest

import stdlib_wire as wire
from cases_session import Session

SLOW = unittest.skipUnless(os.environ.get("PASTED_SLOW"), "minutes: only with PASTED_SLOW set")


class Clocks(Session):
    """How long the server waits; deadlines have some seconds of tolerance."""

    def test_from_accept_to_open(self):
        peers = [self.peer(), self.ready()]
        begin = time.monotonic()
        for peer in peers:
            peer.error("timeout", fatal=True)
            self.assertGreater(time.monotonic() - begin, 8.0)
        self.assertLess(time.monotonic() - begin, 16.0)

    def test_linger(self):
        """After its last frame S waits 1 s for C's end, not longer."""
        peer = self.ready()
        peer.send(wire.WELCOME, 1)
        begin = time.monotonic()
        peer.error("bad_frame bad_state unsupported", fatal=True)  # and the end
        time.sleep(max(0.0, begin + 3.0 - time.monotonic()))
        with self.assertRaises(OSError):  # nobody reads any more
            for _ in range(3):
                peer.sock.sendall(b"x")
                time.sleep(0.1)

    @SLOW
    def test_idle(self):
        """PING at half of the time; at its end only who answered nothing is sent away."""
        silent, lively = self.streaming(), self.streaming()
        idle_s = silent.welcome["idle_timeout_ms"] / 1000
        begin = time.monotonic()
        for peer in (silent, lively):
            peer.sock.settimeout(idle_s)
            self.assertEqual(wire.read_frame(peer.sock).type, wire.PING)
            self.assertAlmostEqual(time.monotonic() - begin, idle_s / 2, delta=5.0)
        lively.send(wire.PONG, 0, struct.pack("<Q", 0))
        silent.error("timeout", fatal=True)
        self.assertAlmostEqual(time.monotonic() - begin, idle_s, delta=8.0)
        time.sleep(5.0)
        lively.ping()

    @SLOW
    def test_write_stall(self):
        """Who takes no byte for 60 s loses the connection, perhaps within a frame."""
        peer = self.peer()
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        peer.hello().open(batch=512)
        peer.credit(64)
        time.sleep(70.0)
        frames = []
        with self.assertRaises((EOFError, ConnectionError)):
            while len(frames) < 65:
                frames.append(wire.read_frame(peer.sock).type)
        self.assertLess(frames.count(wire.BATCH), 64)
