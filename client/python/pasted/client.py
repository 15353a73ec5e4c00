"""A connection to one stream and the batches it gives, as NumPy arrays.

Knows no training framework (loader.py does) and decides no order: the cursor
is libpasted's.

Threads: one at a time per Client; `interrupt` from any.
"""
from __future__ import annotations

import ctypes
import json
import time
import weakref
from typing import (Any, Callable, Dict, Iterator, Mapping, Optional, Sequence,
                    Tuple)

import numpy as np

from . import _library
from ._library import lib
from .errors import (BadArgument, BadState, Ended, NotFound, Timeout,
                     check)

# enum pasted_dtype. NumPy has no bfloat16: its bits come as uint16.
_DTYPES: Dict[int, np.dtype] = {
    1: np.dtype("u1"), 2: np.dtype("<i4"), 3: np.dtype("<i8"),
    4: np.dtype("<f4"), 5: np.dtype("<f2"), 6: np.dtype("<u2")}
_DTYPE_NAMES = {1: "u8", 2: "i32", 3: "i64", 4: "f32", 5: "f16", 6: "bf16"}
_LAYOUT_NAMES = {1: "nhwc", 2: "nchw"}
_CHANNEL_NAMES = {1: "rgb", 2: "bgr", 3: "grey"}

# A wait is cut into slices so that Python can handle signals between them.
_SLICE_SECONDS = 0.25


