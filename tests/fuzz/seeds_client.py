"""Writes seeds of fuzz_client for what has modes of its own, groups, shared memory and questions,
from the streams that are in its corpus: python3 tests/fuzz/seeds_client.py"""
import pathlib
import struct

OUT = pathlib.Path(__file__).parent / "corpus" / "client"
RING, GROUP, QUESTION = 4, 5, 6  # modes of fuzz_client.c
WELCOME, OPENED, BATCH, ERROR, LEASE, ACKED, REPLY, SLOT = 2, 4, 6, 9, 15, 17, 19, 20
SERIAL = 2
HEADER = 32  # bytes of a built frame that are not in its description


def frame(kind, payload, request=SERIAL):
    return struct.pack("<BBH", kind, request, len(payload)) + payload


def parts(name):
    """WELCOME, OPENED and the batches of a seed that is there."""
    data, at, found = (OUT / name).read_bytes(), 1, []
    while at + 4 <= len(data):
        n = struct.unpack_from("<H", data, at + 2)[0]
        found.append(data[at + 4:at + 4 + n])
        at += 4 + n
    return found


def granting(welcome, capabilities):
    return frame(WELCOME, welcome[:8] + struct.pack("<I", capabilities) + welcome[12:], 0)


def lease(number, position, delivery=1):
    return frame(LEASE, struct.pack("<QQQII", number, position // 2, position, delivery, 60000))


def acked(number, code=0):
    return frame(ACKED, struct.pack("<QH6x", number, code))


def error(code, text, request=SERIAL):
    return frame(ERROR, struct.pack("<HBBIH", code, 0, 0, 0, len(text)) + text, request)


def slot(number, offset, n_bytes, sums):
    return frame(SLOT, struct.pack("<QQQQ", number, offset, n_bytes, sums))


def group_seeds():
    welcome, opened, first, second = parts("stream0")[:4]
    start = granting(welcome, 1) + frame(OPENED, opened)
    batches = lease(9, 0) + frame(BATCH, first) + lease(10, 2, 3) + frame(BATCH, second)
    yield "group", start + batches + acked(8) + error(23, b"all done")
    yield "group_lost", start + batches + acked(10, 22) + acked(8, 22) + acked(77)
    yield "group_bare_batch", start + frame(BATCH, first)
    yield "group_two_leases", start + lease(9, 0) + lease(10, 2)
    yield "group_other_terms", granting(welcome, 1) + error(24, b"batch")
    yield "group_unasked", granting(welcome, 0)


def ring_seeds():
    """Descriptions before the batch are as long as to put it at a multiple of 64."""
    for name, table in (("stream0", 0), ("stream1", 1)):
        welcome, opened, batch = parts(name)[:3]
        batch = batch[:14] + b"\0" + batch[15:]
        before = 3 * HEADER + len(welcome) + len(opened) + 32
        pad = -(before + 2 * HEADER) % 64
        at = before + 2 * HEADER + pad
        start = granting(welcome, 16) + frame(OPENED, opened)
        end = error(10, b"x" * (pad - 10), 3) + frame(BATCH, batch)
        sums = (at + 320) * table
        yield f"ring{table}", start + slot(9, at, 320, sums) + end
        yield f"ring_twice{table}", start + slot(9, at, 320, sums) * 2 + end
        yield f"ring_beyond{table}", start + slot(9, (1 << 64) - 64, 320, sums) + end


def question_seeds():
    welcome = parts("stream0")[0]
    yield "answer", granting(welcome, 8) + frame(REPLY, b'{"a": 1}\n')
    yield "answer_refused", granting(welcome, 8) + error(6, b"no such thing")
    yield "answer_unasked", granting(welcome, 0) + frame(REPLY, b"")


if __name__ == "__main__":
    n_seeds = 0
    for mode, seeds in ((GROUP, group_seeds), (RING, ring_seeds), (QUESTION, question_seeds)):
        for seed_name, seed in seeds():
            (OUT / seed_name).write_bytes(bytes([mode]) + seed)
            n_seeds += 1
    print(n_seeds, "seeds")
