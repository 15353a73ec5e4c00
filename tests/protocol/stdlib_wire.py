"""The bytes of pasted's binary protocol, from the text of common/PROTOCOL.md alone.

Standard library only. It is strict rather than fast: whatever the text lets a receiver check in
one frame is checked, and each breach is a ProtocolError. Numbers on the wire are little-endian.
The section numbers in the comments are those of PROTOCOL.md.
"""

import collections
import dataclasses
import math
import re
import struct
import zlib

MAGIC = b"PSTD"
VERSION = 1
HEADER = struct.Struct("<4sBBHIIQI")  # magic version type flags request reserved bytes crc: 28
HEADER_BYTES = HEADER.size + 4  # and the crc of the header itself
MAX_SENT = 4096  # bytes of a frame that a client sends, header included
MAX_LARGE, MAX_SMALL, MAX_BATCH = 16 << 20, 4064, 4 << 30  # bytes of a payload, section 12

(HELLO, WELCOME, OPEN, OPENED, CREDIT, BATCH, PULL, SEEK, ERROR, PING, PONG, CLOSE,
 DRAIN, JOIN, LEASE, ACK, ACKED, ASK, REPLY, SLOT, RETURN, FEEDBACK, REFINE) = range(1, 24)
LIMITS = {WELCOME: MAX_LARGE, OPENED: MAX_LARGE, ERROR: MAX_LARGE, DRAIN: MAX_LARGE,
          REPLY: 1 << 20, LEASE: MAX_SMALL, ACKED: MAX_SMALL, SLOT: MAX_SMALL,
          PING: MAX_SMALL, PONG: MAX_SMALL, CLOSE: MAX_SMALL, BATCH: MAX_BATCH}

CHECKSUMS = {"none": 0, "crc32": 1, "xxh3": 2}
DTYPES = {1: ("u8", 1), 2: ("i32", 4), 3: ("i64", 8), 4: ("f32", 4), 5: ("f16", 2),
          6: ("bf16", 2)}
IMAGE_DTYPES = {"": 0, "u8": 1, "f32": 4, "f16": 5, "bf16": 6}
LAYOUTS = {"": 0, "nhwc": 1, "nchw": 2}
CHANNELS = {1: 3, 2: 3, 3: 1}  # RGB, BGR, grey -> how many
KNOWN = {"label": ("i64", ()), "object": ("i32", ()), "background": ("i32", ()),
         "position": ("i64", ()), "box": ("f32", (4,)), "visible": ("f32", ()),
         "distractor": ("i32", ()), "candidate": ("i32", ())}
RANKS = {"mask": ("u8", 3), "plane": ("u8", 4), "context": ("u8", 4),
         "keypoints": ("f32", 3)}  # dtype, dimensions
WORDS = dict(enumerate((
    "internal no_memory bad_argument bad_frame too_large not_found fingerprint_mismatch "
    "unauthorized unsupported overloaded draining timeout closed io bad_state corrupt").split(), 1))
WORDS |= {22: "lease_lost", 23: "ended", 24: "group_mismatch",
          25: "unknown_feedback"}


class ProtocolError(Exception):
    """The server sent something that the protocol forbids."""


class ServerError(Exception):
    """An ERROR frame, or a CLOSE (then `fatal` is true and `code` 0 means a plain goodbye)."""

    def __init__(self, code, text, fatal, retry_after_ms=0, request=0):
        self.code, self.text, self.fatal = code, text, fatal
        self.word = WORDS.get(code, "closed" if code == 0 else f"code_{code}")
        self.retry_after_ms, self.request = retry_after_ms, request
        super().__init__(f"{self.word}: {text}")


