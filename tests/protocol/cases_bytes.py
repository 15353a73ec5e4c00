"""The worked bytes of section 14, the decoder's refusals, and the client against a script.

No server of pasted is needed here.
"""

import contextlib
import io
import socket
import struct
import threading
import unittest

import stdlib_client
import stdlib_wire as wire
from stdlib_wire import (BATCH, CLOSE, CREDIT, DRAIN, ERROR, HELLO, OPEN, OPENED, PING, PONG, PULL,
                         SEEK, WELCOME, ProtocolError, encode_frame, encode_string)

HELLO_BYTES = bytes.fromhex("""
    50 53 54 44 01 01 00 00 01 00 00 00 00 00 00 00
    24 00 00 00 00 00 00 00 15 ff b6 37 3e dc e4 0a
    01 00 01 00 00 00 00 00 03 00 00 00 04 00 64 65
    6d 6f 10 00 6f 70 65 6e 2d 73 65 73 61 6d 65 2d
    30 30 30 30""")
BATCH_HEADER = bytes.fromhex("""
    50 53 54 44 01 06 00 00 02 00 00 00 00 00 00 00
    58 01 00 00 00 00 00 00 00 00 00 00 9e 25 47 e0""")
BATCH_HEAD = bytes.fromhex("""
    56 00 00 00 00 00 00 00 02 00 00 00 02 00 01 00
    40 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    6c 61 62 65 6c 00 00 00 00 00 00 00 00 00 00 00
    03 01 00 00 00 00 00 00 02 00 00 00 00 00 00 00
    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    00 00 00 00 00 00 00 00 c0 00 00 00 00 00 00 00
    10 00 00 00 00 00 00 00 69 6d 61 67 65 00 00 00
    00 00 00 00 00 00 00 00 01 04 00 00 00 00 00 00
    02 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00
    02 00 00 00 00 00 00 00 03 00 00 00 00 00 00 00
    00 01 00 00 00 00 00 00 18 00 00 00 00 00 00 00""")
BATCH_PAYLOAD = (BATCH_HEAD.ljust(192, b"\0") + struct.pack("<2q", 7, 3)).ljust(256, b"\0") + (
    bytes(range(24)).ljust(64, b"\0") + struct.pack("<3Q", 0x9270C965, 0xFAAA405B, 0x3C95AD0D))


class Source(io.BytesIO):
    """Bytes to read frames from, a few at a time, as from a socket."""

    def recv_into(self, view):
        """As socket.recv_into."""
        return self.readinto(view[:7])


def frame_of(data):
    """The one frame in these bytes."""
    return wire.read_frame(Source(data))


def batch_at(position, table=1):
    """The worked payload at another position, with its last checksum made right."""
    payload = bytearray(BATCH_PAYLOAD)
    payload[:8] = struct.pack("<Q", position)
    payload[14] = 0
    payload[336:344] = struct.pack("<Q", wire.zlib.crc32(payload[:256]))
    payload[14] = table
    return bytes(payload if table else payload[:320])


class WorkedBytes(unittest.TestCase):
    """Section 14."""

    def test_hello(self):
        payload = wire.encode_hello(checksum_kinds=3, client="demo", token="open-sesame-0000")
        self.assertEqual(encode_frame(HELLO, 1, payload), HELLO_BYTES)

    def test_batch_header(self):
        self.assertEqual(encode_frame(BATCH, 2, BATCH_PAYLOAD)[:32], BATCH_HEADER)

    def test_batch(self):
        self.assertEqual(batch_at(86), BATCH_PAYLOAD)
        frame = frame_of(BATCH_HEADER + BATCH_PAYLOAD)
        self.assertEqual((frame.type, frame.request), (BATCH, 2))
        batch = wire.decode_batch(frame.payload, 2, kind=1)
        self.assertEqual((batch.first_position, batch.n_samples), (86, 2))
        self.assertEqual(list(batch.tensors), ["label", "image"])
        label, image = batch.tensors.values()
        self.assertEqual((label.dtype, label.shape, label.data.cast("q").tolist()),
                         ("i64", (2,), [7, 3]))
        self.assertEqual((image.dtype, image.shape, bytes(image.data)),
                         ("u8", (2, 2, 2, 3), bytes(range(24))))

    def test_empty_payload_has_crc_0(self):
        self.assertEqual(encode_frame(CLOSE, 0)[24:28], bytes(4))


