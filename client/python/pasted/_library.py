"""libpasted through ctypes: structs, signatures and where the library lies.

Knows no NumPy and no training framework. ctypes gives the GIL back during
every call.
"""
from __future__ import annotations

import ctypes
import ctypes.util
import os
import pathlib
from ctypes import (POINTER, Structure, c_char, c_char_p, c_double, c_int,
                    c_size_t, c_uint32, c_uint64, c_void_p)
from typing import Any, Iterator

MAX_DIMS = 4
NAME_BYTES = 256
STATE_BYTES = 1024


class Info(Structure):
    """struct pasted_info."""
    _fields_ = [
        ("stream", c_char * NAME_BYTES), ("server", c_char * NAME_BYTES),
        ("fingerprint", c_char * 65), ("seed", c_uint64),
        ("edges_per_epoch", c_uint64), ("batch_bytes", c_uint64),
        ("engine", c_uint32), ("global_batch", c_uint32), ("rank", c_uint32),
        ("world", c_uint32), ("n_samples", c_uint32), ("n_classes", c_uint32),
        ("n_objects", c_uint32), ("n_backgrounds", c_uint32),
        ("objects_per_background", c_uint32), ("height", c_uint32),
        ("width", c_uint32), ("dtype", c_uint32), ("layout", c_uint32),
        ("n_streams", c_uint32), ("channels", c_uint32),
        ("candidates", c_uint32)]


class Stats(Structure):
    """struct pasted_stats: counters since the client was opened."""
    _fields_ = [(name, c_uint64) for name in
                ("batches", "bytes", "direct", "reconnects", "corrupt",
                 "stale", "waits", "acks", "leases_lost", "mapped", "ready",
                 "waited", "wait_ns", "busy_ns", "first_batch_ns")]


class Tensor(Structure):
    """struct pasted_tensor."""
    _fields_ = [("name", c_char_p), ("data", c_void_p), ("n_bytes", c_uint64),
                ("shape", c_uint64 * MAX_DIMS), ("n_dims", c_uint32),
                ("dtype", c_uint32)]


class Buffer(Structure):
    """struct pasted_buffer."""
    _fields_ = [("name", c_char_p), ("data", c_void_p), ("n_bytes", c_uint64)]


# name: (result, arguments)
_SIGNATURES = {
    "create": (c_void_p, []),
    "destroy": (None, [c_void_p]),
    "set": (c_int, [c_void_p, c_char_p, c_char_p]),
    "open": (c_int, [c_void_p, c_char_p]),
    "close": (None, [c_void_p]),
    "info": (c_int, [c_void_p, POINTER(Info), c_size_t]),
    "stats": (c_int, [c_void_p, POINTER(Stats), c_size_t]),
    "class_name": (c_char_p, [c_void_p, c_uint32]),
    "stream_name": (c_char_p, [c_void_p, c_uint32]),
    "next": (c_int, [c_void_p, POINTER(c_void_p)]),
    "next_into": (c_int, [c_void_p, POINTER(Buffer), c_size_t,
                          POINTER(c_uint64)]),
    "pull": (c_int, [c_void_p, c_uint64, POINTER(c_void_p)]),
    "pull_on": (c_int, [c_void_p, c_uint64, c_void_p, c_uint64,
                        POINTER(c_void_p)]),
    "refine": (c_int, [c_void_p, c_uint64, c_void_p, c_uint64, c_void_p]),
    "refined": (c_int, [c_void_p, POINTER(c_void_p)]),
    "seek": (c_int, [c_void_p, c_uint64]),
    "position": (c_int, [c_void_p, POINTER(c_uint64)]),
    "state": (c_int, [c_void_p, c_char_p, c_size_t]),
    "restore": (c_int, [c_void_p, c_char_p]),
    "feedback": (c_int, [c_void_p, c_void_p, c_uint32]),
    "confusion_create": (c_void_p, [c_uint32]),
    "confusion_destroy": (None, [c_void_p]),
    "confusion_reset": (None, [c_void_p]),
    "confusion_add": (c_int, [c_void_p, c_void_p, c_void_p, c_size_t]),
    "confusion_count": (c_uint32, [c_void_p, c_uint32, c_uint32]),
    "confusion_weights": (c_int, [c_void_p, c_double, c_void_p]),
    "ask": (c_int, [c_void_p, c_char_p, POINTER(c_char_p)]),
    "ack": (c_int, [c_void_p]),
    "interrupt": (None, [c_void_p]),
    "error": (c_char_p, [c_void_p]),
    "status_name": (c_char_p, [c_int]),
    "version": (c_char_p, []),
    "batch_release": (None, [c_void_p]),
    "batch_first_position": (c_uint64, [c_void_p]),
    "batch_n_samples": (c_uint32, [c_void_p]),
    "batch_cursor": (c_uint64, [c_void_p]),
    "batch_n_tensors": (c_uint32, [c_void_p]),
    "batch_tensor_at": (c_int, [c_void_p, c_uint32, POINTER(Tensor)]),
}


def _candidates() -> Iterator[str]:
    """Where to look, in order: the environment, beside this file (pip), the
    build tree of this checkout, the system."""
    named = os.environ.get("PASTED_LIBRARY")
    if named:
        yield named
        return
    here = pathlib.Path(__file__).resolve().parent
    yield from (os.fspath(p) for p in sorted(here.glob("_libpasted*.so")))
    build = here.parents[2] / "build"
    for preset in ("release", "debug"):
        path = build / preset / "client" / "lib" / "libpasted.so.0"
        if path.exists():
            yield os.fspath(path)
    yield "libpasted.so.0"


def _open() -> ctypes.CDLL:
    tried = []
    for path in _candidates():
        try:
            return ctypes.CDLL(path)
        except OSError as error:
            tried.append(f"{path}: {error}")
    raise ImportError(
        "libpasted was not found; build it, install it (cmake --install "
        "BUILD --component client), or name it in PASTED_LIBRARY. Tried:\n  "
        + "\n  ".join(tried))


class Library:
    """The entry points as attributes without their prefix: lib.open(...)."""

    def __init__(self) -> None:
        loaded = _open()
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(loaded, "pasted_" + name)
            function.restype = result
            function.argtypes = arguments
            setattr(self, name, function)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"pasted_{name} is not in _SIGNATURES")


lib = Library()