Frame = collections.namedtuple("Frame", "type request payload")


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A tensor of a batch: `data` is row-major, little-endian, without padding."""
    name: str
    dtype: str  # a word of section 8: u8, i32, i64, f32, f16, bf16
    shape: tuple
    data: memoryview  # of bytes; lives as long as it is referenced


@dataclasses.dataclass(frozen=True)
class Batch:
    """One slice: samples at positions first_position .. first_position + n_samples - 1."""
    first_position: int
    n_samples: int
    request: int
    tensors: dict  # name -> Tensor, in the order of the wire; image is last


def need(condition, text):
    """Raise ProtocolError with `text` unless `condition` holds."""
    if not condition:
        raise ProtocolError(text)


# ---- frames, section 3


def encode_frame(kind, request, payload=b"", *, version=VERSION):
    """The bytes of one frame: a header of 32 bytes, then the payload."""
    crc = 0 if kind == BATCH else zlib.crc32(payload)
    head = HEADER.pack(MAGIC, version, kind, 0, request, 0, len(payload), crc)
    return head + struct.pack("<I", zlib.crc32(head)) + payload


def read_exactly(source, n_bytes):
    """`n_bytes` bytes of `source`, which has recv_into; EOFError when none comes at all."""
    data = bytearray(n_bytes)
    view, at = memoryview(data), 0
    while at < n_bytes:
        got = source.recv_into(view[at:])
        if got == 0:
            raise EOFError("end of stream") if at == 0 else ConnectionError("end within a frame")
        at += got
    return data


def read_frame(source, *, max_batch=MAX_BATCH):
    """The next Frame that a server sent on `source` (a socket, or whatever has recv_into).

    Raises ProtocolError when it is malformed, EOFError at the end of the stream between frames,
    ConnectionError at an end within one. The payload is a bytearray of its own.
    """
    head = read_exactly(source, HEADER_BYTES)
    magic, version, kind, flags, request, reserved, n_bytes, crc = HEADER.unpack_from(head)
    need(magic == MAGIC, f"magic {magic!r}")
    need(struct.unpack_from("<I", head, HEADER.size)[0] == zlib.crc32(head[:HEADER.size]),
         "header_crc32")
    need(version == VERSION, f"version {version} in a header")
    need(flags == 0 and reserved == 0, "reserved fields of the header")
    need(kind in LIMITS, f"frame type {kind} from a server")
    need(n_bytes <= (min(MAX_BATCH, max_batch) if kind == BATCH else LIMITS[kind]),
         f"payload of {n_bytes} bytes in a frame of type {kind}")
    try:
        payload = read_exactly(source, n_bytes)
    except EOFError:
        raise ConnectionError("end within a frame") from None
    need(crc == (0 if kind == BATCH else zlib.crc32(payload)), "payload_crc32")
    return Frame(kind, request, payload)


# ---- data types, section 4


def encode_string(text):
    """u16 length in bytes, then UTF-8."""
    data = text.encode()
    return struct.pack("<H", len(data)) + data


class Reader:
    """Takes fields off the front of a payload; running short is a ProtocolError."""

    def __init__(self, data):
        self._data, self._at = data, 0

    def take(self, layout):
        """The values of a struct layout (little-endian, no padding)."""
        layout = struct.Struct("<" + layout)
        need(layout.size <= len(self._data) - self._at, "payload too short")
        values = layout.unpack_from(self._data, self._at)
        self._at += layout.size
        return values

    def string(self, limit):
        """A string of at most `limit` bytes: valid UTF-8, no control characters."""
        (n_bytes,) = self.take("H")
        need(n_bytes <= limit, f"string of {n_bytes} bytes, limit {limit}")
        (data,) = self.take(f"{n_bytes}s")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ProtocolError(f"string: {error}") from None
        need(not re.search("[\x00-\x1f\x7f-\x9f]", text), "control character in a string")
        return text

    def end(self):
        """Nothing may follow."""
        need(self._at == len(self._data), "bytes after the last field")


# ---- messages, section 7


def encode_hello(*, versions=(1, 1), capabilities=0, checksum_kinds=1, client="", token=""):
    """Payload of HELLO; bit k of checksum_kinds offers kind k."""
    return (struct.pack("<HHII", *versions, capabilities, checksum_kinds)
            + encode_string(client) + encode_string(token))


def encode_open(stream, *, position=0, batch=0, rank=0, world=1, dtype=0, layout=0,
                fingerprint=None, replay=0, candidates=0):
    """Payload of OPEN; `fingerprint` is 32 bytes or None, dtype and layout their numbers."""
    extras = [(bit, value) for bit, value in ((1, replay), (2, candidates)) if value]
    return (struct.pack("<QIIIBBBB32s", position, batch, rank, world, dtype, layout,
                        fingerprint is not None, sum(bit for bit, _ in extras),
                        fingerprint or bytes(32)) + encode_string(stream)
            + b"".join(struct.pack("<I", value) for _, value in extras))


def encode_join(group, stream="default", *, member="", position=0, steps=0, epochs=0, batch=0,
                world=1, lease_ms=0, dtype=0, layout=0, fingerprint=None, candidates=0, kept=()):
    """Payload of JOIN, as encode_open; `lease_ms` 0: the group's or the server's; `kept`: leases."""
    extras = struct.pack("<I", candidates) if candidates else b""
    extras += struct.pack(f"<I{len(kept)}Q", len(kept), *kept) if kept else b""
    return (struct.pack("<QQIIIIBBBB32s", position, steps, epochs, batch, world, lease_ms, dtype,
                        layout, fingerprint is not None, 2 * bool(candidates) + 8 * bool(kept),
                        fingerprint or bytes(32))
            + encode_string(stream) + encode_string(group) + encode_string(member) + extras)


def encode_refine(opened, position, contexts=None, *, given=None, **wrong):
    """Payload of REFINE on a stream: contexts are u8 [n, h, w, 3] or None; `wrong`: other fields."""
    n_samples = opened["n_samples"] if contexts is not None else 0
    fields = {"position": position, "n_samples": n_samples, "height": opened["height"],
              "first_position": position + opened["rank"] * opened["n_samples"],
              "width": opened["width"], "dtype": 1, "layout": 1, "zero": 0} | wrong
    return (struct.pack("<QQIIIBBH", *(fields[name] for name in (
        "position", "first_position", "n_samples", "height", "width", "dtype", "layout", "zero")))
        + (b"" if contexts is None else bytes(given or [1] * n_samples) + contexts))


def decode_lease(payload):
    """LEASE as a dict."""
    fields = decode_fixed(payload, "QQQII", "lease step position delivery lease_ms")
    need(fields["lease"] and fields["delivery"] and fields["position"] < 1 << 63, "LEASE")
    return fields


def decode_acked(payload):
    """ACKED: (lease, the word of its code or "" when it was taken)."""
    fields = decode_fixed(payload, "QHHI", "lease code zero zero")
    need(fields["lease"], "lease 0 in ACKED")
    return fields["lease"], WORDS[fields["code"]] if fields["code"] else ""


def decode_fields(payload, layout, names):
    """A Reader after the fixed part, and a dict of its fields; those named "zero" MUST be 0."""
    reader = Reader(payload)
    pairs = list(zip(names.split(), reader.take(layout), strict=True))
    need(not any(value for name, value in pairs if name == "zero"), "a reserved field is not 0")
    return reader, {name: value for name, value in pairs if name != "zero"}


def decode_welcome(payload):
    """WELCOME as a dict; `streams` is a list of str, the limits are in bytes, ms or counts."""
    reader, fields = decode_fields(
        payload, "HBBIIIQIQII",
        "version checksum zero engine capabilities max_batch_samples max_batch_bytes "
        "max_credit_batches max_credit_bytes max_pulls idle_timeout_ms")
    fields["server"] = reader.string(255)
    (n_streams,) = reader.take("H")
    need(n_streams <= 256, f"{n_streams} streams")
    fields["streams"] = [reader.string(255) for _ in range(n_streams)]
    reader.end()
    return fields


def decode_opened(payload):
    """OPENED as a dict; `fingerprint` in hex, `classes` a list of str, height and width in px."""
    reader, fields = decode_fields(
        payload, "32sQQQQIIIIIIIIIBBBBQI",
        "fingerprint seed edges_per_epoch position batch_bytes global_batch rank world n_samples "
        "n_objects n_backgrounds objects_per_background height width dtype layout channels zero "
        "output n_classes")
    fields["fingerprint"] = fields["fingerprint"].hex()
    need(1 <= fields["n_classes"] <= 65536, f"{fields['n_classes']} classes")
    fields["classes"] = [reader.string(255) for _ in range(fields["n_classes"])]
    reader.end()
    return fields


def decode_slot(payload):
    """SLOT as a dict."""
    fields = decode_fixed(payload, "QQQQ", "slot offset n_bytes sums_offset")
    need(fields["slot"] != 0 and fields["offset"] % 64 == 0, "a SLOT")
    return fields


def decode_reply(payload):
    """The text of REPLY."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProtocolError(f"REPLY: {error}") from None
    need(not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), "control character in a REPLY")
    return text


