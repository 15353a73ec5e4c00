"""libpasted through ctypes, as far as the tests need it. Knows no protocol."""
import ctypes
import os
import pathlib

from daemon import build_folder

TIMEOUT, CLOSED, OK = -12, -13, 0
LEASE_LOST, ENDED, GROUP, BAD_STATE = -22, -23, -24, -15


class Tensor(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("data", ctypes.c_void_p),
                ("n_bytes", ctypes.c_uint64), ("shape", ctypes.c_uint64 * 4),
                ("n_dims", ctypes.c_uint32), ("dtype", ctypes.c_uint32)]


class Buffer(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("data", ctypes.c_void_p),
                ("n_bytes", ctypes.c_size_t)]


class Lease(ctypes.Structure):
    _fields_ = [("lease", ctypes.c_uint64), ("step", ctypes.c_uint64),
                ("delivery", ctypes.c_uint32), ("lease_ms", ctypes.c_uint32)]


class Stats(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in (
        "batches", "bytes", "direct", "reconnects", "corrupt", "stale",
        "waits", "acks", "leases_lost", "mapped", "ready", "waited",
        "wait_ns", "busy_ns", "first_batch_ns")]


def load():
    path = pathlib.Path(build_folder()) / "client" / "lib" / "libpasted.so.0"
    lib = ctypes.CDLL(os.fspath(path))
    pointer = ctypes.c_void_p
    lib.pasted_create.restype = pointer
    lib.pasted_error.restype = ctypes.c_char_p
    for name in ("pasted_create", "pasted_destroy", "pasted_error",
                 "pasted_batch_release", "pasted_batch_first_position",
                 "pasted_set", "pasted_open", "pasted_next",
                 "pasted_position", "pasted_batch_tensor", "pasted_ack",
                 "pasted_batch_lease", "pasted_stats", "pasted_seek",
                 "pasted_next_into"):
        getattr(lib, name).argtypes = {
            "pasted_create": [],
            "pasted_set": [pointer, ctypes.c_char_p, ctypes.c_char_p],
            "pasted_open": [pointer, ctypes.c_char_p],
            "pasted_next": [pointer, ctypes.POINTER(pointer)],
            "pasted_next_into": [pointer, ctypes.POINTER(Buffer),
                                 ctypes.c_size_t,
                                 ctypes.POINTER(ctypes.c_uint64)],
            "pasted_position": [pointer, ctypes.POINTER(ctypes.c_uint64)],
            "pasted_seek": [pointer, ctypes.c_uint64],
            "pasted_batch_lease": [pointer, ctypes.POINTER(Lease),
                                   ctypes.c_size_t],
            "pasted_stats": [pointer, ctypes.POINTER(Stats),
                             ctypes.c_size_t],
            "pasted_batch_tensor": [pointer, ctypes.c_char_p,
                                    ctypes.POINTER(Tensor)],
        }.get(name, [pointer])
    lib.pasted_batch_first_position.restype = ctypes.c_uint64
    lib.pasted_destroy.restype = lib.pasted_batch_release.restype = None
    lib.pasted_batch_lease.restype = None
    return lib


class Client:
    """One handle; next() gives (status, first position, image bytes)."""

    def __init__(self, url, **options):
        self.lib = load()
        self.handle = self.lib.pasted_create()
        for key, value in options.items():
            self.check(self.lib.pasted_set(self.handle, key.encode(),
                                           str(value).encode()))
        self.check(self.lib.pasted_open(self.handle, url.encode()))

    def error(self):
        return self.lib.pasted_error(self.handle).decode()

    def check(self, status):
        if status != OK:
            raise RuntimeError(f"{status}: {self.error()}")

    def next(self):
        batch = ctypes.c_void_p()
        status = self.lib.pasted_next(self.handle, ctypes.byref(batch))
        if status != OK:
            return status, None, None
        image = Tensor()
        self.check(self.lib.pasted_batch_tensor(batch, b"image",
                                                ctypes.byref(image)))
        position = self.lib.pasted_batch_first_position(batch)
        data = ctypes.string_at(image.data, image.n_bytes)
        self.lease = Lease()
        self.lib.pasted_batch_lease(batch, ctypes.byref(self.lease),
                                    ctypes.sizeof(Lease))
        self.lib.pasted_batch_release(batch)
        return status, position, data

    def next_into(self, image, times=1):
        """(status, first position); the image lies in the bytearray, copied
        so often when it was ready."""
        place = (ctypes.c_char * len(image)).from_buffer(image)
        buffers = (Buffer * times)(*[(b"image", ctypes.addressof(place),
                                      len(image))] * times)
        position = ctypes.c_uint64()
        status = self.lib.pasted_next_into(self.handle, buffers, times,
                                           ctypes.byref(position))
        return status, position.value

    def seek(self, position):
        return self.lib.pasted_seek(self.handle, ctypes.c_uint64(position))

    def ack(self):
        return self.lib.pasted_ack(self.handle)

    def stats(self):
        out = Stats()
        self.check(self.lib.pasted_stats(self.handle, ctypes.byref(out),
                                         ctypes.sizeof(Stats)))
        return out

    def position(self):
        out = ctypes.c_uint64()
        self.check(self.lib.pasted_position(self.handle, ctypes.byref(out)))
        return out.value

    def close(self):
        self.lib.pasted_destroy(self.handle)
        self.handle = None
