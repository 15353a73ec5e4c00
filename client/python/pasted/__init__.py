"""Balanced cut-and-paste training batches from a `pasted` server.

    import pasted

    with pasted.connect("pasted://host:7700/default?batch=128") as client:
        batch = client.next()
        batch["image"]      # [128, h, w, 3] u8
        batch["label"]      # [128] i64

    loader = pasted.Loader("pasted://host:7700/default?batch=128")
    for image, label in loader:     # torch tensors where torch is installed
        ...

`pasted.robust` has FGSM, PGD and worst-of-k for training loops.
"""
from ._library import lib as _lib
from .client import Batch, Client, connect
from .confusion import Confusion
from .digest import chain_digest
from .errors import (BadArgument, BadState, Cancelled, Disconnected, Ended,
                     FingerprintMismatch, Forked, GroupMismatch, LeaseLost,
                     NotFound, Overloaded, PastedError, Timeout, Unauthorized,
                     UnknownFeedback, Unsupported)
from .loader import Loader
from .refined import as_contexts

__version__ = _lib.version().decode()

__all__ = ["BadArgument", "BadState", "Batch", "Cancelled", "Client",
           "Confusion", "Disconnected", "Ended", "FingerprintMismatch",
           "Forked", "GroupMismatch", "LeaseLost", "Loader", "NotFound",
           "Overloaded", "PastedError", "Timeout", "Unauthorized",
           "UnknownFeedback", "Unsupported", "as_contexts", "chain_digest",
           "connect"]