def decode_error(frame):
    """The ServerError of an ERROR or CLOSE frame."""
    if frame.type == CLOSE:
        reader, fields = decode_fields(frame.payload, "H", "code")
        fields["fatal"] = 1
    else:
        reader, fields = decode_fields(frame.payload, "HBBI", "code fatal zero retry_after_ms")
        need(fields["code"] != 0 and fields["fatal"] <= 1, "code or fatal of an ERROR")
    need(not 17 <= fields["code"] <= 21, f"error code {fields['code']} is never on the wire")
    text = reader.string(511)
    reader.end()
    return ServerError(fields["code"], text, bool(fields["fatal"]),
                       fields.get("retry_after_ms", 0), frame.request)


def decode_fixed(payload, layout, names):
    """A payload of fixed size, as a dict."""
    reader, fields = decode_fields(payload, layout, names)
    reader.end()
    return fields


# ---- the payload of BATCH, section 8


def decode_tensor(payload, index, n_samples, tensors_bytes, begin):
    """Descriptor `index` as (Tensor, offset, end); the tensor may not start before `begin`."""
    name, dtype, n_dims, zero, *shape, offset, n_bytes = struct.unpack_from(
        "<16sBB6s4QQQ", payload, 32 + 72 * index)
    need(re.fullmatch(rb"[a-z][a-z0-9_]{0,14}\0+", name), f"tensor name {name!r}")
    name = name.rstrip(b"\0").decode()
    need(dtype in DTYPES, f"dtype {dtype} of {name}")
    need(1 <= n_dims <= 4 and not any(zero), f"descriptor of {name}")
    shape, rest = tuple(shape[:n_dims]), shape[n_dims:]
    need(all(shape) and not any(rest) and shape[0] == n_samples, f"shape of {name}")
    word, item_bytes = DTYPES[dtype]
    need(n_bytes == math.prod(shape) * item_bytes, f"n_bytes of {name}")
    need(offset % 64 == 0 and begin <= offset, f"offset of {name}")
    need(offset + n_bytes <= tensors_bytes, f"end of {name}")
    need(not any(payload[begin:offset]), f"padding before {name}")
    known, item_shape = KNOWN.get(name, (word, shape[1:]))
    need((known, item_shape) == (word, shape[1:]), f"{name} is {word} of {shape}")
    need(RANKS.get(name, (word, len(shape))) == (word, len(shape)), f"{name} is {word}")
    data = memoryview(payload)[offset:offset + n_bytes].toreadonly()
    return Tensor(name, word, shape, data), offset, offset + n_bytes


