"""Writes the seeds of fuzz_wire: python3 tests/fuzz/seeds_wire.py
Frames made from PROTOCOL.md with struct and zlib, and a few damaged ones."""
import pathlib
import struct
import zlib

OUT = pathlib.Path(__file__).parent / "corpus" / "wire"
FINGERPRINT = bytes(range(32))


def text(s):
    return struct.pack("<H", len(s.encode())) + s.encode()


def frame(kind, request, payload, version=1, length=None):
    length = len(payload) if length is None else length
    crc = 0 if kind == 6 else zlib.crc32(payload)
    head = struct.pack("<4sBBHIIQI", b"PSTD", version, kind, 0, request, 0,
                       length, crc)
    return head + struct.pack("<I", zlib.crc32(head)) + payload


def tensor(name, dtype, shape, offset, n_bytes):
    sizes = list(shape) + [0] * (4 - len(shape))
    return struct.pack("<16sBB6x4QQQ", name.encode(), dtype, len(shape),
                       *sizes, offset, n_bytes)


def batch(image_shape=(2, 2, 2, 3), image_offset=256, checksum=1):
    head = struct.pack("<QIHBBQ8x", 86, 2, 2, checksum, 0, 320)
    head += tensor("label", 3, (2,), 192, 16)
    head += tensor("image", 1, image_shape, image_offset, 24)
    body = head.ljust(320, b"\0")
    return body + bytes(24 if checksum else 0)


PAYLOADS = {
    "hello": (1, struct.pack("<HHII", 1, 1, 0, 7) + text("demo")
              + text("open-sesame-0000")),
    "welcome": (2, struct.pack("<HBBIIIQIQII", 1, 2, 0, 1, 0, 65536, 1 << 32,
                               1024, 1 << 36, 16, 120000)
                + text("pasted") + struct.pack("<H", 2) + text("default")
                + text("signs")),
    "open": (3, struct.pack("<QIII4B", 86, 86, 1, 2, 1, 1, 1, 0)
             + FINGERPRINT + text("default")),
    "open_any": (3, struct.pack("<QIII4B", 0, 0, 0, 1, 0, 0, 0, 0)
                 + bytes(32) + text("default")),
    "open_replay": (3, struct.pack("<QIII4B", 86, 86, 1, 2, 1, 1, 0, 1)
                    + bytes(32) + text("default") + struct.pack("<I", 20)),
    "open_candidates": (3, struct.pack("<QIII4B", 86, 86, 1, 2, 1, 1, 0, 3)
                        + bytes(32) + text("default")
                        + struct.pack("<II", 20, 10)),
    "opened": (4, FINGERPRINT + struct.pack(
        "<QQQQIIIIIIIIIBBBBQI", 7, 344, 86, 528384, 86, 1, 2, 43, 43, 80, 4,
        64, 64, 1, 1, 1, 0, 99, 2) + text("stop") + text("yield")),
    "credit": (5, struct.pack("<IQ", 4, 2113536)),
    "credit_pace": (5, struct.pack("<IQIIQQ", 4, 0, 3, 1, 10**8, 10**6)),
    "batch": (6, batch()),
    "batch_unsummed": (6, batch(checksum=0)),
    "batch_overlap": (6, batch(image_offset=192)),
    "batch_overflow": (6, batch(image_shape=(2, (1 << 62) + 2, 2, 3))),
    "pull": (7, struct.pack("<Q", 172)),
    "seek": (8, struct.pack("<Q", 258)),
    "error": (9, struct.pack("<HBBI", 10, 0, 0, 1000) + text("too busy")),
    "ping": (10, struct.pack("<Q", 0x0123456789abcdef)),
    "pong": (11, struct.pack("<Q", 0x0123456789abcdef)),
    "close": (12, struct.pack("<H", 11) + text("bye")),
    "slot": (20, struct.pack("<QQQQ", 9, 65536, 528384, 593984)),
    "slot_odd": (20, struct.pack("<QQQQ", 9, 65537, 528384, 0)),
    "refine": (23, struct.pack("<QQIIIBBH", 172, 215, 43, 64, 48, 1, 1, 0)),
    "return": (21, struct.pack("<Q", 9)),
    "feedback": (22, text("default") + struct.pack("<I4H", 2, 0, 1, 65535, 0)),
    "feedback_short": (22, text("default") + struct.pack("<I3H", 2, 0, 1, 2)),
    "feedback_huge": (22, text("default") + struct.pack("<I", 1 << 20)),
    "open_feedback": (3, struct.pack("<QIII4B", 86, 86, 1, 2, 1, 1, 0, 7)
                      + bytes(32) + text("default")
                      + struct.pack("<II", 20, 10) + FINGERPRINT),
    "join": (14, struct.pack("<QQIIII4B", 0, 12, 0, 86, 2, 60000, 1, 1, 1, 0)
             + FINGERPRINT + text("default") + text("night") + text("m1")),
    "join_any": (14, struct.pack("<QQIIII4B", 0, 0, 3, 0, 1, 0, 0, 0, 0, 0)
                 + bytes(32) + text("default") + text("night") + text("")),
    "join_candidates": (14, struct.pack(
        "<QQIIII4B", 0, 0, 3, 0, 1, 0, 0, 0, 0, 2) + bytes(32)
        + text("default") + text("night") + text("") + struct.pack("<I", 4)),
    "lease": (15, struct.pack("<QQQII", 9, 4, 1052, 2, 60000)),
    "ack": (16, struct.pack("<Q", 9)),
    "acked": (17, struct.pack("<QH6x", 9, 0)),
    "acked_lost": (17, struct.pack("<QH6x", 9, 22)),
    "drain": (13, struct.pack("<QI", 344, 5000)),
    "ask": (18, text("preset bench")),
    "reply": (19, b'{"a":\n1}\n'),
}


def seeds():
    for name, (kind, payload) in PAYLOADS.items():
        yield name, frame(kind, 1, payload)
    # The payload chosen by the first byte, for searching without a crc.
    yield "bare_welcome", bytes([2]) + PAYLOADS["welcome"][1]
    yield "bare_batch", bytes([6]) + PAYLOADS["batch"][1]
    yield "bare_utf8", bytes([12]) + struct.pack("<H", 0) + text("\u00e9\U0001f600")
    yield "bare_overlong", bytes([12, 0, 0, 2, 0, 0xC0, 0xAF])
    whole = frame(1, 1, PAYLOADS["hello"][1])
    yield "cut", whole[:40]
    yield "bad_crc", whole[:35] + b"\xff" + whole[36:]
    yield "version_9", frame(1, 1, PAYLOADS["hello"][1], version=9)
    yield "huge", frame(1, 1, b"", length=1 << 62)
    yield "garbage", bytes(range(7, 200, 3))


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    for seed_name, data in seeds():
        (OUT / seed_name).write_bytes(data)
    print(len(list(OUT.iterdir())), "seeds")