class Decoder(unittest.TestCase):
    """What a receiver must not accept."""

    def refused(self, function, *arguments, **keywords):
        """A ProtocolError, and no other exception."""
        with self.assertRaises(ProtocolError):
            function(*arguments, **keywords)

    def test_every_bit_of_a_header(self):
        good = encode_frame(PING, 5, bytes(8))
        self.assertEqual(frame_of(good), (PING, 5, bytes(8)))
        for bit in range(8 * len(good)):
            changed = bytearray(good)
            changed[bit // 8] ^= 1 << bit % 8
            self.refused(frame_of, bytes(changed))

    def test_limits(self):
        for kind, limit in ((PONG, 4064), (CLOSE, 4064), (WELCOME, 16 << 20), (BATCH, 4 << 30)):
            head = wire.HEADER.pack(wire.MAGIC, 1, kind, 0, 0, 0, limit + 1, 0)
            self.refused(frame_of, head + struct.pack("<I", wire.zlib.crc32(head)))

    def test_types_of_the_client(self):
        for kind in (0, HELLO, OPEN, CREDIT, PULL, SEEK, 100, 255):
            self.refused(frame_of, encode_frame(kind, 1))

    def test_ends(self):
        self.assertRaises(EOFError, frame_of, b"")
        for size in (1, 31, 32, 39):
            self.assertRaises(ConnectionError, frame_of, encode_frame(PING, 5, bytes(8))[:size])

    def test_text(self):
        for data in (b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\0", b"\x7f",
                     b"\xc2\x85", b"\xe2\x82"):
            self.refused(wire.Reader(struct.pack("<H", len(data)) + data).string, 255)
        self.assertEqual(wire.Reader(encode_string("\u00a0\U0010ffff")).string(6),
                         "\u00a0\U0010ffff")
        self.refused(wire.Reader(encode_string("\u00a0\U0010ffff")).string, 5)

    def test_batch(self):
        """The worked batch with one field changed, its checksum made right again."""
        changes = {
            "n_samples 0": (8, "I", 0), "n_samples 3": (8, "I", 3), "no tensors": (12, "H", 0),
            "17 tensors": (12, "H", 17), "other kind": (14, "B", 2), "zero 15": (15, "B", 1),
            "tensors_bytes 319": (16, "Q", 319), "tensors_bytes 384": (16, "Q", 384),
            "tensors_bytes huge": (16, "Q", (1 << 64) - 64), "zero 24": (24, "Q", 1),
            "name upper": (32, "B", 0x4C), "name digit": (32, "B", 0x31),
            "name empty": (32, "B", 0), "name long": (32, "16s", b"a" * 16),
            "name gap": (39, "B", 0x61), "name twice": (32, "16s", b"image"),
            "dtype 0": (48, "B", 0),
            "dtype 7": (48, "B", 7), "label as f16": (48, "B", 5), "n_dims 0": (49, "B", 0),
            "n_dims 5": (49, "B", 5), "zero 50": (50, "B", 1), "shape 1": (56, "Q", 1),
            "shape rest": (64, "Q", 1),
            "offset 200": (88, "Q", 200), "offset 128": (88, "Q", 128), "overlap": (88, "Q", 256),
            "offset huge": (88, "Q", (1 << 64) - 64), "n_bytes 17": (96, "Q", 17),
            "n_bytes huge": (96, "Q", (1 << 64) - 1), "image renamed": (104, "5s", b"imagf"),
            "image i32": (120, "B", 2), "dimension 0": (136, "Q", 0), "4 channels": (152, "Q", 4),
            "shape overflows": (136, "Q", 1 << 62), "image offset 320": (160, "Q", 320),
            "padding": (180, "B", 1), "padding after label": (255, "B", 1),
            "padding after image": (300, "B", 1)}
        for name, (at, layout, value) in changes.items():
            with self.subTest(name):
                payload = bytearray(BATCH_PAYLOAD)
                struct.pack_into("<" + layout, payload, at, value)
                summed = payload[:14] + b"\0" + payload[15:256]
                payload[336:344] = struct.pack("<Q", wire.zlib.crc32(summed))
                self.refused(wire.decode_batch, payload, 2, kind=1)

    def test_batch_damage(self):
        for at in (0, 200, 256, 267, 279, 320, 327, 343):
            payload = bytearray(BATCH_PAYLOAD)
            payload[at] ^= 4
            self.refused(wire.decode_batch, payload, 2, kind=1)

    def test_batch_sizes(self):
        for size in (0, 31, 32, 175, 319, 320, 343):
            self.refused(wire.decode_batch, BATCH_PAYLOAD[:size], 2, kind=1)
        self.refused(wire.decode_batch, BATCH_PAYLOAD + b"\0", 2, kind=1)
        self.refused(wire.decode_batch, BATCH_PAYLOAD, 2, kind=0)
        self.refused(wire.decode_batch, batch_at(0, table=0), 2, kind=1)
        self.assertEqual(wire.decode_batch(batch_at(9, 0), 2, kind=0).first_position, 9)

    def test_errors(self):
        for payload in (b"", struct.pack("<HBBIH", 0, 0, 0, 0, 0),
                        struct.pack("<HBBIH", 1, 2, 0, 0, 0), struct.pack("<HBBIH", 1, 0, 1, 0, 0),
                        struct.pack("<HBBIH", 1, 0, 0, 0, 1), struct.pack("<HBBIH", 17, 0, 0, 0, 0),
                        struct.pack("<HBBIH", 1, 0, 0, 0, 512) + b"a" * 512):
            self.refused(wire.decode_error, wire.Frame(ERROR, 0, payload))
        error = wire.decode_error(wire.Frame(ERROR, 0, struct.pack("<HBBIH", 999, 1, 0, 50, 0)))
        self.assertEqual((error.code, error.fatal, error.retry_after_ms), (999, True, 50))


def welcome(streams=("default",)):
    """Payload of a WELCOME that chose crc32."""
    return (struct.pack("<HBBIIIQIQII", 1, 1, 0, 1, 0, 64, 1 << 20, 8, 1 << 24, 2, 1000)
            + encode_string("script") + struct.pack("<H", len(streams))
            + b"".join(map(encode_string, streams)))


def opened(position=86):
    """Payload of an OPENED for batches as the worked one."""
    return struct.pack("<32sQQQQIIIIIIIIIBBBBQI", bytes(32), 0, 100, position, 344, 2, 0, 1, 2, 5, 5,
                       1, 2, 2, 1, 1, 1, 0, 7, 1) + encode_string("class")


def error_frame(request, code, fatal):
    """An ERROR frame."""
    return encode_frame(ERROR, request, struct.pack("<HBBI", code, fatal, 0, 250)
                        + encode_string("so it is"))


class Client(unittest.TestCase):
    """The client against a server that follows a script.

    The client's ids count from 1: HELLO 1, OPEN 2, CREDIT 3, and so on.
    """

    OPENED = (encode_frame(WELCOME, 1, welcome()), encode_frame(OPENED, 2, opened()))

    @contextlib.contextmanager
    def script(self, *frames):
        """A client, after HELLO, of a server that sends all of `frames` at once, then ends."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=self.serve, args=(listener, b"".join(frames)))
            thread.start()
            try:
                with stdlib_client.Client(*listener.getsockname(), timeout=10.0) as client:
                    yield client
            finally:
                thread.join()

    def serve(self, listener, data):
        """Send, keep what comes, until the client ends."""
        self.heard = b""
        peer, _ = listener.accept()
        with peer, contextlib.suppress(ConnectionError):
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            while chunk := peer.recv(4096):
                self.heard += chunk

    def run_session(self, *frames, batches=2, seek=None):
        """The positions that next() gives, `batches` of them, with as much credit."""
        with self.script(*self.OPENED, *frames) as client:
            client.open(position=86)
            client.credit(batches)
            if seek is not None:
                client.seek(seek)
            return [client.next().first_position for _ in range(batches)]

    def test_stream(self):
        frames = [encode_frame(BATCH, 2, batch_at(position)) for position in (86, 88)]
        self.assertEqual(self.run_session(*frames), [86, 88])

    def test_ping_is_answered(self):
        self.run_session(encode_frame(PING, 77, b"12345678"),
                         *(encode_frame(BATCH, 2, batch_at(position)) for position in (86, 88)))
        self.assertIn(encode_frame(PONG, 77, b"12345678"), self.heard)

    def test_what_is_no_stream(self):
        first = encode_frame(BATCH, 2, batch_at(86))
        for name, second in {
                "no credit": first + encode_frame(BATCH, 2, batch_at(88)),
                "gap": encode_frame(BATCH, 2, batch_at(90)),
                "request": encode_frame(BATCH, 9, batch_at(86)),
                "damage": encode_frame(BATCH, 2, BATCH_PAYLOAD[:-1] + b"\1"),
                "unasked": encode_frame(OPENED, 2, opened()),
                "drained": encode_frame(DRAIN, 0, struct.pack("<QI", 86, 5)) + first}.items():
            with self.subTest(name), self.assertRaises(ProtocolError):
                self.run_session(second, batches=1)
                if name == "no credit":
                    with self.script(*self.OPENED, second) as client:
                        client.open(position=86)
                        client.credit(1)
                        client.next()
                        client.next()

    def test_old_serials_are_dropped(self):
        frames = [encode_frame(BATCH, 2, batch_at(86)), encode_frame(BATCH, 4, batch_at(500))]
        with self.script(*self.OPENED, *frames) as client:
            client.open(position=86)
            client.credit(2)
            client.seek(500)
            self.assertEqual(client.next().first_position, 500)

    def test_error_before_hello(self):
        for request in (0, 1):
            with self.assertRaises(stdlib_client.ServerError) as caught:
                with self.script(error_frame(request, 10, 1)):
                    pass
            error = caught.exception
            self.assertEqual((error.word, error.fatal, error.retry_after_ms),
                             ("overloaded", True, 250))

    def test_open_refused(self):
        with self.script(self.OPENED[0], error_frame(2, 6, 0)) as client:
            with self.assertRaises(stdlib_client.ServerError) as caught:
                client.open("none")
            self.assertEqual((caught.exception.word, caught.exception.fatal), ("not_found", False))

    def test_ends(self):
        with self.assertRaises(ConnectionError):
            self.run_session()
        with self.assertRaises(stdlib_client.ServerError) as caught:
            self.run_session(encode_frame(CLOSE, 0, struct.pack("<H", 11) + encode_string("bye")))
        self.assertEqual((caught.exception.word, caught.exception.fatal), ("draining", True))

    def test_welcome_must_fit(self):
        good = welcome()
        for at, value in ((0, 2), (2, 2), (3, 1), (8, 1)):
            changed = bytearray(good)
            changed[at] = value
            with self.assertRaises(ProtocolError):
                with self.script(encode_frame(WELCOME, 1, bytes(changed))):
                    pass

    def test_opened_must_fit(self):
        for at in (48, 68, 72, 76, 92, 96, 101, 102, 103, 112):
            changed = bytearray(opened())
            changed[at] ^= 2 if at in (92, 96) else 4
            changed[at] = 0 if at in (92, 96) else changed[at]
            with self.subTest(at=at), self.assertRaises(ProtocolError):
                with self.script(self.OPENED[0], encode_frame(OPENED, 2, bytes(changed))) as client:
                    client.open(position=86)


if __name__ == "__main__":
    unittest.main()