def check_checksums(payload, image, image_offset, tensors_bytes):
    """The table of kind crc32, section 9: one entry per sample, one for all before the image."""
    n_samples, item_bytes = image.shape[0], len(image.data) // image.shape[0]
    table = struct.unpack_from(f"<{n_samples + 1}Q", payload, tensors_bytes)
    for i in range(n_samples):
        need(zlib.crc32(image.data[i * item_bytes:(i + 1) * item_bytes]) == table[i],
             f"checksum of sample {i}")
    head = bytearray(payload[:image_offset])
    head[14] = 0
    need(zlib.crc32(head) == table[n_samples], "checksum of the small tensors")


def decode_batch(payload, request, *, kind):
    """The Batch in a payload whose checksum table MUST be of `kind`; xxh3 is not verified."""
    _, head = decode_fields(payload, "QIHBBQQ",
                            "first_position n_samples n_tensors checksum zero tensors_bytes zero")
    n_samples, n_tensors = head["n_samples"], head["n_tensors"]
    tensors_bytes, at = head["tensors_bytes"], 32 + 72 * n_tensors
    need(n_samples >= 1 and 1 <= n_tensors <= 16, "counts of a batch")
    need(head["first_position"] + n_samples <= 1 << 63, "positions of a batch")
    need(head["checksum"] == kind, f"checksum kind {head['checksum']}, not {kind}")
    need(tensors_bytes % 64 == 0 and at <= tensors_bytes, "tensors_bytes")
    need(len(payload) == tensors_bytes + (8 * (n_samples + 1) if kind else 0), "size of a batch")
    tensors, tensor, offset = {}, None, 0
    for i in range(n_tensors):
        tensor, offset, at = decode_tensor(payload, i, n_samples, tensors_bytes, at)
        need(tensor.name not in tensors, f"two tensors {tensor.name}")
        tensors[tensor.name] = tensor
    need(tensor.name == "image" and tensor.dtype in IMAGE_DTYPES, "the last tensor is no image")
    need(len(tensor.shape) == 4 and {1, 3} & {tensor.shape[1], tensor.shape[3]}, "shape of image")
    need(not any(payload[at:tensors_bytes]), "padding after image")
    if kind == CHECKSUMS["crc32"]:
        check_checksums(payload, tensor, offset, tensors_bytes)
    return Batch(head["first_position"], n_samples, request, tensors)
