"""Conformance: OPEN, credit, the order of batches and their content."""

import struct
import unittest

import stdlib_wire as wire
from cases_session import GOOD_TEXT, Session
from peer import TOKEN, address
from stdlib_client import Client
from stdlib_wire import BATCH, OPEN, OPENED, PULL, encode_open

TOP = 1 << 63


def content(batch):
    """What must be the same for the same positions: everything but the request."""
    return batch.first_position, {name: (tensor.dtype, tensor.shape, bytes(tensor.data))
                                  for name, tensor in batch.tensors.items()}


def joined(batches, name):
    """The bytes of a tensor of adjoining slices."""
    return b"".join(bytes(batch.tensors[name].data) for batch in batches)


class Open(Session):
    """Section 7, OPEN."""

    def refused(self, word, stream="default", **fields):
        """The OPEN gets this ERROR, and the next OPEN works."""
        with self.subTest(word, stream=stream, **fields):
            peer = self.ready()
            peer.send(OPEN, 7, encode_open(stream, **fields))
            error = peer.error(word, fatal=False, request=7)
            peer.open(request=8, batch=2)
            return error

    def test_defaults(self):
        opened = self.ready().open().opened
        self.assertEqual(opened["n_samples"], opened["global_batch"])
        self.assertIn(opened["dtype"], (1, 4, 5, 6))
        self.assertIn(opened["channels"], (1, 2, 3))
        self.assertIn(opened["layout"], (1, 2))
        self.assertEqual(len(opened["classes"]), opened["n_classes"])
        self.assertLessEqual(opened["batch_bytes"], self.ready().welcome["max_batch_bytes"])

    def test_names(self):
        for name in ("no such", "", "Default", "default ", GOOD_TEXT, "s" * 255,
                     "\u00e9" * 127 + "s", "\U0001d11e" * 63 + "abc", '"\\%s%n'):
            self.refused("not_found", name)

    def test_world_and_rank(self):
        for batch, rank, world in ((4, 0, 0), (4, 0, 3), (4, 4, 4), (4, 5, 2), (4, 0xFFFFFFFF, 1),
                                   (4, 0, 8), (4, 0, 0xFFFFFFFF), (0, 1, 1)):
            self.refused("bad_argument", batch=batch, rank=rank, world=world)

    def test_dtype_and_layout(self):
        for dtype in (2, 3, 7, 255):
            self.refused("bad_argument", batch=4, dtype=dtype)
        for layout in (3, 255):
            self.refused("bad_argument", batch=4, layout=layout)

    def test_position(self):
        for position in (TOP - 3, TOP, (1 << 64) - 1):
            self.refused("bad_argument", batch=4, position=position)

    def test_last_position(self):
        peer = self.streaming(position=TOP - 4)
        peer.credit(1)
        batch = peer.batch(2)
        self.assertEqual(batch.first_position, TOP - 4)
        self.assertEqual(struct.unpack("<4q", batch.tensors["position"].data),
                         tuple(range(TOP - 4, TOP)))

    def test_beyond_the_last_position(self):
        """The last step comes although credit is left; what follows it is not specified."""
        peer = self.streaming(position=TOP - 8)
        peer.credit(3)
        self.assertEqual([peer.batch(2).first_position for _ in range(2)], [TOP - 8, TOP - 4])

    def test_too_large(self):
        most = self.ready().welcome["max_batch_samples"]
        self.refused("too_large", batch=most + 1)
        self.refused("too_large", batch=0xFFFFFFFF)
        self.refused("too_large", batch=2 * most + 2, world=2, rank=1)

    def test_limit_is_of_the_slice(self):
        """max_batch_samples limits n, not G."""
        peer = self.ready()
        world = peer.welcome["max_batch_samples"]
        peer.open(batch=2 * world, world=world, rank=world - 1).credit(1)
        self.assertEqual(peer.batch(2).first_position, 2 * world - 2)

    def test_fingerprint(self):
        opened = self.ready().open().opened
        right = bytes.fromhex(opened["fingerprint"])
        self.assertEqual(opened, self.ready().open(fingerprint=right).opened)
        for wrong in (bytes(32), right[:-1] + bytes([right[-1] ^ 1])):
            error = self.refused("fingerprint_mismatch", fingerprint=wrong)
            for fingerprint in (right, wrong):
                self.assertIn(fingerprint.hex()[:8], error.text.lower())
            self.assertRegex(error.text, "catalog|recipe|seed|engine")

    def test_fingerprint_is_of_the_stream(self):
        """Neither cursor nor batch, rank, dtype, layout or checksum are part of it."""
        prints = {self.streaming(**fields).opened["fingerprint"] for fields in (
            {}, {"kinds": 1}, {"position": 99}, {"batch": 8}, {"batch": 8, "world": 2, "rank": 1},
            {"dtype": 4}, {"layout": 2})}
        self.assertEqual(len(prints), 1)

    def test_open_again_takes_credit_and_pulls_away(self):
        peer = self.streaming(batch=256)
        peer.credit(3)
        peer.at(PULL, 50, 1000)
        peer.send(OPEN, 9, encode_open("default", batch=2, position=10))
        for frame in iter(peer.read, None):  # what was on its way
            if frame.type == OPENED:
                break
            self.assertEqual(frame.type, BATCH)
        peer.quiet()
        peer.credit(1)
        self.assertEqual(peer.batch(9).first_position, 10)
        peer.quiet()


