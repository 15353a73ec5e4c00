"""Conformance: section 19, candidates."""

import struct

import stdlib_wire as wire
from cases_session import Session
from peer import hello
from stdlib_wire import BATCH

HARD, GROUPS, REPLAY = 32, 1, 2


def values(tensor):
    """The numbers of an i64 or i32 tensor."""
    return struct.unpack(f"<{len(tensor.data) // (8 if tensor.dtype == 'i64' else 4)}"
                         f"{'q' if tensor.dtype == 'i64' else 'i'}", tensor.data)


def item(tensor, i):
    """The bytes of item i."""
    n_bytes = len(tensor.data) // tensor.shape[0]
    return bytes(tensor.data[i * n_bytes:(i + 1) * n_bytes])


class Hard(Session):
    """Peers that greet with the capability."""

    def greeted(self, capabilities=HARD, kinds=3):
        """A peer in state READY; skips where the server lacks the capability."""
        peer = self.peer()
        peer.send(wire.HELLO, 1, hello(kinds, capabilities=capabilities))
        peer.welcome = wire.decode_welcome(peer.expect(wire.WELCOME, 1).payload)
        if peer.welcome["capabilities"] & capabilities != capabilities:
            self.skipTest("a server without candidates")
        return peer


class Candidates(Hard):
    """OPEN and JOIN with candidates."""

    def test_needs_the_capability(self):
        peer = self.peer().hello()
        peer.send(wire.OPEN, 2, wire.encode_open("default", batch=4, candidates=3))
        peer.error("bad_frame", fatal=True, request=2)

    def test_malformed(self):
        good = wire.encode_open("default", batch=4, candidates=3)
        for payload in (good[:-4], good[:-1], good + b"\0", good[:-4] + bytes(4),
                        good[:23] + b"\0" + good[24:], good[:23] + b"\3" + good[24:],
                        good[:23] + b"\x82" + good[24:]):
            peer = self.greeted()
            peer.send(wire.OPEN, 2, payload)
            peer.error("bad_frame", fatal=True, request=2)

    def test_beyond_the_limit(self):
        peer = self.greeted()
        for candidates in (33, (1 << 32) - 1):
            peer.send(wire.OPEN, 2, wire.encode_open("default", batch=4, candidates=candidates))
            self.assertIn("candidates", peer.error("bad_argument", fatal=False, request=2).text)
        most = peer.welcome["max_batch_samples"]
        peer.send(wire.OPEN, 3, wire.encode_open("default", batch=most, candidates=2))
        peer.error("too_large", fatal=False, request=3)
        peer.open(4, batch=4, candidates=32)
        peer.credit(1)
        self.assertEqual(peer.batch(4).n_samples, 128)

    def test_items_lie_side_by_side(self):
        peer, plain = self.greeted(), self.greeted()
        for kinds in (1, 2, 4):
            peer, plain = self.greeted(kinds=kinds), self.greeted(kinds=kinds)
            plain.open(batch=12, rank=1, world=2, position=40)
            peer.open(batch=12, rank=1, world=2, position=40, candidates=5)
            self.assertEqual(peer.opened["n_samples"], 6)
            peer.credit(2)
            plain.credit(2)
            for step in range(2):
                payload = peer.expect(BATCH, 2).payload
                self.assertEqual(len(payload), peer.opened["batch_bytes"])
                many = wire.decode_batch(payload, 2, kind=peer.welcome["checksum"])
                one = plain.batch(2)
                self.assertEqual((many.n_samples, many.first_position),
                                 (30, 46 + 12 * step))
                self.assertEqual(list(many.tensors)[-2:], ["candidate", "image"])
                self.assertEqual(values(many.tensors["candidate"]), tuple(range(5)) * 6)
                self.assertEqual(values(many.tensors["position"]),
                                 tuple(many.first_position + i // 5 for i in range(30)))
                for name, tensor in one.tensors.items():
                    self.assertEqual([item(many.tensors[name], 5 * i) for i in range(6)],
                                     [item(tensor, i) for i in range(6)], name)
                self.assertEqual(len({item(many.tensors["image"], i) for i in range(30)}), 30)

    def test_one_is_as_without(self):
        peer, plain = self.greeted(), self.greeted()
        peer.open(batch=4, candidates=1)
        plain.open(batch=4)
        self.assertEqual(peer.opened, plain.opened)
        peer.credit(1)
        plain.credit(1)
        self.assertEqual(peer.expect(BATCH, 2).payload, plain.expect(BATCH, 2).payload)

    def test_pull_and_seek(self):
        peer = self.greeted().open(batch=4, candidates=3)
        peer.credit(1)
        first = peer.batch(2)
        peer.at(wire.PULL, 9, 0)
        self.assertEqual(peer.batch(9).tensors, first.tensors)
        peer.at(wire.SEEK, 4, 0)
        peer.credit(1)
        self.assertEqual(peer.batch(4).tensors, first.tensors)

    def test_of_a_replay(self):
        peer = self.greeted(HARD | REPLAY).open(batch=4, candidates=3, replay=2)
        peer.credit(4)
        payloads = [bytes(peer.expect(BATCH, 2).payload) for _ in range(4)]
        self.assertEqual(payloads[:2], payloads[2:])

    def test_of_a_group(self):
        """Each member's own: one takes three, the other none."""
        members = {3: self.greeted(HARD | GROUPS), 0: self.greeted(HARD | GROUPS)}
        for candidates, peer in members.items():
            peer.send(wire.JOIN, 2, wire.encode_join("hard", steps=4, batch=8,
                                                     member=f"m{candidates}",
                                                     candidates=candidates))
            peer.opened = wire.decode_opened(peer.expect(wire.OPENED, 2).payload)
        for candidates, peer in members.items():
            peer.credit(2)
            for _ in range(2):
                lease = wire.decode_lease(peer.expect(wire.LEASE, 2).payload)
                batch = peer.batch(2)
                self.assertEqual((batch.n_samples, batch.first_position),
                                 (8 * max(candidates, 1), lease["position"]))
