"""Conformance: frames, handshake, states, errors that end a session, PING and CLOSE."""

import json
import socket
import struct
import tempfile
import time
import unittest

import stdlib_wire as wire
from peer import Peer, encode, hello, own_daemon
from stdlib_wire import (CLOSE, CREDIT, HELLO, OPEN, OPENED, PING, PONG, PULL, SEEK, WELCOME,
                         encode_open, encode_string)

CAN_ASK = 8
OPEN_1 = encode_open("default", batch=4)
U64 = struct.pack("<Q", 0)
CREDIT_0 = struct.pack("<IQ", 0, 0)
GOODBYE = struct.pack("<H", 0) + encode_string("")
TOO_LONG = "too_large bad_frame"  # sections 12 and 5 may both be meant, for strings
BAD_TEXT = {
    "overlong": b"\xc0\xaf", "overlong 3": b"\xe0\x80\xaf", "surrogate": b"\xed\xa0\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80", "cut": b"a\xe2\x82", "lone": b"\x80", "ff": b"\xff",
    "NUL": b"a\0b", "newline": b"a\nb", "DEL": b"\x7f", "U+0085": "\x85".encode()}
GOOD_TEXT = "\u00a0\u00e9\ud7ff\ue000\U0001d11e\U0010ffff"


def raw_string(data):
    """A string of any bytes."""
    return struct.pack("<H", len(data)) + data


class Session(unittest.TestCase):
    """A test with peers in any state."""

    def peer(self, where=None):
        """A peer in state FRESH."""
        peer = Peer(where)
        self.addCleanup(peer.sock.close)
        return peer

    def ready(self, kinds=3):
        """A peer in state READY."""
        return self.peer().hello(kinds)

    def streaming(self, kinds=3, **fields):
        """A peer in state STREAMING, serial 2, no credit; four samples a step."""
        return self.ready(kinds).open(**({"batch": 4} | fields))

    def states(self):
        """(name, peer) in FRESH, READY and STREAMING."""
        return ("FRESH", self.peer()), ("READY", self.ready()), ("STREAMING", self.streaming())


class Handshake(Session):
    """Section 7, HELLO and WELCOME."""

    def welcome(self, payload, request=7):
        """The fields of the answer to a HELLO."""
        peer = self.peer()
        peer.send(HELLO, request, payload)
        return wire.decode_welcome(peer.expect(WELCOME, request).payload)

    def test_welcome(self):
        for request in (0, 1, 0xFFFFFFFF):
            fields = self.welcome(hello(), request)
            self.assertEqual((fields["version"], fields["capabilities"]), (1, 0))
            self.assertIn("default", fields["streams"])
            for name in ("max_batch_samples", "max_batch_bytes", "max_credit_batches",
                         "max_credit_bytes", "max_pulls", "idle_timeout_ms"):
                self.assertGreater(fields[name], 0, name)
            self.assertLessEqual(fields["max_batch_bytes"], wire.MAX_BATCH)

    def test_highest_common_checksum(self):
        for kinds, chosen in ((0, 0), (1, 0), (2, 1), (3, 1), (0x80000000, 0), (0x80000003, 1),
                              (4, 2), (7, 2)):
            with self.subTest(kinds=kinds):
                self.assertEqual(self.welcome(hello(kinds))["checksum"], chosen)

    def test_unknown_capabilities_are_ignored(self):
        fields = self.welcome(hello(capabilities=0xFFFFFFFF))
        self.assertEqual(fields["capabilities"] & ~0xFFFF, 0)  # those PROTOCOL.md names lie below

    def test_versions(self):
        self.assertEqual(self.welcome(hello(versions=(1, 0xFFFF)))["version"], 1)
        for versions, words in (((2, 3), "unsupported"), ((0, 1), "bad_frame bad_argument"),
                                ((2, 1), "bad_frame bad_argument unsupported")):
            with self.subTest(versions=versions):
                peer = self.peer()
                peer.send(HELLO, 5, hello(versions=versions))
                peer.error(words, fatal=True, request=5)

    def test_lengths_of_names(self):
        self.welcome(hello(client="c" * 255))
        self.welcome(hello(client=""))
        for name, size in (("client", 256), ("token", 1024)):
            with self.subTest(name):
                peer = self.peer()
                peer.send(HELLO, 1, hello(**{name: "a" * size}))
                peer.error(TOO_LONG, fatal=True)

    def test_text(self):
        self.welcome(hello(client=GOOD_TEXT))
        prefix, suffix = struct.pack("<HHII", 1, 1, 0, 3), encode_string("")
        for name, data in BAD_TEXT.items():
            with self.subTest(name):
                peer = self.peer()
                peer.send(HELLO, 1, prefix + raw_string(data) + suffix)
                peer.error("bad_frame", fatal=True)
                peer = self.peer()
                peer.send(HELLO, 1, prefix + suffix + raw_string(data))
                peer.error("bad_frame unauthorized", fatal=True)

    def test_tokens(self):
        token = "open-sesame-0000"
        with tempfile.NamedTemporaryFile("w", suffix=".tokens") as file:
            file.write(token + "\n")
            file.flush()
            with own_daemon("--token-file", file.name) as daemon:
                for given in (token, "", token[:-1], token + "0", "b" * 1023):
                    peer = self.peer(("127.0.0.1", daemon.tcp))
                    peer.send(HELLO, 3, hello(token=given))
                    if given == token:
                        peer.expect(WELCOME, 3)
                    else:
                        peer.error("unauthorized", fatal=True, request=3)


