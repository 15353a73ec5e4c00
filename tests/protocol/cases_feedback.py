"""Feedback tables: section 20."""

import hashlib
import json
import random
import struct
import unittest

import stdlib_wire as wire
from peer import Peer, hello

ASK, HARD = 8, 32


class Feedback(unittest.TestCase):
    """FEEDBACK and what names its tables."""

    def greeted(self, capabilities=HARD):
        peer = Peer()
        self.addCleanup(peer.sock.close)
        peer.send(wire.HELLO, 1, hello(capabilities=capabilities))
        peer.welcome = wire.decode_welcome(peer.expect(wire.WELCOME, 1).payload)
        if capabilities and not peer.welcome["capabilities"] & HARD:
            self.skipTest("the server has no feedback")
        return peer

    def classes(self, peer):
        peer.open(7)
        return len(peer.opened["classes"])

    @staticmethod
    def payload(weights, stream="default", n=None):
        n = len(weights) if n is None else n
        flat = [w for row in weights for w in row]
        return (wire.encode_string(stream) + struct.pack("<I", n) +
                struct.pack(f"<{len(flat)}H", *flat))

    @staticmethod
    def digest(weights):
        flat = [w for row in weights for w in row]
        return hashlib.sha256(struct.pack(f"<I{len(flat)}H", len(weights), *flat)).hexdigest()

    def opening(self, digest):
        name = wire.encode_string("default")
        fixed = struct.pack("<QIII4B", 0, 0, 0, 1, 0, 0, 0, 4) + bytes(32)
        return fixed + name + bytes.fromhex(digest)

    def test_a_table_is_answered_with_its_digest(self):
        peer = self.greeted()
        n = self.classes(peer)
        weights = [[(i + k + 1) % 65536 for k in range(n)] for i in range(n)]
        for request in (3, 4):
            peer.send(wire.FEEDBACK, request, self.payload(weights))
            answer = json.loads(peer.expect(wire.REPLY, request).payload)
            self.assertEqual(answer["feedback"], self.digest(weights))
        peer.credit(1)  # the stream is still open
        peer.batch(7)

    def test_tables_are_told(self):
        peer = self.greeted(HARD | ASK)
        if not peer.welcome["capabilities"] & ASK:
            self.skipTest("a server without ASK")
        n = self.classes(peer)
        first = random.randrange(1, 60000)  # no table of an earlier run
        weights = [[first + i + k for k in range(n)] for i in range(n)]
        digest = self.digest(weights)
        peer.send(wire.ASK, 3, wire.encode_string(f"feedback {digest}"))
        peer.error("not_found", fatal=False, request=3)
        peer.send(wire.FEEDBACK, 4, self.payload(weights))
        peer.expect(wire.REPLY, 4)
        peer.send(wire.ASK, 5, wire.encode_string(f"feedback {digest}"))
        table = json.loads(peer.expect(wire.REPLY, 5).payload)
        self.assertEqual((table["feedback"], table["weights"]), (digest, weights))
        peer.send(wire.ASK, 6, wire.encode_string("feedback"))
        listed = json.loads(peer.expect(wire.REPLY, 6).payload)["feedback"]
        self.assertEqual([t["n_classes"] for t in listed if t["feedback"] == digest], [n])
        for what in ("feedback ", "feedback x", "feedback " + digest[:-1], "feedbacks"):
            peer.send(wire.ASK, 7, wire.encode_string(what))
            peer.error("not_found", fatal=False, request=7)

    def test_bytes_may_come_one_after_the_other(self):
        peer = self.greeted()
        n = self.classes(peer)
        frame = wire.encode_frame(wire.FEEDBACK, 9, self.payload([[1] * n] * n))
        ping = wire.encode_frame(wire.PING, 5, bytes(8))
        self.assertGreater(len(frame), 4096)
        for data in (frame[:5], frame[5:40], frame[40:-1], frame[-1:] + ping):
            peer.sock.sendall(data)
        peer.expect(wire.REPLY, 9)
        peer.expect(wire.PONG, 5)

    def test_bad_tables_are_refused_and_the_session_lives_on(self):
        peer = self.greeted()
        n = self.classes(peer)
        peer.send(wire.FEEDBACK, 3, self.payload([[0] * n] + [[1] * n] * (n - 1)))
        error = peer.error("bad_argument", fatal=False, request=3)
        self.assertIn("zeros", error.text)
        peer.send(wire.FEEDBACK, 4, self.payload([[1]]))
        peer.error("bad_argument", fatal=False, request=4)
        peer.send(wire.FEEDBACK, 5, self.payload([[1]], stream="nowhere"))
        peer.error("not_found", fatal=False, request=5)
        peer.credit(1)
        peer.batch(7)

    def test_malformed_tables_end_the_session(self):
        for payload in (b"", self.payload([[1]], n=2), self.payload([[1, 1]] * 2) + b"\0",
                        self.payload([], n=0), self.payload([], n=1025)):
            peer = self.greeted()
            peer.send(wire.FEEDBACK, 3, payload)
            peer.error("bad_frame", fatal=True, request=3)

    def test_longer_frames_than_the_longest_table_are_refused(self):
        peer = self.greeted()
        head = wire.encode_frame(wire.FEEDBACK, 3, bytes(2097446 - 32 + 1))[:32]
        peer.sock.sendall(head)
        peer.error("too_large", fatal=True, request=0)

    def test_it_must_be_agreed_on(self):
        peer = self.greeted(0)
        peer.send(wire.FEEDBACK, 3, self.payload([[1]]))
        peer.error("unsupported", fatal=True)
        peer = self.greeted(0)
        peer.sock.sendall(wire.encode_frame(wire.FEEDBACK, 3, bytes(9999))[:64])
        peer.error("unsupported", fatal=True)
        peer = self.greeted(0)
        peer.send(wire.OPEN, 3, self.opening("00" * 32))
        peer.error("bad_frame", fatal=True)

    def test_a_stream_without_distractors_or_the_table_is_refused(self):
        peer = self.greeted()
        peer.send(wire.OPEN, 3, self.opening("ab" * 32))
        peer.error("bad_argument unknown_feedback", fatal=False, request=3)
        peer.open(4)
