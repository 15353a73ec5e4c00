"""A chain of digests over the batches of a run: equal ends, equal runs.

Knows no stream and opens nothing: it digests what it is given.
"""
from __future__ import annotations

import hashlib
from typing import Any, Iterable, Mapping, Sequence, Tuple, Union

import numpy as np


def _named(batch: Union[Mapping[str, Any], Sequence[Any]]
           ) -> Iterable[Tuple[str, Any]]:
    if isinstance(batch, Mapping):
        return sorted(batch.items())
    return ((str(i), array) for i, array in enumerate(batch))


def _as_numpy(array: Any) -> np.ndarray:
    """Of an array, or of a torch tensor on any device; bfloat16 as its bits.
    torch is imported only where a tensor has come from it."""
    if hasattr(array, "detach"):
        array = array.detach().cpu()
        if str(array.dtype) == "torch.bfloat16":
            import torch
            array = array.view(torch.int16)
        array = array.numpy()
    array = np.asarray(array)
    return array.view(np.uint16) if array.dtype == np.int16 else array


def chain_digest(previous: str,
                 batch: Union[Mapping[str, Any], Sequence[Any]]) -> str:
    """SHA-256, in hex, of the chain so far and this batch.

        digest = ""                     # before the first step
        for batch in loader:
            digest = pasted.chain_digest(digest, batch)

    Two runs whose digests are equal after a step have had the same batches in
    the same order up to it. Keep the digest beside `state_dict` in a
    checkpoint, and go on from it.

    Args:
        previous: what the last call returned; "" before the first.
        batch: a mapping of names to arrays (a Batch, or what a Loader with
            tensors=None yields), taken in the order of the names; or a
            sequence of arrays (what a Loader yields), taken as it stands.
            Arrays are NumPy's or torch's, of any shape; the same bytes from
            either give the same digest.

    Digested: `previous`, then of each array its name (of a sequence "0", "1",
    ...), dtype and shape as one line of text, then its bytes in C order.
    """
    digest = hashlib.sha256(previous.encode())
    for name, array in _named(batch):
        array = np.ascontiguousarray(_as_numpy(array))
        shape = ",".join(str(n) for n in array.shape)
        digest.update(f"\n{name} {array.dtype.str} [{shape}]\n".encode())
        digest.update(memoryview(array.reshape(-1)).cast("B"))
    return digest.hexdigest()
