"""Conformance: SEEK, PULL and DRAIN."""

import signal
import struct
import time

import stdlib_wire as wire
from cases_session import Session
from peer import own_daemon
from stdlib_wire import BATCH, PULL, SEEK

TOP = 1 << 63


class SeekAndPull(Session):
    """Section 6: SEEK and PULL."""

    def test_seek_without_credit(self):
        peer = self.streaming()
        peer.at(SEEK, 30, 1001)
        peer.quiet()
        peer.credit(2)
        self.assertEqual([peer.batch(30).first_position for _ in range(2)], [1001, 1005])
        peer.quiet()

    def test_credit_stays(self):
        peer = self.streaming()
        peer.credit(50)
        first = peer.batch(2)
        peer.at(SEEK, 31, 900)
        stale, fresh = [first.first_position], []
        for _ in range(49):
            frame = peer.read()
            self.assertIn(frame.request, (2, 31))
            batch = wire.decode_batch(frame.payload, frame.request, kind=1)
            (fresh if frame.request == 31 else stale).append(batch.first_position)
            self.assertFalse(frame.request == 2 and fresh, "an old serial after the new one")
        self.assertEqual(stale, [4 * i for i in range(len(stale))])
        self.assertEqual(fresh, [900 + 4 * i for i in range(len(fresh))])
        peer.quiet()

    def test_seek_in_a_row(self):
        peer = self.streaming()
        for i in range(100):
            peer.at(SEEK, 100 + i, 10 * i)
        peer.credit(1)
        self.assertEqual(peer.batch(199).first_position, 990)
        peer.quiet()

    def test_seek_that_fails(self):
        peer = self.streaming(position=40)
        for request, position in ((33, TOP - 3), (34, TOP), (35, (1 << 64) - 1), (0, 8)):
            peer.at(SEEK, request, position)
            peer.error("bad_argument", fatal=False, request=request)
        peer.credit(1)
        self.assertEqual(peer.batch(2).first_position, 40)
        peer.at(SEEK, 36, TOP - 4)
        peer.credit(1)
        self.assertEqual(peer.batch(36).first_position, TOP - 4)

    def test_pull_is_the_same_bytes(self):
        for fields in ({}, {"dtype": 4, "layout": 2}, {"batch": 6, "rank": 2, "world": 3}):
            peer = self.streaming(position=10, **fields)
            step = peer.opened["global_batch"]
            peer.credit(3)
            streamed = [bytes(peer.expect(BATCH, 2).payload) for _ in range(3)]
            for i in (2, 0, 1):
                peer.at(PULL, 60 + i, 10 + step * i)
                self.assertEqual(bytes(peer.expect(BATCH, 60 + i).payload), streamed[i])
            peer.quiet()

    def test_pull_moves_nothing(self):
        peer = self.streaming()
        for i in range(5):
            peer.at(PULL, 60, 5000 + i)  # an id is free again once it was answered
            self.assertEqual(peer.batch(60).first_position, 5000 + i)
        peer.credit(1)
        self.assertEqual(peer.batch(2).first_position, 0)
        peer.quiet()

    def test_pull_among_stream(self):
        peer = self.streaming()
        most = peer.welcome["max_pulls"]
        peer.credit(20)
        for i in range(most):
            peer.at(PULL, 1000 + i, 100 * i)
        pulled, streamed = {}, []
        for _ in range(20 + most):
            frame = peer.any_batch()
            if frame.request == 2:
                streamed.append(frame.first_position)
            else:
                self.assertNotIn(frame.request, pulled)
                pulled[frame.request] = frame.first_position
        self.assertEqual(streamed, [4 * i for i in range(20)])
        self.assertEqual(pulled, {1000 + i: 100 * i for i in range(most)})
        peer.quiet()

    def test_pull_survives_seek(self):
        peer = self.streaming(batch=64)
        peer.at(PULL, 60, 640)
        peer.at(SEEK, 61, 128)
        self.assertEqual(peer.batch(60).first_position, 640)
        peer.quiet()

    def test_too_many_pulls(self):
        """Each is answered once, by its BATCH or by overloaded; with nothing read, some are."""
        peer = self.streaming(batch=512)
        most = peer.welcome["max_pulls"]
        total = 3 * most
        for i in range(total):
            peer.at(PULL, 1000 + i, 512 * i)
        answers, refused = set(), 0
        for _ in range(total):
            frame = peer.read()
            answers.add(frame.request)
            if frame.type == wire.ERROR:
                error = wire.decode_error(frame)
                self.assertEqual((error.word, error.fatal), ("overloaded", False))
                refused += 1
            else:
                batch = wire.decode_batch(frame.payload, frame.request, kind=1)
                self.assertEqual(batch.first_position, 512 * (frame.request - 1000))
        self.assertEqual(answers, set(range(1000, 1000 + total)))
        self.assertTrue(0 < refused <= total - most, refused)
        peer.quiet()

    def test_pull_that_fails(self):
        peer = self.streaming()
        for request, position in ((60, TOP - 3), (61, (1 << 64) - 1), (0, 0), (2, 0)):
            peer.at(PULL, request, position)
            peer.error("bad_argument", fatal=False, request=request)
        peer.at(PULL, 60, TOP - 4)
        self.assertEqual(peer.batch(60).first_position, TOP - 4)
        peer.quiet()

    def test_pull_id_in_use(self):
        peer = self.streaming(batch=2048, dtype=4)
        for kind in (PULL, PULL, SEEK):
            peer.at(kind, 60, 0)
        peer.error("bad_argument", fatal=False, request=60)
        peer.error("bad_argument", fatal=False, request=60)
        peer.batch(60)
        peer.quiet()


