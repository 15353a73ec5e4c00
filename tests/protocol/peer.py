"""A peer that can misbehave, and the server under test.

The server is that of the environment variable PASTED_TCP (HOST:PORT, with PASTED_TOKEN when it
asks for one) or a demo daemon that is started once and stopped at the end.
"""

import os
import pathlib
import socket
import struct
import sys
import time
import unittest

import stdlib_wire as wire

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

TOKEN = os.environ.get("PASTED_TOKEN", "")
FATAL_END_S = 8.0  # the server's linger is 1 s; more than this is no end
QUIET_S = 0.25  # how long nothing must come

_daemons = []


def own_daemon(*args, demo=True):
    """A daemon of the helper module; skips the test where a server was given instead."""
    if "PASTED_TCP" in os.environ:
        raise unittest.SkipTest("needs a daemon of its own")
    from daemon import Daemon
    return Daemon(*(["--demo"] if demo else []), *args)


def address():
    """(host, port) of the server under test."""
    if "PASTED_TCP" in os.environ:
        host, port = os.environ["PASTED_TCP"].rsplit(":", 1)
        return host.strip("[]"), int(port)
    if not _daemons:
        _daemons.append(own_daemon().__enter__())
    return "127.0.0.1", _daemons[0].tcp


def stop_server():
    """Stop the shared daemon, if this process started it."""
    while _daemons:
        _daemons.pop().__exit__(None, None, None)


class Peer:
    """A connection to the server that sends whatever it is told to."""

    def __init__(self, where=None, *, timeout=20.0):
        self.sock = socket.create_connection(where or address(), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.welcome = self.opened = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, kind, request, payload=b"", **changes):
        """One frame; see encode for `changes`."""
        self.sock.sendall(encode(kind, request, payload, **changes))

    def hello(self, kinds=3, request=1):
        """HELLO and its WELCOME."""
        self.send(wire.HELLO, request, hello(kinds))
        self.welcome = wire.decode_welcome(self.expect(wire.WELCOME, request).payload)
        return self

    def open(self, request=2, stream="default", **fields):
        """OPEN and its OPENED."""
        self.send(wire.OPEN, request, wire.encode_open(stream, **fields))
        self.opened = wire.decode_opened(self.expect(wire.OPENED, request).payload)
        return self

    def credit(self, batches, n_bytes=0, request=0xC0):
        """CREDIT."""
        self.send(wire.CREDIT, request, struct.pack("<IQ", batches, n_bytes))

    def at(self, kind, request, position):
        """PULL or SEEK."""
        self.send(kind, request, struct.pack("<Q", position))

    def read(self):
        """The next frame but PING, which is answered."""
        while True:
            frame = wire.read_frame(self.sock)
            if frame.type != wire.PING:
                return frame
            self.send(wire.PONG, frame.request, frame.payload)

    def expect(self, kind, request):
        """The next frame, which must be this one."""
        frame = self.read()
        if frame.type == wire.ERROR and kind != wire.ERROR:
            raise wire.decode_error(frame)
        assert (frame.type, frame.request) == (kind, request), (
            f"frame {frame.type} of request {frame.request}, not {kind} of {request}")
        return frame

    def error(self, words, *, fatal, request=None):
        """The next frame, an ERROR with one of `words`; after a fatal one the stream ends."""
        frame = self.read()
        assert frame.type == wire.ERROR, f"frame {frame.type}, not ERROR {words}"
        error = wire.decode_error(frame)
        assert error.word in words.split(), f"{error.word}, not {words}: {error.text}"
        assert error.fatal == fatal, f"fatal {error.fatal}: {error}"
        assert request in (None, frame.request), f"request {frame.request}, not {request}"
        assert error.text, "an error without a sentence"
        if fatal:
            self.end()
        return error

    def batch(self, request):
        """The next frame, a Batch that must have this request."""
        batch = self.any_batch()
        assert batch.request == request, f"batch of request {batch.request}, not {request}"
        return batch

    def any_batch(self):
        """The next frame, a Batch of any request."""
        frame = self.read()
        if frame.type == wire.ERROR:
            raise wire.decode_error(frame)
        assert frame.type == wire.BATCH, f"frame {frame.type}, not BATCH"
        return wire.decode_batch(frame.payload, frame.request, kind=self.welcome["checksum"])

    def end(self):
        """The end of the stream must come, soon, between frames, and nothing before it."""
        self.sock.settimeout(FATAL_END_S)
        try:
            frame = self.read()
        except (EOFError, ConnectionResetError):
            return
        raise AssertionError(f"frame {frame.type} where the end was due")

    def ping(self, request=0x9999):
        """PING; the next frame must be its PONG."""
        token = struct.pack("<Q", 0xFEDCBA9876543210)
        self.send(wire.PING, request, token)
        assert self.expect(wire.PONG, request).payload == token

    def quiet(self):
        """Nothing may come for a while, and the connection stands."""
        self.ping()
        time.sleep(QUIET_S)
        self.ping()


def hello(kinds=3, client="conformance", **fields):
    """Payload of a valid HELLO with the token that the server wants."""
    return wire.encode_hello(checksum_kinds=kinds, client=client, **({"token": TOKEN} | fields))


def encode(kind, request, payload=b"", *, magic=wire.MAGIC, version=1, flags=0, reserved=0,
           n_bytes=None, payload_crc=None, header_xor=0):
    """A frame whose header may be wrong in any field."""
    good = wire.encode_frame(kind, request, payload)
    if payload_crc is None:
        payload_crc = struct.unpack_from("<I", good, 24)[0]
    head = wire.HEADER.pack(magic, version, kind, flags, request, reserved,
                            len(payload) if n_bytes is None else n_bytes, payload_crc)
    return head + struct.pack("<I", wire.zlib.crc32(head) ^ header_xor) + payload
