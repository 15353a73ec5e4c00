"""Writes the seeds of fuzz_server, made of those of fuzz_wire: python3 tests/fuzz/seeds_server.py"""
import pathlib
import struct

from seeds_wire import PAYLOADS, text

OUT = pathlib.Path(__file__).parent / "corpus" / "server"
BUILT, GREETED, OPENED = 1, 2, 4
SMALL = text("small")  # a stream of tests/unit/tcp_world.h


def frame(kind, payload, request):
    return struct.pack("<BBH", kind, request, len(payload)) + payload


def of(name, request=9):
    return frame(*PAYLOADS[name], request)


def opening(position=0, batch=8, world=1, replay=0, candidates=0):
    bits = (replay > 0) | (candidates > 0) << 1
    extras = b"".join(struct.pack("<I", n) for n in (replay, candidates) if n)
    payload = struct.pack("<QIII4B", position, batch, 0, world, 0, 0, 0, bits)
    return frame(3, payload + bytes(32) + SMALL + extras, 4)


def joining(steps, kept=()):
    extras = struct.pack(f"<I{len(kept)}Q", len(kept), *kept) if kept else b""
    return frame(14, struct.pack("<QQIIII4B", 0, steps, 0, 8, 1, 100, 0, 0, 0, 8 * bool(kept)) +
                 bytes(32) + SMALL + text("night") + text("m") + extras, 5)


SEEDS = {
    "nothing": (BUILT, b""),
    "greeting": (BUILT, of("hello", 1)),
    "greeted_twice": (BUILT | GREETED, of("hello")),
    "too_early": (BUILT, of("credit")),
    "raw_end": (GREETED, b"PSTD"),
    "raw_garbage": (0, bytes(range(100))),
    "streams": (BUILT | GREETED | OPENED, of("seek", 6) + of("credit_pace") + of("pull") + of("ping")),
    "replayed": (BUILT | GREETED, opening(64, replay=2) + frame(5, struct.pack("<IQ", 6, 0), 7)),
    "candidates": (BUILT | GREETED, opening(64, candidates=5) + frame(5, struct.pack("<IQ", 6, 0), 7)),
    "candidates_replayed": (BUILT | GREETED, opening(64, replay=2, candidates=32) +
                            frame(5, struct.pack("<IQ", 6, 0), 7)),
    "candidates_beyond": (BUILT | GREETED | OPENED, opening(64, candidates=33)),
    "opened_twice": (BUILT | GREETED | OPENED, opening(8) + opening(1 << 40, 4, 2) + of("credit")),
    "pulls": (BUILT | GREETED | OPENED, b"".join(frame(7, struct.pack("<Q", i << 40), 10 + i)
                                                 for i in range(20))),
    "group": (BUILT | GREETED, joining(3) + frame(5, struct.pack("<IQ", 2, 0), 6) + of("ack")),
    "group_kept": (BUILT | GREETED, joining(3) + frame(5, struct.pack("<IQ", 2, 0), 6) +
                   joining(3, (1, 2, 1 << 60)) + of("ack")),
    "group_after_stream": (BUILT | GREETED | OPENED, joining(1) + opening() + joining(1)),
    "asks": (BUILT | GREETED, of("ask") + frame(18, text("operations"), 3) +
             frame(18, text("groups small"), 4) + frame(18, text("group small night 0"), 5)),
    "refines": (BUILT | GREETED | OPENED, of("refine", 7) + frame(23, struct.pack(
        "<QQIIIBBH", 8, 8, 8, 8, 8, 1, 1, 0) + b"\1" * 8 + bytes(8 * 8 * 8 * 3), 9) + of("ping")),
    "refine_short": (BUILT | GREETED | OPENED, frame(23, bytes(31), 9)),
    "returns": (BUILT | GREETED | OPENED, of("return")),
    "feedback": (BUILT | GREETED | OPENED, of("feedback") + frame(
        22, SMALL + struct.pack("<I", 3) + struct.pack("<9H", *range(9)), 4) + frame(
        22, SMALL + struct.pack("<I", 40) + bytes(range(128)) * 25, 5) + of("open_feedback", 6)),
    "feedback_half": (BUILT | GREETED, frame(22, SMALL + struct.pack("<I", 90) + bytes(9000), 4)),
    "bye": (BUILT | GREETED | OPENED, of("close")),
    "servers_frame": (BUILT | GREETED | OPENED, of("slot")),
    "unknown": (BUILT | GREETED, frame(200, b"", 1)),
}

if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    for name, (mode, frames) in SEEDS.items():
        (OUT / name).write_bytes(bytes([mode]) + frames)
    print(len(SEEDS), "seeds")
