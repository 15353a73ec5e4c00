"""Conformance: groups, section 16: JOIN, LEASE, ACK, ACKED; replay and pace, OPEN and CREDIT in
section 7."""

import json
import os
import time

import stdlib_wire as wire
from cases_session import Session
from peer import hello
from stdlib_wire import ACK, ACKED, BATCH, JOIN, LEASE, encode_string

GROUPS, REPLAY, PACE, KEEP = 1, 2, 4, 64  # capabilities
_names = iter(range(1 << 30))


def fresh():
    """A group's name that no test has used."""
    return f"t{os.getpid()}-{next(_names)}"


class Group(Session):
    """Members of one group, each a connection."""

    def greeted(self, capabilities=GROUPS):
        """A peer whose server has groups."""
        peer = self.peer()
        peer.send(wire.HELLO, 1, hello(capabilities=capabilities))
        peer.welcome = wire.decode_welcome(peer.expect(wire.WELCOME, 1).payload)
        if not peer.welcome["capabilities"] & GROUPS:
            self.skipTest("a server without groups")
        return peer

    def join(self, group, request=2, capabilities=GROUPS, **fields):
        """A peer in the group: steps of 4 samples unless `fields` say otherwise."""
        peer = self.greeted(capabilities)
        self.rejoin(peer, group, request, **fields)
        peer.opened = wire.decode_opened(peer.expect(wire.OPENED, request).payload)
        return peer

    def rejoin(self, peer, group, request, **fields):
        peer.send(JOIN, request, wire.encode_join(group, **({"batch": 4} | fields)))

    def leased(self, peer, request=2):
        """The next LEASE with the BATCH behind it."""
        lease = wire.decode_lease(peer.expect(LEASE, request).payload)
        frame = peer.expect(BATCH, request)
        batch = wire.decode_batch(frame.payload, request, kind=1)
        self.assertEqual(batch.first_position, lease["position"])
        return lease, bytes(frame.payload)

    def ack(self, peer, lease, request=2):
        """The word of the answer to an ACK: "" when it was taken."""
        peer.send(ACK, 90, lease["lease"].to_bytes(8, "little"))
        number, word = wire.decode_acked(peer.expect(ACKED, request).payload)
        self.assertEqual(number, lease["lease"])
        return word

    def test_needs_the_capability(self):
        for kind, payload in ((JOIN, wire.encode_join(fresh())), (ACK, b"\1" * 8)):
            peer = self.peer().hello()
            peer.send(kind, 5, payload)
            peer.error("unsupported", fatal=True)

    def test_malformed(self):
        good = wire.encode_join(fresh())
        bad = {"short": good[:-1], "long": good + b"\0", "reserved": good[:35] + b"\1" + good[36:],
               "fingerprint": good[:36] + b"\1" + good[37:], "flag": good[:34] + b"\2" + good[35:],
               "no group": wire.encode_join("")}
        for name, payload in bad.items():
            with self.subTest(name):
                peer = self.greeted()
                peer.send(JOIN, 5, payload)
                peer.error("bad_frame", fatal=True, request=5)
        for payload in (b"", b"\1" * 7, b"\1" * 9, bytes(8)):
            peer = self.join(fresh())
            peer.send(ACK, 5, payload)
            peer.error("bad_frame", fatal=True, request=5)

    def test_refusals(self):
        peer, top = self.greeted(), 1 << 63
        for words, fields in (
                ("not_found", {"stream": "nowhere"}), ("bad_argument", {"world": 3}),
                ("bad_argument", {"world": 0}), ("bad_argument", {"lease_ms": 1}),
                ("bad_argument", {"steps": 2, "epochs": 1}),
                ("bad_argument", {"position": top - 3}),
                ("bad_argument", {"position": top - 8, "steps": 3}),
                ("bad_argument", {"epochs": (1 << 32) - 1, "position": top - 8}),
                ("bad_argument", {"member": "with blank"}), ("bad_argument", {"dtype": 9}),
                ("fingerprint_mismatch", {"fingerprint": b"\7" * 32})):
            with self.subTest(str(fields)):
                self.rejoin(peer, fresh(), 5, **fields)
                peer.error(words, fatal=False, request=5)
        self.rejoin(peer, "no/name", 5)
        peer.error("bad_argument", fatal=False, request=5)
        peer.send(ACK, 6, b"\1" * 8)
        peer.error("bad_state", fatal=False, request=6)

    def test_one_sequence_for_two(self):
        group = fresh()
        peers = [self.join(group, steps=6, member=name) for name in "ab"]
        plain = self.streaming(batch=4)
        plain.credit(6)
        whole = {4 * i: bytes(plain.expect(BATCH, 2).payload) for i in range(6)}
        seen = []
        for turn in range(6):
            peer = peers[turn % 2]
            peer.credit(1)
            lease, payload = self.leased(peer)
            self.assertEqual((lease["step"], lease["delivery"]), (turn, 1))
            self.assertEqual(lease["position"], 4 * turn)
            self.assertEqual(payload, whole[4 * turn])
            self.assertEqual(self.ack(peer, lease), "")
            seen.append(lease["lease"])
        self.assertEqual(len(set(seen)), 6)
        for peer in peers:
            peer.credit(1)
            peer.error("ended", fatal=False, request=2)
            peer.quiet()
        late = self.join(group, steps=6)
        late.credit(1)
        late.error("ended", fatal=False, request=2)

    def test_epochs_and_slices(self):
        peer = self.join(fresh(), epochs=1, batch=8, world=2, position=40)
        opened = peer.opened
        self.assertEqual([opened[n] for n in ("global_batch", "world", "rank", "n_samples",
                                              "position")], [8, 2, 0, 4, 40])
        n_steps = -(-opened["edges_per_epoch"] // 4)
        for step in range(n_steps):
            peer.credit(1)
            lease, _ = self.leased(peer)
            self.assertEqual((lease["step"], lease["position"]), (step, 40 + 4 * step))
            self.assertEqual(self.ack(peer, lease), "")
        peer.credit(1)
        peer.error("ended", fatal=False, request=2)

    def test_acknowledged_once(self):
        group = fresh()
        a, b = self.join(group), self.join(group)
        a.credit(2)
        first, second = self.leased(a)[0], self.leased(a)[0]
        self.assertEqual(self.ack(b, first), "lease_lost")
        self.assertEqual(self.ack(a, second), "")
        self.assertEqual(self.ack(a, second), "lease_lost")
        self.assertEqual(self.ack(a, {"lease": 1}), "lease_lost")
        self.assertEqual(self.ack(a, first), "")

    def test_leaver_gives_back(self):
        group = fresh()
        a, b = self.join(group, steps=3), self.join(group, steps=3)
        a.credit(2)
        lost = [self.leased(a) for _ in range(2)]
        b.credit(1)
        self.assertEqual(self.leased(b)[0]["step"], 2)
        b.credit(1)
        b.quiet()
        a.sock.close()
        again = self.leased(b)
        self.assertEqual((again[0]["step"], again[0]["delivery"]), (0, 2))
        self.assertEqual(again[1], lost[0][1])
        self.assertNotEqual(again[0]["lease"], lost[0][0]["lease"])
        b.credit(1)
        self.assertEqual(self.leased(b)[0]["step"], 1)

    def test_open_and_join_leave(self):
        group = fresh()
        a, b = self.join(group), self.join(group)
        a.credit(1)
        self.leased(a)
        a.open(4, batch=4)
        b.credit(1)
        lease = self.leased(b)[0]
        self.assertEqual((lease["step"], lease["delivery"]), (0, 2))
        a.credit(1)
        self.assertEqual(a.batch(4).first_position, 0)

    def test_terms_are_the_first_members(self):
        group = fresh()
        terms = {"steps": 9, "world": 2, "position": 8, "lease_ms": 5000}
        peer = self.join(group, **terms)
        for field, value in (("batch", 8), ("world", 4), ("position", 0), ("steps", 10),
                             ("lease_ms", 6000)):
            other = self.greeted()
            self.rejoin(other, group, 5, **(terms | {field: value}))
            error = other.error("group_mismatch", fatal=False, request=5)
            self.assertIn("global_batch" if field == "batch" else field, error.text)
        self.rejoin(self.greeted(), group, 5, **(terms | {"lease_ms": 0}))
        peer.quiet()

    def test_no_progress_loses_the_lease(self):
        group = fresh()
        slow = self.join(group, lease_ms=300)
        slow.credit(2)
        held = [self.leased(slow)[0] for _ in range(2)]
        other = self.join(group, lease_ms=300)
        slow.credit(1)
        start = time.monotonic()
        third = self.leased(slow)[0]
        lost = set()
        for _ in range(3):
            number, word = wire.decode_acked(slow.expect(ACKED, 2).payload)
            self.assertEqual(word, "lease_lost")
            lost.add(number)
        self.assertGreater(time.monotonic() - start, 0.25)
        self.assertEqual(lost, {lease["lease"] for lease in (*held, third)})
        other.credit(1)
        lease = self.leased(other)[0]
        self.assertEqual((lease["step"], lease["delivery"]), (0, 2))
        self.assertEqual(self.ack(other, lease), "")
        self.assertEqual(self.ack(slow, held[0]), "lease_lost")
        slow.credit(1)
        self.assertEqual(self.leased(slow)[0]["step"], 1)

    def test_a_name_that_joins_again_takes_over(self):
        group = fresh()
        old = self.join(group, member="a")
        old.credit(1)
        self.leased(old)
        new = self.join(group, member="a")
        old.error("bad_state", fatal=True)
        new.credit(1)
        lease = self.leased(new)[0]
        self.assertEqual((lease["step"], lease["delivery"]), (0, 2))

    def keeper(self, group, **fields):
        """A member whose leases outlive its connection."""
        peer = self.join(group, capabilities=GROUPS | KEEP, steps=4, **fields)
        if not peer.welcome["capabilities"] & KEEP:
            self.skipTest("a server that keeps no leases")
        return peer

    def test_a_broken_connection_keeps_its_leases(self):
        group = fresh()
        a = self.keeper(group, member="a", lease_ms=10000)
        b = self.join(group, member="b", steps=4)
        a.credit(3)
        held = [self.leased(a)[0] for _ in range(3)]
        a.sock.close()
        b.credit(2)
        self.assertEqual(self.leased(b)[0]["step"], 3)
        b.quiet()  # the other three are a's
        a = self.keeper(group, member="a", kept=[held[0]["lease"], held[2]["lease"], 5])
        self.assertEqual(wire.decode_acked(a.expect(ACKED, 2).payload), (5, "lease_lost"))
        again = self.leased(b)[0]  # what a did not name is given back
        self.assertEqual((again["step"], again["delivery"]), (1, 2))
        self.assertEqual(self.ack(a, held[1]), "lease_lost")
        self.assertEqual(self.ack(a, held[0]), "")
        a.sock.close()
        other = self.keeper(group, member="c", kept=[held[2]["lease"]])  # another's
        self.assertEqual(wire.decode_acked(other.expect(ACKED, 2).payload)[1], "lease_lost")
        a = self.keeper(group, member="a", kept=[held[2]["lease"]])
        self.assertEqual(self.ack(a, held[2]), "")

    def test_a_taken_place_keeps_its_leases(self):
        group = fresh()
        old = self.keeper(group, member="a")
        old.credit(1)
        lease = self.leased(old)[0]
        new = self.keeper(group, member="a", kept=[lease["lease"]])
        old.error("bad_state", fatal=True)
        self.assertEqual(self.ack(new, lease), "")

    def test_kept_leases_are_given_back(self):
        """At once by CLOSE, by their own time else; a name that S made up cannot come back."""
        for member, say_close, waits in (("a", True, False), ("", False, False), ("a", False, True)):
            with self.subTest(member=member, say_close=say_close):
                group = fresh()
                a, b = self.keeper(group, member=member, lease_ms=1500), self.join(group, steps=4)
                a.credit(1)
                self.leased(a)
                if say_close:
                    a.send(wire.CLOSE, 0, bytes(4))
                begin = time.monotonic()
                a.sock.close()
                for step in (1, 2, 3) if waits else ():
                    b.credit(1)
                    lease = self.leased(b)[0]
                    self.assertEqual(lease["step"], step)
                    self.assertEqual(self.ack(b, lease), "")
                b.credit(1)
                lease = self.leased(b)[0]
                self.assertEqual((lease["step"], lease["delivery"]), (0, 2))
                self.assertEqual(self.ack(b, lease), "")
                self.assertEqual(time.monotonic() - begin > 1, waits)

    def test_malformed_lists_of_leases(self):
        good = wire.encode_join(fresh(), member="a", kept=[7, 8])
        for name, payload in {
                "short": good[:-1], "long": good + b"\0", "none": good[:-20] + bytes(4),
                "a lease 0": good[:-8] + bytes(8),
                "too many": good[:-20] + (257).to_bytes(4, "little") + b"\1" * 8 * 257}.items():
            with self.subTest(name):
                peer = self.greeted(GROUPS | KEEP)
                peer.send(JOIN, 5, payload)
                peer.error("bad_frame", fatal=True)
        peer = self.greeted()  # without the capability
        peer.send(JOIN, 5, good)
        peer.error("bad_frame", fatal=True)

    def test_seek_and_pull(self):
        peer = self.join(fresh())
        peer.at(wire.SEEK, 60, 0)
        peer.error("bad_argument", fatal=False, request=60)
        peer.at(wire.PULL, 61, 80)
        self.assertEqual(peer.batch(61).first_position, 80)
        peer.credit(1)
        self.assertEqual(self.leased(peer)[0]["step"], 0)

    def test_report(self):
        group = fresh()
        peer = self.greeted()
        peer.send(wire.HELLO, 1, b"")
        peer.error("bad_state", fatal=True)
        peer = self.peer()
        peer.send(wire.HELLO, 1, hello(capabilities=GROUPS | 8))
        peer.welcome = wire.decode_welcome(peer.expect(wire.WELCOME, 1).payload)
        if peer.welcome["capabilities"] != GROUPS | 8:
            self.skipTest("a server without ASK")
        self.rejoin(peer, group, 2, steps=2, member="a")
        peer.expect(wire.OPENED, 2)
        peer.credit(2)
        first, _ = self.leased(peer)[0], self.leased(peer)
        self.assertEqual(self.ack(peer, first), "")
        peer.send(wire.ASK, 7, encode_string(f"group default {group}"))
        report = json.loads(peer.expect(wire.REPLY, 7).payload)
        self.assertEqual([report[key] for key in ("steps", "begun", "acknowledged", "ended")],
                         [2, 2, 1, False])
        self.assertEqual(report["acknowledged_ranges"], [[0, 1]])
        self.assertEqual(report["open"], [{"step": 1, "member": "a", "deliveries": 1}])
        self.assertEqual(report["rows"], [{"first": 0, "steps": 1, "member": "a",
                                           "deliveries": 1}])
        peer.send(wire.ASK, 8, encode_string("groups default"))
        self.assertIn(group, json.loads(peer.expect(wire.REPLY, 8).payload)["groups"])
        peer.send(wire.ASK, 9, encode_string("group default nobody"))
        peer.error("not_found", fatal=False, request=9)


class Replay(Session):
    """OPEN with a replay."""

    def greeted(self):
        peer = self.peer()
        peer.send(wire.HELLO, 1, hello(capabilities=REPLAY))
        peer.welcome = wire.decode_welcome(peer.expect(wire.WELCOME, 1).payload)
        if not peer.welcome["capabilities"] & REPLAY:
            self.skipTest("a server without replay")
        return peer

    @staticmethod
    def payload(replay, **fields):
        plain = wire.encode_open("default", **fields)
        return plain[:23] + b"\1" + plain[24:] + replay.to_bytes(4, "little")

    def test_needs_the_capability(self):
        peer = self.peer().hello()
        peer.send(wire.OPEN, 2, self.payload(3, batch=4))
        peer.error("bad_frame", fatal=True, request=2)

    def test_malformed(self):
        good = self.payload(3, batch=4)
        for payload in (self.payload(0, batch=4), good[:-4], good[:-1],
                        good[:23] + b"\2" + good[24:], good[:23] + b"\0" + good[24:]):
            peer = self.greeted()
            peer.send(wire.OPEN, 2, payload)
            peer.error("bad_frame", fatal=True, request=2)

    def test_goes_round(self):
        peer = self.greeted()
        peer.send(wire.OPEN, 2, self.payload(3, batch=8, rank=1, world=2, position=40))
        peer.opened = wire.decode_opened(peer.expect(wire.OPENED, 2).payload)
        peer.credit(8)
        payloads = [bytes(peer.expect(BATCH, 2).payload) for _ in range(8)]
        first = [wire.decode_batch(payload, 2, kind=1).first_position for payload in payloads]
        self.assertEqual(first, [44, 52, 60, 44, 52, 60, 44, 52])
        self.assertEqual(payloads[:3] + payloads[:3] + payloads[:2], payloads)
        peer.at(wire.SEEK, 9, 1000)
        peer.credit(4)
        self.assertEqual([peer.batch(9).first_position for _ in range(4)],
                         [1004, 1012, 1020, 1004])
        peer.at(wire.SEEK, 10, (1 << 63) - 16)
        peer.error("bad_argument", fatal=False, request=10)
        peer.open(11, batch=4)
        peer.credit(5)
        self.assertEqual([peer.batch(11).first_position for _ in range(5)], [0, 4, 8, 12, 16])

    def test_round_beyond_the_cache(self):
        peer = self.greeted()
        peer.send(wire.OPEN, 2, self.payload((1 << 32) - 1, batch=4))
        peer.error("too_large", fatal=False, request=2)


class Pace(Session):
    """CREDIT with a pace."""

    def test_needs_the_capability(self):
        peer = self.streaming()
        peer.send(wire.CREDIT, 5, wire.struct.pack("<IQIIQQ", 1, 0, 1, 0, 10, 10))
        peer.error("bad_frame", fatal=True, request=5)

    def test_is_taken_or_left_out(self):
        peer = self.peer()
        peer.send(wire.HELLO, 1, hello(capabilities=PACE))
        peer.welcome = wire.decode_welcome(peer.expect(wire.WELCOME, 1).payload)
        if not peer.welcome["capabilities"] & PACE:
            self.skipTest("a server without pace")
        peer.open(batch=4)
        top = (1 << 32) - 1
        for pace in ((1, 0, 10, 10), (0, 0, 0, 0), (top, top, (1 << 64) - 1, (1 << 64) - 1)):
            peer.send(wire.CREDIT, 5, wire.struct.pack("<IQIIQQ", 1, 0, *pace))
            peer.batch(2)
        peer.credit(1)
        self.assertEqual(peer.batch(2).first_position, 12)
        peer.send(wire.CREDIT, 6, wire.struct.pack("<IQIIQ", 1, 0, 1, 0, 10))
        peer.error("bad_frame", fatal=True, request=6)
