"""Conformance: section 19, candidates, and section 21, refined chains."""

import json
import os
import pathlib
import struct
import tempfile
import time

import stdlib_wire as wire
from cases_session import Session
from cases_time import SLOW
from peer import Peer, encode, hello, own_daemon
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


SLOTS = 8
CHAIN = {"size": [24, 20], "chain": {"slots": SLOTS, "reset": 0.3, "max_length": 5,
                                     "handed_on": "image"}}
PLAIN = {"size": [24, 20]}


class Refine(Hard):
    """REFINE, against a daemon with a chain that hands images on."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="pasted-")
        cls.addClassCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "daemon.json"
        path.write_text(json.dumps({
            "pools": {"demo": {"demo": True}},
            "streams": {"default": {"pool": "demo", "recipe": CHAIN},
                        "plain": {"pool": "demo", "recipe": PLAIN}}}))
        cls.daemon = own_daemon("--config", str(path), demo=False)
        cls.daemon.start()
        cls.addClassCleanup(cls.daemon.close)

    def peer(self):
        peer = Peer(("127.0.0.1", self.daemon.tcp))
        self.addCleanup(peer.sock.close)
        return peer

    def refining(self, **fields):
        """A peer in state STREAMING."""
        return self.greeted().open(**({"batch": 4} | fields))

    def refine(self, peer, request, position, contexts=None, **fields):
        peer.send(wire.REFINE, request,
                  wire.encode_refine(peer.opened, position, contexts, **fields))

    def pulled(self, peer, position):
        peer.at(wire.PULL, 99, position)
        return peer.batch(99)

    def test_on_its_own_images_a_chain_is_the_plain_one(self):
        """Resets, equal labels and the greatest length hold, whatever is sent."""
        for fields in ({"batch": 4}, {"batch": 12, "rank": 1, "world": 3}, {"batch": 3}):
            peer = self.refining(**fields)
            for position in (0, 4, 8, 100, 1001, 5000):
                before = self.pulled(peer, position)
                after = self.pulled(peer, position + SLOTS)
                self.refine(peer, 7, position + SLOTS, before.tensors["image"].data.tobytes())
                self.assertEqual(peer.batch(7).tensors, after.tensors)

    def test_what_is_sent_shows(self):
        peer = self.refining(batch=64)
        n, h, w = 64, peer.opened["height"], peer.opened["width"]
        batches = []
        for level in (0, 255):
            self.refine(peer, 7, 64, bytes([level]) * (n * h * w * 3))
            batches.append(peer.batch(7))
        self.refine(peer, 8, 64)
        reset = peer.batch(8)
        images = [batch.tensors["image"] for batch in batches]
        on_them = [i for i in range(n) if item(images[0], i) != item(images[1], i)]
        self.assertTrue(n / 3 < len(on_them) < n, len(on_them))
        for i in set(range(n)) - set(on_them):  # chains that begin there anyway
            self.assertEqual(item(images[0], i), item(reset.tensors["image"], i))
        for i in on_them:
            self.assertNotEqual(item(images[0], i), item(reset.tensors["image"], i))
        given = [i % 2 for i in range(n)]
        self.refine(peer, 9, 64, bytes(n * h * w * 3), given=given)
        some = peer.batch(9).tensors["image"]
        for i in range(n):
            self.assertEqual(item(some, i),
                             item((images[0] if given[i] else reset.tensors["image"]), i))
        for name in ("label", "object", "position"):
            self.assertEqual(reset.tensors[name], batches[0].tensors[name])
        # Nothing of it is kept for others.
        self.assertEqual(self.pulled(self.refining(batch=64), 64).tensors,
                         self.pulled(peer, 64).tensors)

    def test_candidates_share_the_context(self):
        one, many = self.refining(), self.refining(candidates=3)
        contexts = os.urandom(4 * 24 * 20 * 3)
        self.refine(one, 7, 40, contexts)
        self.refine(many, 7, 40, contexts)
        plain, batch = one.batch(7), many.batch(7)
        for i in range(4):
            self.assertEqual(item(batch.tensors["image"], 3 * i),
                             item(plain.tensors["image"], i))

    def test_two_lanes_under_way(self):
        peer = self.refining()
        contexts = bytes(4 * 24 * 20 * 3)
        for request in (11, 13, 15):
            self.refine(peer, request, 8 + 4 * request, contexts)
        peer.at(wire.PULL, 17, 0)
        got = {batch.request: batch.first_position
               for batch in (peer.any_batch() for _ in range(4))}
        self.assertEqual(got, {11: 52, 13: 60, 15: 68, 17: 0})

    def test_wrong_fields_are_named_and_the_session_lives(self):
        peer = self.refining(batch=12, rank=1, world=3)
        good = bytes(4 * 24 * 20 * 3)
        wrong = {"dtype": 4, "layout": 2, "n_samples": 12, "height": 20, "width": 24,
                 "first_position": 0}
        for name, value in wrong.items():
            self.refine(peer, 7, 48, good, **{name: value})
            self.assertIn(name, peer.error("bad_argument", fatal=False, request=7).text)
        for name, payload in (
                ("payload_bytes", wire.encode_refine(peer.opened, 48, good[:-1])),
                ("payload_bytes", wire.encode_refine(peer.opened, 48, good + b"\0")),
                ("payload_bytes", wire.encode_refine(peer.opened, 48) + b"\0"),
                ("payload_bytes", wire.encode_refine(peer.opened, 48, good * 20)),
                ("given[2]", wire.encode_refine(peer.opened, 48, good, given=[1, 0, 2, 1]))):
            peer.send(wire.REFINE, 7, payload)
            self.assertIn(name, peer.error("bad_argument", fatal=False, request=7).text)
        self.refine(peer, 7, (1 << 63) - 4, good)
        peer.error("bad_argument", fatal=False, request=7)
        for request in (0, 2):
            self.refine(peer, request, 48, good)
            peer.error("bad_argument", fatal=False, request=request)
        self.refine(peer, 7, 48, good)
        self.assertEqual(peer.batch(7).first_position, 52)

    def test_a_stream_without_a_chain(self):
        peer = self.greeted().open(stream="plain", batch=4)
        for contexts in (None, bytes(4 * 24 * 20 * 3)):
            self.refine(peer, 7, 48, contexts)
            self.assertIn("chain", peer.error("bad_argument", fatal=False, request=7).text)
        peer.ping()

    def test_malformed_and_out_of_place(self):
        for payload in (b"", bytes(31)):
            peer = self.refining()
            peer.send(wire.REFINE, 7, payload)
            peer.error("bad_frame", fatal=True, request=7)
        peer = self.refining()
        self.refine(peer, 7, 0, bytes(4 * 24 * 20 * 3), zero=1)
        peer.error("bad_frame", fatal=True, request=7)
        peer = self.refining()
        payload = wire.encode_refine(peer.opened, 0, bytes(4 * 24 * 20 * 3))
        peer.sock.sendall(encode(wire.REFINE, 7, payload, payload_crc=5))
        peer.error("corrupt", fatal=True)
        peer = self.greeted()  # READY: none is open
        peer.send(wire.REFINE, 7, payload)
        peer.error("bad_state", fatal=False, request=7)
        peer.open()
        for peer in (self.peer(), self.peer().hello()):
            peer.send(wire.REFINE, 7, payload)
            peer.error("unsupported bad_state", fatal=True)

    @SLOW
    def test_one_that_never_ends(self):
        peers = [self.refining() for _ in range(4)]
        payload = wire.encode_refine(peers[0].opened, 0, bytes(4 * 24 * 20 * 3))
        begin = time.monotonic()
        for peer, sent in zip(peers, (0, 20, 33, 3000)):
            peer.sock.sendall(encode(wire.REFINE, 7, payload)[:32 + sent])
        for peer in peers:
            peer.sock.settimeout(90)
            peer.error("timeout", fatal=True)
            self.assertTrue(55 < time.monotonic() - begin < 80)

    def test_what_was_not_whole_is_given_back(self):
        frame = encode(wire.REFINE, 7, wire.encode_refine(
            self.refining(batch=256).opened, 0, bytes(256 * 24 * 20 * 3)))
        for sent in (40, 5000, 200000, len(frame)):
            peer = self.refining(batch=256)
            peer.sock.sendall(frame[:sent])
            peer.sock.close()
        end = time.monotonic() + 5
        while self.daemon.metrics()["pasted_contexts_bytes"] > 0:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