class Headers(Session):
    """Section 3: a frame with a wrong header is the last."""

    def refused(self, words, make):
        """`make()` is a wrong frame; in each state it gets a fatal ERROR."""
        for state, peer in self.states():
            with self.subTest(words, state=state):
                peer.sock.sendall(make())
                peer.error(words, fatal=True)

    def test_magic(self):
        for magic in (b"PSTE", b"GET ", b"\0\0\0\0", b"\x16\x03\x01\x02"):
            self.refused("bad_frame", lambda: encode(PING, 1, U64, magic=magic))

    def test_version(self):
        for version in (0, 2, 255):
            self.refused("unsupported bad_frame", lambda: encode(PING, 1, U64, version=version))

    def test_header_crc(self):
        self.refused("bad_frame corrupt", lambda: encode(PING, 1, U64, header_xor=1))
        self.refused("bad_frame corrupt", lambda: encode(PING, 1, U64, header_xor=1 << 31))

    def test_payload_crc(self):
        self.refused("bad_frame corrupt", lambda: encode(PING, 1, U64, payload_crc=1))
        self.refused("bad_frame corrupt", lambda: encode(HELLO, 1, hello(), payload_crc=0))

    def test_reserved(self):
        self.refused("bad_frame", lambda: encode(PING, 1, U64, flags=1))
        self.refused("bad_frame", lambda: encode(PING, 1, U64, flags=0x8000))
        self.refused("bad_frame", lambda: encode(PING, 1, U64, reserved=1))
        self.refused("bad_frame", lambda: encode(PING, 1, U64, reserved=1 << 31))

    def test_too_long(self):
        """Refused by the header alone: the payload is never sent."""
        for n_bytes in (4065, 1 << 32, (1 << 64) - 32, (1 << 64) - 1):
            for kind in (HELLO, OPEN, PING, CLOSE):
                self.refused("too_large", lambda: encode(kind, 1, n_bytes=n_bytes))

    def test_long_but_damaged(self):
        """A length is not believed when the header's crc is wrong: no waiting for the rest."""
        self.refused("bad_frame corrupt", lambda: encode(PING, 1, n_bytes=4000, header_xor=2))

    def test_longest(self):
        """4096 bytes are a frame, if one that does not end where its last field ends."""
        self.refused("bad_frame bad_state", lambda: encode(PING, 1, bytes(4064)))

    def test_unknown_types(self):
        for kind in (0, 100, 127, 255):
            self.refused("unsupported", lambda: encode(kind, 1))

    def test_types_of_the_server(self):
        for kind in (WELCOME, OPENED, wire.BATCH, wire.ERROR, wire.DRAIN,
                     wire.REPLY, wire.SLOT):
            self.refused("bad_frame bad_state unsupported", lambda: encode(kind, 1))


class Payloads(Session):
    """Section 4: a payload ends exactly where its last field ends."""

    def test_length(self):
        for kind, payload in ((OPEN, OPEN_1), (CREDIT, CREDIT_0), (PULL, U64), (SEEK, U64),
                              (PING, U64), (PONG, U64), (CLOSE, GOODBYE), (HELLO, hello())):
            for change in (payload[:-1], payload + b"\0", b"", payload[:1]):
                with self.subTest(kind=kind, length=len(change)):
                    peer = self.peer() if kind == HELLO else self.streaming()
                    peer.send(kind, 9, change)
                    peer.error("bad_frame too_large", fatal=True)

    def test_zero_fields(self):
        for at in (22, 23):
            for value in (2, 0x80):
                changed = bytearray(OPEN_1)
                changed[at] = value
                with self.subTest(at=at, value=value):
                    peer = self.ready()
                    peer.send(OPEN, 9, bytes(changed))
                    peer.error("bad_frame", fatal=True)

    def test_text(self):
        for name, data in BAD_TEXT.items():
            with self.subTest(name):
                peer = self.ready()
                peer.send(OPEN, 9, OPEN_1[:56] + raw_string(data))
                peer.error("bad_frame", fatal=True)
                peer = self.ready()
                peer.send(CLOSE, 0, struct.pack("<H", 0) + raw_string(data))
                peer.error("bad_frame", fatal=True)

    def test_stream_name_too_long(self):
        peer = self.ready()
        peer.send(OPEN, 9, OPEN_1[:56] + raw_string(b"s" * 256))
        peer.error(TOO_LONG, fatal=True)

    def test_close_text_too_long(self):
        peer = self.ready()
        peer.send(CLOSE, 0, struct.pack("<H", 0) + raw_string(b"s" * 512))
        peer.error(TOO_LONG, fatal=True)


