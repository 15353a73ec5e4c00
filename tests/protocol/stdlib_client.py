"""A client of pasted's binary protocol, from the text of common/PROTOCOL.md alone.

Standard library only. It is strict rather than fast: whatever the text lets a client check is
checked, and each breach is a ProtocolError. The frames themselves are in stdlib_wire.
"""

import collections
import socket
import struct

from stdlib_wire import (
    BATCH, CHANNELS, CHECKSUMS, CLOSE, CREDIT, DRAIN, DTYPES, ERROR, HELLO, IMAGE_DTYPES, LAYOUTS,
    MAX_BATCH, MAX_SENT, OPEN, OPENED, PING, PONG, PULL, SEEK, VERSION, WELCOME, Batch, ProtocolError,
    ServerError, Tensor, decode_batch, decode_error, decode_fixed, decode_opened, decode_welcome,
    encode_frame, encode_hello, encode_open, encode_string, need, read_frame)

__all__ = ["Batch", "Client", "ProtocolError", "ServerError", "Tensor", "encode_frame",
           "read_frame"]


class Client:
    """One session. Not for use from several threads; every call may wait up to `timeout` s.

    `welcome` and `opened` hold the fields of the server's answers, `drain` those of DRAIN once it
    came, `cursor` the position of the next step that the stream will bring.
    """

    def __init__(self, host, port, *, token="", checksums=("crc32", "none"), timeout=30.0,
                 capabilities=0):
        self._capabilities = capabilities
        self.opened = self.drain = None
        self.cursor = self._serial = self._last_id = 0
        self._credit = [0, 0]  # batches, bytes
        self._past = set()  # serials whose batches may still arrive
        self._paying = set()  # those of them that take from this credit
        self._ready = collections.deque()  # batches of the stream that came while waiting
        self._limit = MAX_BATCH
        self._sock = socket.create_connection((host, port), timeout)
        try:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.welcome = self._hello(token, sum(1 << CHECKSUMS[name] for name in checksums))
        except BaseException:
            self._sock.close()
            raise

    def _hello(self, token, kinds):
        request = self._new_id()
        try:
            self._send(HELLO, request, encode_hello(
                capabilities=self._capabilities, checksum_kinds=kinds, client="stdlib_client 1", token=token))
        except ConnectionError:
            pass  # refused before HELLO: the reason can still be read
        fields = decode_welcome(self._wait(WELCOME, request).payload)
        need(fields["version"] == VERSION, f"version {fields['version']} was not offered")
        need(fields["checksum"] == 0 or kinds >> fields["checksum"] & 1, "checksum not offered")
        need(fields["capabilities"] & ~self._capabilities == 0,
             "capabilities that were not asked for")
        self._limit = fields["max_batch_bytes"]
        return fields

    def open(self, stream="default", *, position=0, batch=0, rank=0, world=1, fingerprint=None,
             dtype="", layout=""):
        """OPEN a stream; the fields of OPENED. `batch` 0, dtype "" and layout "": its defaults."""
        request = self._new_serial()
        self._paying.clear()
        self._credit = [0, 0]
        self.opened = None
        asked = {"position": position, "rank": rank, "world": world,
                 "dtype": IMAGE_DTYPES[dtype], "layout": LAYOUTS[layout.lower()]}
        self._send(OPEN, request, encode_open(
            stream, batch=batch, **asked,
            fingerprint=bytes.fromhex(fingerprint) if fingerprint else None))
        fields = decode_opened(self._wait(OPENED, request).payload)
        if fingerprint:
            asked["fingerprint"] = fingerprint.lower()
        for name, value in (asked | {"global_batch": batch}).items():
            may_default = value == 0 and name in ("dtype", "layout", "global_batch")
            need(may_default or fields[name] == value, f"{name} {fields[name]}, asked {value}")
        need(fields["n_samples"] * world == fields["global_batch"] > 0, "n_samples is not G / W")
        need(fields["n_samples"] <= self.welcome["max_batch_samples"], "max_batch_samples")
        need(fields["batch_bytes"] <= self._limit, "max_batch_bytes")
        need(fields["dtype"] in IMAGE_DTYPES.values() and fields["dtype"] != 0, "dtype")
        need(fields["layout"] in (1, 2) and fields["channels"] in CHANNELS, "layout or channels")
        need(min(fields[name] for name in ("edges_per_epoch", "height", "width")) > 0, "sizes")
        self.opened, self.cursor = fields, position
        return fields

    def credit(self, batches, nbytes=0):
        """Grant `batches` more, and `nbytes` bytes (0: what those batches need)."""
        self._send(CREDIT, self._new_id(), struct.pack("<IQ", batches, nbytes))
        self._credit[0] += batches
        self._credit[1] += nbytes or batches * (self.opened or {"batch_bytes": 0})["batch_bytes"]

    def next(self):
        """The next Batch of the stream; waits for it, so credit must have been granted."""
        while not self._ready:
            self._handle(self._read())
        return self._ready.popleft()

    def pull(self, position):
        """The Batch of this rank for the step at `position`; the stream is not moved."""
        request = self._new_id()
        self._send(PULL, request, struct.pack("<Q", position))
        return self._decode_batch(self._wait(BATCH, request), position)

    def seek(self, position):
        """Move the cursor: the next Batch is that of the step at `position`. Credit stays."""
        self._paying.add(self._serial)
        request = self._new_serial()
        self._send(SEEK, request, struct.pack("<Q", position))
        self.cursor = position

    def ping(self):
        """Ask for a sign of life, and wait for it."""
        request = self._new_id()
        token = struct.pack("<Q", 0x9E3779B97F4A7C15 ^ request)
        self._send(PING, request, token)
        need(self._wait(PONG, request).payload == token, "PONG with another token")

    def close(self):
        """Say goodbye, when the connection still stands, and close."""
        try:
            self._send(CLOSE, 0, struct.pack("<H", 0) + encode_string(""))
        except OSError:
            pass
        self._sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _new_id(self):
        self._last_id += 1
        return self._last_id

    def _new_serial(self):
        if self._serial:
            self._past.add(self._serial)
        self._ready.clear()
        self._serial = self._new_id()
        return self._serial

    def _send(self, kind, request, payload):
        frame = encode_frame(kind, request, payload)
        if len(frame) > MAX_SENT:
            raise ValueError(f"a frame of {len(frame)} bytes")
        self._sock.sendall(frame)

    def _read(self):
        try:
            return read_frame(self._sock, max_batch=self._limit)
        except EOFError:
            raise ConnectionError("end of stream without CLOSE") from None

    def _wait(self, kind, request):
        """The frame that answers `request`; what comes before it is handled."""
        while True:
            frame = self._read()
            if (frame.type, frame.request) == (kind, request):
                return frame
            self._handle(frame)

    def _handle(self, frame):
        if frame.type == BATCH:
            self._take(frame)
        elif frame.type == PING:
            decode_fixed(frame.payload, "Q", "token")
            self._send(PONG, frame.request, frame.payload)
        elif frame.type == DRAIN:
            self.drain = decode_fixed(frame.payload, "QI", "position grace_ms")
        elif frame.type in (ERROR, CLOSE):
            error = decode_error(frame)
            if error.fatal:
                self._sock.close()
            raise error
        else:
            raise ProtocolError(f"frame of type {frame.type}, request {frame.request}, unasked")

    def _take(self, frame):
        """A BATCH of the stream: keep it, or drop it when its serial is past."""
        if frame.request == self._serial or frame.request in self._paying:
            self._credit[0] -= 1
            self._credit[1] -= len(frame.payload)
            need(min(self._credit) >= 0, "a batch without credit")
        if frame.request in self._past:
            return
        need(frame.request == self._serial and self.opened, f"batch of request {frame.request}")
        need(not self.drain or self.cursor < self.drain["position"], "a batch beyond DRAIN")
        self._ready.append(self._decode_batch(frame, self.cursor))
        self.cursor += self.opened["global_batch"]

    def _decode_batch(self, frame, cursor):
        batch, opened = decode_batch(frame.payload, frame.request,
                                     kind=self.welcome["checksum"]), self.opened
        need(len(frame.payload) == opened["batch_bytes"], "batch_bytes")
        need(batch.n_samples == opened["n_samples"], "n_samples")
        need(batch.first_position == cursor + opened["rank"] * opened["n_samples"],
             f"first_position {batch.first_position} at cursor {cursor}")
        height, width = opened["height"], opened["width"]
        need(batch.tensors["image"].shape[1:] == (
            (height, width, 3) if opened["layout"] == 1 else (3, height, width)), "image's shape")
        need(batch.tensors["image"].dtype == DTYPES[opened["dtype"]][0], "image's dtype")
        return batch