class Drain(Session):
    """Section 6, DRAIN: only against a daemon of its own, which gets SIGTERM."""

    def drain(self, peer):
        """The fields of DRAIN, the next frame."""
        return wire.decode_fixed(peer.expect(wire.DRAIN, 0).payload, "QI", "position grace_ms")

    def goodbye(self, frame, peer):
        """The frame is CLOSE with code draining; then comes the end."""
        self.assertEqual((frame.type, frame.request), (wire.CLOSE, 0))
        self.assertEqual(wire.decode_error(frame).word, "draining")
        peer.end()

    def test_nothing_to_send(self):
        with own_daemon() as daemon:
            where = ("127.0.0.1", daemon.tcp)
            peer, idle = self.peer(where).hello().open(batch=4), self.peer(where).hello()
            peer.credit(2)
            self.assertEqual([peer.batch(2).first_position for _ in range(2)], [0, 4])
            daemon.signal(signal.SIGTERM)
            position = self.drain(peer)["position"]
            self.assertEqual((max(8, position), position % 4), (position, 0))
            self.assertEqual(self.drain(idle)["position"], 0)
            self.goodbye(idle.read(), idle)
            self.goodbye(peer.read(), peer)

    def test_much_to_send(self):
        """All before DRAIN's position comes; SEEK and PULL are refused, PING is answered."""
        # Twenty batches take a slow build longer than the default grace.
        with own_daemon("--grace", "60") as daemon:
            peer = self.peer(("127.0.0.1", daemon.tcp)).hello().open(batch=1024)
            peer.credit(20)
            peer.batch(2)  # 12 MB each: the others do not fit into the socket
            time.sleep(0.5)
            daemon.signal(signal.SIGTERM)
            time.sleep(0.2)
            peer.at(SEEK, 70, 0)
            peer.at(PULL, 71, 0)
            peer.send(wire.PING, 72, bytes(8))
            cursor, position, others = 1024, None, []
            while (frame := peer.read()).type != wire.CLOSE:
                if frame.type == BATCH:
                    batch = wire.decode_batch(frame.payload, 2, kind=1)
                    self.assertEqual((frame.request, batch.first_position), (2, cursor))
                    cursor += 1024
                elif frame.type == wire.DRAIN:
                    position = struct.unpack_from("<Q", frame.payload)[0]
                elif frame.type == wire.ERROR:
                    error = wire.decode_error(frame)
                    others.append((frame.request, error.word, error.fatal))
                else:
                    others.append((frame.request, frame.type))
            self.goodbye(frame, peer)
            self.assertEqual(cursor, position)
            self.assertEqual(others, [(70, "draining", False), (71, "draining", False),
                                      (72, wire.PONG)])