class Credit(Session):
    """Section 6: as many batches as were credited, in order."""

    def take(self, peer, first, count, request=2, step=4):
        """Exactly `count` batches of the stream, from cursor `first`."""
        for i in range(count):
            self.assertEqual(peer.batch(request).first_position, first + i * step)
        peer.quiet()

    def test_exact(self):
        peer = self.streaming(position=5)
        peer.quiet()
        peer.credit(3)
        self.take(peer, 5, 3)
        peer.credit(0)
        peer.quiet()
        peer.credit(1)
        peer.credit(2)
        self.take(peer, 17, 3)

    def test_bytes(self):
        peer = self.streaming()
        size = peer.opened["batch_bytes"]
        peer.credit(3, size)
        self.take(peer, 0, 1)
        peer.credit(0, size - 1)
        peer.quiet()
        peer.credit(0, 1)
        self.take(peer, 4, 1)
        peer.credit(0, 3 * size)  # one batch of credit is left
        self.take(peer, 8, 1)
        peer.credit(1, 1)
        self.take(peer, 12, 1)
        peer.credit(2, 1)  # bytes: 2 * size - size + 2
        self.take(peer, 16, 1)

    def test_named_bytes_are_what_arrives(self):
        peer = self.streaming()
        peer.credit(1)
        self.assertEqual(len(peer.expect(BATCH, 2).payload), peer.opened["batch_bytes"])

    def test_most_batches(self):
        peer = self.streaming(batch=1)
        most = peer.welcome["max_credit_batches"]
        peer.credit(most, 1)
        for more in (1, most, 0xFFFFFFFF):
            peer.credit(more, 1, request=70)
            peer.error("too_large", fatal=False, request=70)
        peer.quiet()
        peer.credit(0, most * peer.opened["batch_bytes"] - 1)
        self.take(peer, 0, most, step=1)

    def test_most_batches_at_once(self):
        peer = self.streaming()
        for batches in (peer.welcome["max_credit_batches"] + 1, 0xFFFFFFFF):
            peer.credit(batches, 0, request=71)
            peer.error("too_large", fatal=False, request=71)
        peer.credit(1)
        self.take(peer, 0, 1)

    def test_most_bytes(self):
        peer = self.streaming()
        most = peer.welcome["max_credit_bytes"]
        for n_bytes in (most + 1, (1 << 64) - 1):
            peer.credit(1, n_bytes, request=72)
            peer.error("too_large", fatal=False, request=72)
        peer.credit(0, most)
        for n_bytes in (1, (1 << 64) - most, (1 << 64) - 1):
            peer.credit(1, n_bytes, request=73)
            peer.error("too_large", fatal=False, request=73)
        peer.quiet()
        peer.send(OPEN, 3, encode_open("default", batch=4))
        peer.expect(OPENED, 3)
        peer.credit(1, most)  # credit began at 0 again
        self.take(peer, 0, 1, request=3)

    def test_slow_reader_gets_all(self):
        peer = self.streaming(batch=64, position=7)
        peer.credit(40)
        peer.sock.settimeout(30)
        self.take(peer, 7, 40, step=64)


