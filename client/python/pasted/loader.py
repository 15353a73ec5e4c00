"""Batches for a training loop: an iterable dataset with a checkpoint.

Needs no worker processes: libpasted receives ahead on a thread of its own.
PyTorch is used where it is installed and asked for; nothing here needs it.
"""
from __future__ import annotations

import sys
import warnings
from typing import Any, Dict, Iterator, Mapping, Optional, Sequence

import numpy as np

from .client import Batch, Client, check_state
from .refined import Lanes

try:  # a Loader must be one of these for DataLoader to take it
    from torch.utils.data import IterableDataset as _Base
except ImportError:
    _Base = object  # type: ignore[assignment,misc]


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise ImportError("this Loader makes torch tensors, but torch is not "
                          "installed; pass framework='numpy'") from None
    return torch


def _distributed() -> tuple:
    """(rank, world) of torch.distributed where it runs, else (0, 1)."""
    torch = sys.modules.get("torch")
    if torch is not None:
        distributed = torch.distributed
        if distributed.is_available() and distributed.is_initialized():
            return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def _refuse_workers() -> None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.utils.data.get_worker_info() is not None:
        raise RuntimeError(
            "pasted.Loader runs in a DataLoader worker: use num_workers=0. "
            "Batches are composed by the server and received ahead by a "
            "thread of libpasted; workers would each repeat them all")