class Batch(Mapping):
    """The tensors of one step (of this rank's slice), by name.

    A read-only mapping of str to numpy.ndarray; `image` stands last. Shapes
    for n samples of h x w: image [n,h,w,c] or [n,c,h,w], label [n] i64,
    object and background [n] i32, position [n] i64, box [n,4] f32 (x0, y0,
    x1, y1 in px), visible [n] f32 (fraction of the object in the frame); what
    else the recipe's labels/tensors names.

    Attributes: cursor (the global position of the step), first_position (of
    sample 0 of this slice), bf16 (uint16 arrays hold the bits of bfloat16).
    """

    def __init__(self, arrays: Dict[str, np.ndarray], cursor: int,
                 first_position: int) -> None:
        self._arrays = arrays
        self.bf16 = any(a.dtype == np.uint16 for a in arrays.values())
        self.cursor = cursor
        self.first_position = first_position

    def __getitem__(self, name: str) -> np.ndarray:
        try:
            return self._arrays[name]
        except KeyError:
            raise KeyError(f"no tensor {name!r} in this batch; there are "
                           + ", ".join(self._arrays)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        inside = ", ".join(f"{name} {a.dtype}{list(a.shape)}"
                           for name, a in self._arrays.items())
        return f"<pasted.Batch cursor={self.cursor} {inside}>"


def _description(batch: int, index: int) -> _library.Tensor:
    tensor = _library.Tensor()
    check(lib.batch_tensor_at(batch, index, ctypes.byref(tensor)), None)
    return tensor


def _view(tensor: _library.Tensor, owner: Any) -> np.ndarray:
    """A read-only array over the batch's memory; keeps `owner` alive."""
    memory: Any = (ctypes.c_ubyte * tensor.n_bytes).from_address(tensor.data)
    memory.owner = owner
    shape = tuple(tensor.shape[:tensor.n_dims])
    array: np.ndarray = np.frombuffer(
        memory, _DTYPES[tensor.dtype]).reshape(shape)
    array.flags.writeable = False
    return array


class _Held:
    """Releases libpasted's batch when the last view of it is gone."""

    def __init__(self, batch: int) -> None:
        weakref.finalize(self, lib.batch_release, batch)


def check_state(state: Mapping[str, Any]) -> Sequence[str]:
    """The keys that are read of a saved state; BadArgument: it is none."""
    if not isinstance(state, Mapping):
        raise BadArgument("a state is a mapping, as state_dict gives it, not "
                          f"{type(state).__name__}")
    for key in ("stream", "fingerprint", "position"):
        if key not in state:
            raise BadArgument(f"the state has no {key!r}: one that state_dict "
                              "gave has")
    return [key for key in ("stream", "fingerprint", "position", "feedback",
                            "contexts") if key in state]


class Client:
    """A stream of a pasted server, read from a cursor on.

    Args:
        url: pasted://HOST[:PORT][,HOST[:PORT]...][/STREAM][?KEY=VALUE...], or
            None for the options alone.
        timeout: seconds that next and pull wait for a batch.
        state: a state_dict to continue from.
        feedback: a table of Client.feedback, or the digest of one that the
            server has.
        options: the keys of pasted_set (pasted.h): batch, rank, world,
            position, dtype, layout, token, token_file, fingerprint, prefetch,
            checksum, reconnect_timeout_ms and the rest.

    Raises a PastedError (errors.py). Use it as a context manager, or close it.
    """

    def __init__(self, url: Optional[str] = None, *, timeout: float = 30.0,
                 state: Optional[Mapping[str, Any]] = None,
                 feedback: Any = None, **options: Any) -> None:
        self._handle = lib.create()
        if not self._handle:
            raise MemoryError("pasted_create")
        self._finalizer = weakref.finalize(self, lib.destroy, self._handle)
        self.timeout = timeout
        self._shapes: Dict[str, Tuple[np.dtype, Tuple[int, ...]]] = {}
        try:
            for key, value in options.items():
                self._set(key, value)
            self._set("timeout_ms", int(_SLICE_SECONDS * 1000))
            if state is not None:
                self.load_state_dict(state)
            if isinstance(feedback, str):
                self._set("feedback", feedback)
            elif feedback is not None:
                self._give_table(feedback)
            self._check(lib.open(self._handle,
                                 url.encode() if url else None))
            info = self.info
            self._before = info["rank"] * info["n_samples"]
        except BaseException:
            self.close()
            raise

    def _check(self, status: int) -> None:
        check(status, self._handle)

    def _live(self) -> int:
        if not self._finalizer.alive:
            raise BadState("the client is closed")
        return self._handle

    def _set(self, key: str, value: Any) -> None:
        self._check(lib.set(self._live(), key.encode(), str(value).encode()))

    # -- what the stream is ------------------------------------------------

    @property
    def info(self) -> Dict[str, Any]:
        """What the stream is: fingerprint, sizes, classes, dtype, layout."""
        raw = _library.Info()
        self._check(lib.info(self._live(), ctypes.byref(raw),
                             ctypes.sizeof(raw)))
        out = {name: getattr(raw, name) for name, _ in raw._fields_}
        for name in ("stream", "server", "fingerprint"):
            out[name] = out[name].decode()
        out["dtype"] = _DTYPE_NAMES[raw.dtype]
        out["layout"] = _LAYOUT_NAMES[raw.layout]
        out["channels"] = _CHANNEL_NAMES[raw.channels]
        out["classes"] = [lib.class_name(self._handle, i).decode()
                          for i in range(raw.n_classes)]
        out["streams"] = [lib.stream_name(self._handle, i).decode()
                          for i in range(raw.n_streams)]
        return out

    @property
    def stats(self) -> Dict[str, int]:
        """Counters since opening: batches, bytes, waits, reconnects, ..."""
        raw = _library.Stats()
        self._check(lib.stats(self._live(), ctypes.byref(raw),
                              ctypes.sizeof(raw)))
        return {name: getattr(raw, name) for name, _ in raw._fields_}

    def ask(self, what: str) -> Any:
        """What the server says of "recipe STREAM", "operations", "presets",
        "preset NAME", "sessions", "feedback", "feedback DIGEST", "groups
        STREAM" or "group STREAM NAME" (PROTOCOL.md, ASK). NotFound: it knows
        no such thing; Unsupported: it is too old to answer; PastedError
        itself: the answer is beyond 1 MiB."""
        out = ctypes.c_char_p()
        self._check(lib.ask(self._live(), what.encode(), ctypes.byref(out)))
        return json.loads(out.value or b"null")

    # -- the cursor --------------------------------------------------------

    @property
    def position(self) -> int:
        """Cursor of the batch that `next` gives next."""
        out = ctypes.c_uint64()
        self._check(lib.position(self._live(), ctypes.byref(out)))
        return out.value

    def seek(self, position: int) -> None:
        """Moves the cursor; what was prefetched is dropped."""
        self._check(lib.seek(self._live(), position))

    def state_dict(self) -> Dict[str, Any]:
        """{stream, fingerprint, position}, and `feedback`, the digest of the
        table in use: what a checkpoint needs."""
        text = ctypes.create_string_buffer(_library.STATE_BYTES)
        self._check(lib.state(self._live(), text, len(text)))
        return json.loads(text.value)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues there; FingerprintMismatch when it is another stream,
        UnknownFeedback when the server has not the table that it names."""
        text = json.dumps({key: state[key] for key in check_state(state)
                           if key != "contexts"})
        self._check(lib.restore(self._live(), text.encode()))

    # -- feedback ----------------------------------------------------------

    def _give_table(self, weights: Any) -> None:
        table = np.ascontiguousarray(weights, np.float64)
        if table.ndim != 2 or table.shape[0] != table.shape[1]:
            raise BadArgument(f"feedback is [n_classes, n_classes], not "
                              f"{list(table.shape)}")
        self._check(lib.feedback(self._live(), table.ctypes.data, len(table)))

    def feedback(self, weights: Any) -> Optional[str]:
        """Uses a feedback table from the next batch on: the digest that names
        it, which state_dict holds too. None: without a table, None.

        weights: [n_classes, n_classes], from 0 on; row c says which class lies
        under or beside objects of class c (Confusion.weights). The stream's
        recipe must have distractors. When it fails nothing has changed.
        """
        if weights is None:
            self._check(lib.feedback(self._live(), None, 0))
        else:
            self._give_table(weights)
        return self.state_dict().get("feedback")

    # -- batches -----------------------------------------------------------

    def _wait(self, call: Callable[[], int]) -> None:
        """Repeats a call that timed out until `timeout` has passed; signals
        (Ctrl-C) are handled in between."""
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                return self._check(call())
            except Timeout:
                if time.monotonic() >= deadline:
                    raise

    def _arrays_of(self, out: ctypes.c_void_p, copy: bool) -> Batch:
        raw = out.value or 0  # never 0: the call that set it succeeded
        held = _Held(raw)
        arrays = {}
        for i in range(lib.batch_n_tensors(raw)):
            tensor = _description(raw, i)
            view = _view(tensor, held)
            arrays[tensor.name.decode()] = view.copy() if copy else view
        self._shapes = {name: (a.dtype, a.shape) for name, a in arrays.items()}
        return Batch(arrays, lib.batch_cursor(raw),
                     lib.batch_first_position(raw))

    def shapes(self, names: Optional[Sequence[str]] = None) -> \
            Dict[str, Tuple[np.dtype, Tuple[int, ...]]]:
        """{name: (dtype, shape)} of the tensors of every batch; of `names`
        where given. Asks for the batch at the cursor and keeps none of it."""
        if not self._shapes:
            self.pull(self.position, copy=False)
        if names is None:
            return dict(self._shapes)
        missing = [name for name in names if name not in self._shapes]
        if missing:
            raise NotFound(f"no tensor {missing[0]!r} in this stream; there "
                           "are " + ", ".join(self._shapes) + " (the recipe's "
                           "labels/tensors adds others)")
        return {name: self._shapes[name] for name in names}

    def next(self, *, copy: bool = True,
             names: Optional[Sequence[str]] = None,
             out: Optional[Mapping[str, np.ndarray]] = None) -> Batch:
        """The batch at the cursor; moves the cursor by the global batch.

        Args:
            copy: True: the arrays own their memory and may be written. False:
                read-only views of libpasted's memory, which lives as long as
                one of them; later batches do not wait for it.
            names: only these tensors (copies only).
            out: arrays (C-contiguous, writable, of the tensors' shapes and
                dtypes) to receive the tensors of these names instead; others
                are dropped.

        Raises Timeout after `timeout` seconds, and other PastedErrors.
        """
        if out is not None:
            self._check_out(out)
            return self._next_into(dict(out))
        if copy:
            return self._next_into({name: np.empty(shape, dtype) for
                                    name, (dtype, shape)
                                    in self.shapes(names).items()})
        if names is not None:
            raise ValueError("names needs copy=True: views are of the whole "
                             "batch")
        raw = ctypes.c_void_p()
        self._live()
        self._wait(lambda: lib.next(self._handle, ctypes.byref(raw)))
        return self._arrays_of(raw, copy)

    def _check_out(self, out: Mapping[str, np.ndarray]) -> None:
        """Arrays of another shape or dtype would hold other numbers; signed
        or not is theirs to say (torch carries the bits of bf16 as i2)."""
        for name, array in out.items():
            if not array.flags.c_contiguous or not array.flags.writeable:
                raise ValueError(f"out[{name!r}] must be C-contiguous and "
                                 "writable")
        for name, (dtype, shape) in self.shapes(tuple(out)).items():
            given = out[name].dtype
            if (out[name].shape != shape or given.itemsize != dtype.itemsize
                    or (given.kind == "f") != (dtype.kind == "f")):
                raise BadArgument(
                    f"out[{name!r}] must be {dtype} {list(shape)}, not "
                    f"{given} {list(out[name].shape)}")

    def _next_into(self, arrays: Dict[str, np.ndarray]) -> Batch:
        buffers = (_library.Buffer * len(arrays))()
        for buffer, (name, array) in zip(buffers, arrays.items()):
            buffer.name = name.encode()
            buffer.data = array.ctypes.data
            buffer.n_bytes = array.nbytes
        first = ctypes.c_uint64()
        self._wait(lambda: lib.next_into(self._handle, buffers, len(arrays),
                                         ctypes.byref(first)))
        return Batch(arrays, first.value - self._before, first.value)

    def pull(self, position: int, *, copy: bool = True) -> Batch:
        """The batch at that cursor, out of order; the cursor stays."""
        raw = ctypes.c_void_p()
        self._live()
        self._wait(lambda: lib.pull(self._handle, position,
                                    ctypes.byref(raw)))
        return self._arrays_of(raw, copy)

    def refine(self, position: int, contexts: Optional[np.ndarray] = None, *,
               given: Optional[Sequence[int]] = None) -> None:
        """Asks for the batch at that cursor, pasted on contexts; `refined`
        gives it. Up to four may be under way.

        Args:
            contexts: u8 [n,h,w,3] RGB, C-contiguous (refined.as_contexts makes
                them of others), for this rank's samples; None: every chain
                begins.
            given: n numbers, 0 where a chain begins at that sample.
        """
        if contexts is None:
            self._check(lib.refine(self._live(), position, None, 0, None))
            return
        if contexts.dtype != np.uint8 or not contexts.flags.c_contiguous:
            raise BadArgument("contexts must be u8 and C-contiguous")
        self.check_contexts(contexts)
        bits = None if given is None else np.asarray(given, np.uint8)
        if bits is not None and bits.shape != contexts.shape[:1]:
            raise BadArgument(f"given has {len(contexts)} numbers")
        self._check(lib.refine(
            self._live(), position, contexts.ctypes.data, contexts.nbytes,
            None if bits is None else bits.ctypes.data))

    def check_contexts(self, contexts: np.ndarray) -> None:
        """BadArgument unless their shape is that of this rank's contexts,
        [n,h,w,3], whatever the stream's channels are."""
        raw = _library.Info()
        self._check(lib.info(self._live(), ctypes.byref(raw),
                             ctypes.sizeof(raw)))
        shape = raw.n_samples, raw.height, raw.width, 3
        if contexts.shape != shape:
            raise BadArgument(f"contexts are {list(shape)}, not "
                              f"{list(contexts.shape)}")

    def refined(self, *, copy: bool = True) -> Batch:
        """The batch of the oldest `refine`. After Timeout it is still due."""
        raw = ctypes.c_void_p()
        self._live()
        self._wait(lambda: lib.refined(self._handle, ctypes.byref(raw)))
        return self._arrays_of(raw, copy)

    def pull_on(self, position: int, contexts: Optional[np.ndarray] = None, *,
                given: Optional[Sequence[int]] = None,
                copy: bool = True) -> Batch:
        """`refine` and `refined` in one, when none is under way."""
        self.refine(position, contexts, given=given)
        return self.refined(copy=copy)

    def __iter__(self) -> Iterator[Batch]:
        """Batches for ever, or until the group has ended."""
        try:
            while True:
                yield self.next()
        except Ended:
            return

    def ack(self) -> None:
        """Acknowledges the last batch of a group, which `next` does too, and
        waits for the answer: LeaseLost when another member has the step."""
        self._check(lib.ack(self._live()))

    # -- the end -----------------------------------------------------------

    def interrupt(self) -> None:
        """From any thread: the call that waits now raises Cancelled."""
        lib.interrupt(self._live())

    def close(self) -> None:
        """Ends the connection; batches stay valid. Waits for no server."""
        self._finalizer()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()


def connect(url: Optional[str] = None, **options: Any) -> Client:
    """Opens a stream: `with pasted.connect("pasted://host:7700/default")`."""
    return Client(url, **options)