class States(Session):
    """Section 5, the table."""

    def test_fresh(self):
        for kind, payload in ((OPEN, OPEN_1), (CREDIT, CREDIT_0), (PULL, U64), (SEEK, U64),
                              (PING, U64), (PONG, U64)):
            with self.subTest(kind=kind):
                peer = self.peer()
                peer.send(kind, 9, payload)
                peer.error("bad_state", fatal=True, request=9)

    def test_second_hello(self):
        for peer in (self.ready(), self.streaming()):
            peer.send(HELLO, 9, hello())
            peer.error("bad_state", fatal=True, request=9)

    def test_ready(self):
        peer = self.ready()
        for kind, payload in ((CREDIT, struct.pack("<IQ", 1, 0)), (PULL, U64), (SEEK, U64)):
            peer.send(kind, 9, payload)
            peer.error("bad_state", fatal=False, request=9)
        peer.ping()
        peer.open(batch=4).quiet()

    def test_open_failed_behind_credit(self):
        peer = self.ready()
        peer.sock.sendall(encode(OPEN, 2, encode_open("no such")) + encode(PULL, 3, U64)
                          + encode(CREDIT, 4, struct.pack("<IQ", 3, 0)) + encode(OPEN, 5, OPEN_1))
        peer.error("not_found", fatal=False, request=2)
        peer.error("bad_state", fatal=False, request=3)
        peer.error("bad_state", fatal=False, request=4)
        peer.expect(OPENED, 5)
        peer.quiet()

    def test_failed_open_ends_the_stream(self):
        peer = self.streaming()
        peer.credit(1, 1)  # one byte: nothing flows yet
        peer.send(OPEN, 3, encode_open("no such"))
        peer.error("not_found", fatal=False, request=3)
        peer.credit(1, 0, request=4)
        peer.error("bad_state", fatal=False, request=4)
        peer.quiet()

    def test_ping_and_pong(self):
        for peer in (self.ready(), self.streaming()):
            for request, token in ((0, 0), (1, 1), (0xFFFFFFFF, (1 << 64) - 1)):
                peer.send(PING, request, struct.pack("<Q", token))
                self.assertEqual(peer.expect(PONG, request).payload, struct.pack("<Q", token))
            peer.send(PONG, 77, U64)
            peer.ping()

    def test_close(self):
        for state, peer in self.states():
            for code, text in ((0, ""), (65535, "t" * 511)):
                with self.subTest(state, code=code):
                    if code:
                        peer = dict(self.states())[state]
                    peer.send(CLOSE, 0, struct.pack("<H", code) + encode_string(text))
                    peer.end()

    def test_nothing_after_close(self):
        peer = self.streaming()
        peer.sock.sendall(encode(CLOSE, 0, GOODBYE) + encode(PING, 1, U64)
                          + encode(CREDIT, 2, struct.pack("<IQ", 4, 0)))
        peer.end()

    def test_end_of_stream_ends_the_session(self):
        for state, peer in self.states():
            with self.subTest(state):
                peer.sock.shutdown(socket.SHUT_WR)
                peer.end()

    def test_end_of_stream_within_a_frame(self):
        for size in (1, 31, 32, 39):
            peer = self.streaming()
            peer.sock.sendall(encode(PING, 1, U64)[:size])
            peer.sock.shutdown(socket.SHUT_WR)
            peer.sock.settimeout(8.0)
            try:
                self.assertEqual(wire.read_frame(peer.sock).type, wire.ERROR)
            except (EOFError, ConnectionResetError):
                pass


