"""Refined chains: what a trainer made of a step is what the samples `slots`
positions later are pasted on.

Keeps positions and contexts; perturbs nothing (robust.py does) and knows no
training framework but to take its tensors.

Threads: one at a time.
"""
from __future__ import annotations

import collections
import warnings
from typing import Any, Deque, Dict, Mapping, Optional

import numpy as np

from .client import Batch, Client
from .errors import BadArgument, NotFound, Unsupported
from .ranges import check_unit_array

_MAX_UNDER_WAY = 4  # of libpasted


def as_contexts(images: Any) -> np.ndarray:
    """Images as contexts: u8 [n,h,w,3], C-contiguous.

    Args:
        images: u8, which are levels of 0..255, or floats of any width, which
            are in 0..1 and rounded to levels; [n,h,w,3] or [n,3,h,w], RGB;
            NumPy, or a torch tensor on any device.

    Raises BadArgument: another dtype or shape; floats that are more than half
    a level outside 0..1 (levels, say, or normalised values), or NaN.
    """
    if hasattr(images, "detach"):
        images = images.detach().cpu()
        if not images.dtype.is_floating_point:
            images = images.numpy()
        else:
            images = images.float().numpy()
    array = np.asarray(images)
    if array.ndim != 4 or 3 not in (array.shape[1], array.shape[3]):
        raise BadArgument("contexts are [n,h,w,3] or [n,3,h,w], not "
                          f"{list(array.shape)}")
    if array.shape[3] != 3:
        array = array.transpose(0, 2, 3, 1)
    if array.dtype != np.uint8:
        if array.dtype.kind != "f":
            raise BadArgument(f"contexts are u8 or floats, not {array.dtype}")
        check_unit_array("contexts that are not u8", array)
        array = np.clip(array, 0, 1) * 255 + 0.5
    return np.ascontiguousarray(array, dtype=np.uint8)


def _check_slots(client: Client, slots: int) -> None:
    """Whether it is the recipe's; a server that does not say is believed."""
    stream = client.info["stream"]
    try:
        recipe = client.ask(f"recipe {stream}")
    except (NotFound, Unsupported):
        return
    kept = recipe["chain"]["slots"]
    if kept == 0:
        raise BadArgument(f"slots {slots}: the recipe of stream {stream!r} "
                          "has no chain")
    if slots != kept:
        raise BadArgument(f"slots {slots}: chain/slots of stream {stream!r} "
                          f"is {kept}")


class Lanes:
    """The steps of a refined chain in order, asked for as soon as what they
    are pasted on is known.

    Args:
        client: open, of a stream whose recipe has chain/slots.
        slots: chain/slots of that recipe, a multiple of the global batch;
            else BadArgument.
        state: a state_dict of a Loader to continue from.
    """

    def __init__(self, client: Client, slots: int,
                 state: Optional[Mapping[str, Any]] = None) -> None:
        self._step = client.info["global_batch"]
        _check_slots(client, slots)
        if slots % self._step:
            raise BadArgument(f"slots {slots} must be a multiple of the global "
                              f"batch {self._step}")
        self._client, self._slots = client, slots
        self.position = self._first = self._asked = client.position
        self._under_way: Deque[int] = collections.deque()
        # By the position that is pasted on them.
        self._contexts: Dict[int, np.ndarray] = {}
        if state is not None:
            self._restore(state)

    def _restore(self, state: Mapping[str, Any]) -> None:
        kept = state.get("contexts")
        if not kept and self.position > 0:
            warnings.warn("the state has no contexts: refined chains begin "
                          "anew", stacklevel=4)
        for position, array in (kept or {}).items():
            if self.position <= int(position) < self.position + self._slots:
                self._contexts[int(position)] = as_contexts(array)

    def contexts(self) -> Dict[int, np.ndarray]:
        """What a checkpoint needs: by position, of the steps to come."""
        return {position: array for position, array in self._contexts.items()
                if position >= self.position}

    def _ask(self) -> None:
        """For what can be asked for now, and at least for the step due."""
        most = min(self._slots // self._step, _MAX_UNDER_WAY)
        while len(self._under_way) < most:
            due = self._asked
            made = due - self._slots >= self._first  # hand_on may bring it
            if made and due not in self._contexts and due != self.position:
                return
            self._client.refine(due, self._contexts.get(due))
            self._under_way.append(due)
            self._asked += self._step

    def next(self, *, copy: bool = True) -> Batch:
        """The next step; moves `position` on."""
        self._ask()
        batch = self._client.refined(copy=copy)
        self._under_way.popleft()
        self._contexts.pop(self.position, None)
        self.position += self._step
        return batch

    def hand_on(self, images: Any) -> None:
        """What the samples of the latest step hand on (as_contexts). When it
        is refused, nothing is handed on."""
        if self.position == self._first:
            raise ValueError("hand_on before the first step")
        contexts = as_contexts(images)
        self._client.check_contexts(contexts)
        self._contexts[self.position - self._step + self._slots] = contexts
        self._ask()