class Loader(_Base):
    """An endless stream of batches, or passes of `steps` steps each.

    As it is, or in DataLoader(loader, batch_size=None, num_workers=0):

        loader = pasted.Loader("pasted://host:7700/default?batch=128")
        for image, label in loader:    # image [n,h,w,3] u8, label [n] i64
            ...

    Args:
        url: as pasted.Client's.
        tensors: names, in the order in which a step yields them as a tuple;
            None yields a dict of every tensor.
        steps: steps of one pass (one `for`); None is endless. A pass ends at
            the next multiple of `steps`, so that after load_state_dict in its
            middle only the rest follows. "epoch" is edges_per_epoch / G,
            rounded down.
        framework: "torch", "numpy", or None for torch where it is installed.
        pin_memory: torch tensors in page-locked memory, for
            .to(device, non_blocking=True). Without CUDA: a warning, and
            ordinary memory.
        copy: False yields read-only views of libpasted's memory instead of
            arrays of their own; for framework="numpy". They stay valid for as
            long as they are held, and later batches do not wait for them.
        slots: chain/slots of the stream's recipe, a multiple of the global
            batch (else BadArgument when the connection is made), for a refined
            chain: what `hand_on` gets after each step is what the samples
            `slots` positions later are pasted on. Two lanes (slots = 2 * batch)
            hide the server's time behind the trainer's.
        rank, world: default: torch.distributed's where it runs, else 0, 1.
        options: as pasted.Client's.

    bfloat16 images are torch.bfloat16 in torch and their bits (uint16) in
    NumPy. Tensors own their memory, unless copy is False.
    """

    def __init__(self, url: Optional[str] = None, *,
                 tensors: Optional[Sequence[str]] = ("image", "label"),
                 steps: Any = None, framework: Optional[str] = None,
                 pin_memory: bool = False, copy: bool = True,
                 slots: Optional[int] = None,
                 rank: Optional[int] = None,
                 world: Optional[int] = None, **options: Any) -> None:
        super().__init__()
        if framework not in (None, "torch", "numpy"):
            raise ValueError(f"framework must be 'torch', 'numpy' or None, "
                             f"not {framework!r}")
        if framework is None:
            framework = "torch" if _Base is not object else "numpy"
        if framework == "numpy" and pin_memory:
            raise ValueError("pin_memory needs framework='torch'")
        if framework == "torch" and not copy:
            raise ValueError("copy=False needs framework='numpy': torch has "
                             "no read-only tensors")
        if not (steps is None or steps == "epoch"
                or (isinstance(steps, int) and steps > 0)):
            raise ValueError(f"steps must be a positive number, 'epoch' or "
                             f"None, not {steps!r}")
        if (rank is None) != (world is None):
            raise ValueError("rank and world go together")
        if isinstance(tensors, str):
            raise ValueError(f"tensors must be names in a tuple or list, as "
                             f"({tensors!r},), or None")
        if not (slots is None or (isinstance(slots, int) and slots > 0)):
            raise ValueError(f"slots must be a positive number or None, not "
                             f"{slots!r}")
        self._url, self._options = url, options
        self._tensors = tuple(tensors) if tensors is not None else None
        self._steps, self._framework = steps, framework
        self._pin_memory, self._copy = pin_memory, copy
        self._rank, self._world = rank, world
        self._slots = slots
        if slots is not None:
            options.setdefault("prefetch", 0)
        self._lanes: Optional[Lanes] = None
        self._client: Optional[Client] = None
        self._pending: Optional[Dict[str, Any]] = None

    @property
    def client(self) -> Client:
        """The connection; opened when first used."""
        if self._client is None:
            rank, world = self._rank, self._world
            if rank is None:
                rank, world = _distributed()
            client = Client(self._url, rank=rank, world=world,
                            state=self._pending, **self._options)
            if self._slots is not None:
                try:
                    self._lanes = Lanes(client, self._slots, self._pending)
                except BaseException:
                    client.close()
                    raise
            self._client, self._pending = client, None
        return self._client

    @property
    def steps_per_epoch(self) -> int:
        """Whole steps until every pair of the graph was seen once."""
        info = self.client.info
        return max(1, info["edges_per_epoch"] // info["global_batch"])

    def state_dict(self) -> Dict[str, Any]:
        """{stream, fingerprint, position} after the steps consumed so far;
        with a feedback table its digest, `feedback`; of a refined chain also
        `contexts`, u8 arrays by position."""
        if self._client is None and self._pending is not None:
            return dict(self._pending)
        state = self.client.state_dict()
        if self._lanes is not None:
            state["position"] = self._lanes.position
            state["contexts"] = self._lanes.contexts()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The next step is the one that state_dict stood before. Without its
        `contexts` refined chains begin anew, which a warning says."""
        state = {key: state[key] for key in check_state(state)}
        if self._client is not None and self._lanes is not None:
            self._client.close()  # with the steps that are under way
            self._client = self._lanes = None
        if self._client is None:
            self._pending = state
        else:
            self._client.load_state_dict(state)

    def feedback(self, weights: Any) -> Optional[str]:
        """As Client.feedback, from the next step on: its digest, or None
        without a table. Of a refined chain before its first step only."""
        if self._lanes is not None:
            raise ValueError("a refined chain keeps its table: give it to the "
                             "Loader as feedback=")
        digest = self.client.feedback(weights)
        self._options["feedback"] = weights
        return digest

    def hand_on(self, images: Any) -> None:
        """Of a refined chain: what became of the latest step's images, u8 in
        0..255 or floats in 0..1, [n,h,w,3] or [n,3,h,w], RGB (as_contexts);
        else BadArgument. Without it that step's slots begin new chains."""
        if self._slots is None:
            raise ValueError("hand_on needs a Loader with slots")
        if self._lanes is None:
            raise ValueError("hand_on before the first step")
        self._lanes.hand_on(images)

    def _next(self, client: Client) -> Dict[str, Any]:
        names = self._tensors
        if self._lanes is not None:
            return self._next_refined(self._lanes)
        if not self._copy:
            return dict(client.next(copy=False))
        if self._framework == "numpy":
            return dict(client.next(names=names))
        torch = _torch()
        if not self._pins(torch):
            batch = client.next(names=names)
            return {name: _to_torch(torch, array, batch)
                    for name, array in batch.items()}
        kept = {name: torch.empty(shape, dtype=_torch_dtype(torch, dtype),
                                  pin_memory=True)
                for name, (dtype, shape) in client.shapes(names).items()}
        batch = client.next(out={n: t.numpy() for n, t in kept.items()})
        return {name: _as_bfloat16(torch, tensor, batch.bf16)
                for name, tensor in kept.items()}

    def _next_refined(self, lanes: Lanes) -> Dict[str, Any]:
        batch = lanes.next(copy=self._copy)
        names = self._tensors or tuple(batch)
        if self._framework == "numpy":
            return {name: batch[name] for name in names}
        torch = _torch()
        made = {name: _to_torch(torch, batch[name], batch) for name in names}
        return ({name: tensor.pin_memory() for name, tensor in made.items()}
                if self._pins(torch) else made)

    def _position(self, client: Client) -> int:
        return client.position if self._lanes is None else self._lanes.position

    def _pins(self, torch: Any) -> bool:
        """Whether to pin; where CUDA is missing, says so once and does not,
        as torch's DataLoader."""
        if self._pin_memory and not torch.cuda.is_available():
            warnings.warn("pin_memory: there is no CUDA device; tensors are "
                          "in ordinary memory", stacklevel=3)
            self._pin_memory = False
        return self._pin_memory

    def __iter__(self) -> Iterator[Any]:
        _refuse_workers()
        client = self.client
        stop = None
        if self._steps is not None:
            steps = (self.steps_per_epoch if self._steps == "epoch"
                     else self._steps)
            span = steps * client.info["global_batch"]
            stop = (self._position(client) // span + 1) * span
        while stop is None or self._position(client) < stop:
            arrays = self._next(client)
            yield (arrays if self._tensors is None
                   else tuple(arrays[name] for name in self._tensors))

    def close(self) -> None:
        """Ends the connection; tensors stay valid."""
        if self._client is not None:
            self._pending = self.state_dict()
            self._client.close()
            self._client = self._lanes = None

    def __enter__(self) -> "Loader":
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()


def _torch_dtype(torch: Any, dtype: np.dtype) -> Any:
    # torch 1.13 has no uint16: bf16's bits are carried as int16.
    return {"u1": torch.uint8, "i4": torch.int32, "i8": torch.int64,
            "f4": torch.float32, "f2": torch.float16,
            "u2": torch.int16}[dtype.str[1:]]


def _as_bfloat16(torch: Any, tensor: Any, is_bf16: bool) -> Any:
    if is_bf16 and tensor.dtype == torch.int16:
        return tensor.view(torch.bfloat16)
    return tensor


def _to_torch(torch: Any, array: np.ndarray, batch: Batch) -> Any:
    if array.dtype == np.uint16:
        array = array.view(np.int16)
    return _as_bfloat16(torch, torch.from_numpy(array), batch.bf16)