class Content(Session):
    """Sections 1, 8 and 9: what is in a batch."""

    def one(self, position=0, kinds=3, **fields):
        """One Batch of the stream, by a session of its own."""
        peer = self.streaming(kinds, position=position, **fields)
        peer.credit(1)
        return peer.batch(2)

    def test_tensors(self):
        peer = self.streaming(batch=50, position=123)
        peer.credit(1)
        batch, opened = peer.batch(2), peer.opened
        values = {name: struct.unpack(f"<{len(tensor.data) // (8 if tensor.dtype == 'i64' else 4)}"
                                      f"{ {'i64': 'q', 'i32': 'i', 'f32': 'f'}[tensor.dtype]}",
                                      tensor.data)
                  for name, tensor in batch.tensors.items() if name in wire.KNOWN}
        self.assertEqual(batch.n_samples, 50)
        self.assertEqual(values["position"], tuple(range(123, 173)))
        for name, limit in (("label", "n_classes"), ("object", "n_objects"),
                            ("background", "n_backgrounds")):
            self.assertTrue(all(0 <= value < opened[limit] for value in values[name]), name)
        self.assertTrue(all(0 <= value <= 1 for value in values["visible"]))
        for i in range(0, 200, 4):
            x0, y0, x1, y1 = values["box"][i:i + 4]
            self.assertTrue(0 <= x0 <= x1 <= opened["width"] and 0 <= y0 <= y1 <= opened["height"])

    def test_same_position_same_bytes(self):
        want = content(self.one(1000))
        self.assertEqual(content(self.one(1000)), want)
        self.assertEqual(content(self.one(1000, kinds=1)), want)
        self.assertEqual(content(self.one(1000, kinds=2)), want)
        big = self.one(996, batch=8)
        for name, (_, _, data) in want[1].items():
            self.assertEqual(bytes(big.tensors[name].data)[len(data):], data, name)

    def test_ranks_adjoin(self):
        for fields in ({}, {"dtype": 4, "layout": 2}):
            whole = self.one(77, batch=24, **fields)
            for world in (1, 2, 3, 8, 24):
                parts = [self.one(77, batch=24, rank=rank, world=world, **fields)
                         for rank in range(world)]
                self.assertEqual([part.first_position for part in parts],
                                 [77 + rank * 24 // world for rank in range(world)])
                for name in whole.tensors:
                    self.assertEqual(joined(parts, name), joined([whole], name), name)

    def test_ranks_step_together(self):
        for rank in range(2):
            peer = self.streaming(batch=86, rank=rank, world=2)
            peer.credit(3)
            for step in range(3):
                self.assertEqual(peer.batch(2).first_position, 86 * step + 43 * rank)

    def test_layouts(self):
        """NCHW is NHWC transposed, floats are one value for each value of u8, and f16 and bf16
        are f32 rounded to nearest even."""
        images = {(dtype, layout): self.one(5, dtype=dtype, layout=layout).tensors["image"]
                  for dtype in (1, 4, 5, 6) for layout in (1, 2)}
        n, height, width, channels = images[1, 1].shape
        for (dtype, layout), image in images.items():
            self.assertEqual(image.dtype, wire.DTYPES[dtype][0])
            self.assertEqual(image.shape, (n, height, width, channels) if layout == 1
                             else (n, channels, height, width))
        flat = {key: image.data.cast({1: "B", 4: "f"}.get(key[0], "H"))
                for key, image in images.items()}
        area = height * width
        for dtype in (1, 4, 5, 6):
            for i in range(n):
                for channel in range(channels):
                    begin = channels * area * i
                    self.assertEqual(
                        flat[dtype, 1][begin + channel:begin + channels * area:channels].tolist(),
                        flat[dtype, 2][begin + channel * area:][:area].tolist())
        for value, f16, bf16 in set(zip(flat[4, 1].tolist(), flat[5, 1].tolist(),
                                        flat[6, 1].tolist())):
            self.assertEqual(struct.pack("<e", value), struct.pack("<H", f16))
            bits, = struct.unpack("<I", struct.pack("<f", value))
            self.assertEqual((bits + 0x7FFF + (bits >> 16 & 1)) >> 16, bf16)
        pairs = sorted(set(zip(flat[1, 1].tolist(), flat[4, 1].tolist())))
        self.assertEqual(len({value for value, _ in pairs}), len(pairs))
        self.assertEqual([value for _, value in pairs], sorted(value for _, value in pairs))

    def test_checksum_kinds_share_the_head(self):
        """Kinds differ only in byte 14 and in the table; the sums are checked by decode_batch."""
        payloads = []
        for kinds in (1, 2, 4):
            peer = self.streaming(kinds, batch=6)
            peer.credit(1)
            payload = peer.expect(BATCH, 2).payload
            end = struct.unpack_from("<Q", payload, 16)[0]
            self.assertEqual(payload[14], peer.welcome["checksum"])
            self.assertEqual(len(payload), end + (8 * 7 if payload[14] else 0))
            payloads.append(bytes(payload[:14] + payload[15:end]))
        self.assertEqual(len(set(payloads)), 1)


class TheClient(unittest.TestCase):
    """The client of this directory against the server: its own checks are the assertions."""

    def test_a_session(self):
        for checksums in (("crc32", "none"), ("none",)):
            with Client(*address(), token=TOKEN, checksums=checksums) as client:
                opened = client.open(batch=10, rank=1, world=2, position=3)
                client.credit(4)
                first = [client.next() for _ in range(2)]
                self.assertEqual(content(client.pull(3)), content(first[0]))
                client.ping()
                client.seek(13)
                client.credit(1)  # the rest of the four may have been sent before SEEK
                again = client.next()
                self.assertEqual(content(again), content(first[1]))
                client.open(batch=5, position=8, dtype="f32", layout="NCHW",
                            fingerprint=opened["fingerprint"])
                client.credit(2)
                self.assertEqual(client.next().tensors["label"].data,
                                 first[0].tensors["label"].data)