class Questions(Session):
    """ASK, section 7; a server without the capability is not asked."""

    def able(self):
        """A peer in state READY whose server has the capability."""
        peer = self.peer()
        peer.send(HELLO, 1, hello(capabilities=CAN_ASK))
        peer.welcome = wire.decode_welcome(peer.expect(WELCOME, 1).payload)
        if not peer.welcome["capabilities"] & CAN_ASK:
            self.skipTest("a server without ASK")
        return peer

    def ask(self, peer, topic, request=9):
        """The answer as JSON."""
        peer.send(wire.ASK, request, encode_string(topic))
        frame = peer.expect(wire.REPLY, request)
        return json.loads(wire.decode_reply(frame.payload))

    def test_operations(self):
        operations = self.ask(self.able(), "operations")["operations"]
        names = [operation["name"] for operation in operations]
        self.assertEqual(len(names), len(set(names)))
        for operation in operations:
            self.assertIn(operation["random"], (True, False))
            self.assertTrue(operation["text"])
            self.assertEqual(set(operation["cost_ns_per_px"]), {"portable", "avx2", "avx512"})
            for value in operation["values"]:
                self.assertLess(value["min"], value["max"])
                default = value["default"]
                for number in default if isinstance(default, list) else [default]:
                    self.assertTrue(value["min"] <= number <= value["max"], value)

    def test_presets(self):
        peer = self.able()
        presets = self.ask(peer, "presets")["presets"]
        self.assertTrue(presets)
        for request, preset in enumerate(presets):
            self.assertTrue(preset["source"])
            recipe = self.ask(peer, f"preset {preset['name']}", request)
            self.assertIn("object", recipe)

    def test_the_recipe_of_a_stream(self):
        peer = self.able()
        recipe = self.ask(peer, "recipe default")
        self.assertIn("object", recipe)
        self.assertIn("slots", recipe["chain"])

    def test_unknown_topics(self):
        peer = self.able()
        for topic in ("nothing", "preset ", "preset no such", "a" * 255,
                      "recipe", "recipe ", "recipe no_such", "recipe default "):
            peer.send(wire.ASK, 8, encode_string(topic))
            peer.error("not_found", fatal=False, request=8)
        peer.ping()

    def test_a_stream_goes_on(self):
        peer = self.able().open(batch=4)
        peer.credit(2)
        peer.send(wire.ASK, 7, encode_string("presets"))
        kinds = sorted(peer.read().type for _ in range(3))
        self.assertEqual(kinds, [wire.BATCH, wire.BATCH, wire.REPLY])
        peer.quiet()

    def test_needs_the_capability(self):
        peer = self.ready()
        peer.send(wire.ASK, 6, encode_string("presets"))
        peer.error("unsupported", fatal=True, request=6)

    def test_malformed(self):
        good = encode_string("presets")
        for payload in (b"", raw_string(b""), good[:-1], good + b"\0",
                        raw_string(b"a" * 256), raw_string(b"a\nb")):
            peer = self.able()
            peer.send(wire.ASK, 9, payload)
            peer.error(TOO_LONG, fatal=True)


class Packets(Session):
    """The transport is a stream of bytes: how they are cut means nothing."""

    SCRIPT = (encode(HELLO, 1, hello()) + encode(OPEN, 2, encode_open("default", batch=2))
              + encode(CREDIT, 3, struct.pack("<IQ", 2, 0)) + encode(PING, 4, U64))

    def answers(self, peer):
        """The frames up to both batches and the PONG, which come in any order between them."""
        welcome = wire.decode_welcome(peer.expect(WELCOME, 1).payload)
        peer.expect(OPENED, 2)
        frames = [peer.read() for _ in range(3)]
        self.assertEqual(sorted(frame.type for frame in frames),
                         [wire.BATCH, wire.BATCH, PONG])
        batches = [wire.decode_batch(frame.payload, 2, kind=welcome["checksum"])
                   for frame in frames if frame.type == wire.BATCH]
        self.assertEqual([batch.first_position for batch in batches], [0, 2])
        peer.quiet()

    def test_all_at_once(self):
        peer = self.peer()
        peer.sock.sendall(self.SCRIPT)
        self.answers(peer)

    def test_byte_at_a_time(self):
        peer = self.peer()
        for byte in self.SCRIPT:
            peer.sock.sendall(bytes([byte]))
            time.sleep(0.001)
        self.answers(peer)

    def test_odd_pieces(self):
        for size in (5, 31, 33, 64, 100):
            peer = self.peer()
            for at in range(0, len(self.SCRIPT), size):
                peer.sock.sendall(self.SCRIPT[at:at + size])
                time.sleep(0.002)
            self.answers(peer)

    def test_many_frames_in_one_packet(self):
        peer = self.ready()
        peer.sock.sendall(b"".join(encode(PING, i, struct.pack("<Q", i)) for i in range(1000)))
        for i in range(1000):
            self.assertEqual(peer.expect(PONG, i).payload, struct.pack("<Q", i))
