"""Confusion counts, and the feedback table that is made of them.

Knows no server (Client.feedback uploads a table) and no training framework:
labels are NumPy arrays or what numpy.asarray takes.

Threads: one at a time per Confusion.
"""
from __future__ import annotations

import ctypes
import weakref
from typing import Any

import numpy as np

from ._library import lib
from .errors import BadArgument

MAX_CLASSES = 1024


class Confusion:
    """How often a model took which class for which.

    Args:
        n_classes: 1 to 1024; client.info["n_classes"].

    Counts are of 32 bits; all are halved when one would pass them.
    """

    def __init__(self, n_classes: int) -> None:
        if not 1 <= n_classes <= MAX_CLASSES:
            raise BadArgument(f"{n_classes} classes: 1 to {MAX_CLASSES} have "
                              "confusion counts")
        self.n_classes = n_classes
        self._handle = lib.confusion_create(n_classes)
        if not self._handle:
            raise MemoryError("pasted_confusion_create")
        weakref.finalize(self, lib.confusion_destroy, self._handle)

    def add(self, truth: Any, predicted: Any) -> None:
        """Counts pairs of classes: truth [n] (the batch's `label`), predicted
        [n] (the model's), integers."""
        pairs = [np.ascontiguousarray(np.asarray(x).ravel(), np.int64)
                 for x in (truth, predicted)]
        if len(pairs[0]) != len(pairs[1]):
            raise BadArgument(f"{len(pairs[0])} true classes beside "
                              f"{len(pairs[1])} predicted ones")
        if lib.confusion_add(self._handle, pairs[0].ctypes.data,
                             pairs[1].ctypes.data, len(pairs[0])) != 0:
            raise BadArgument("a class is not one of "
                              f"0 to {self.n_classes - 1}")

    def reset(self) -> None:
        """All counts are 0 again."""
        lib.confusion_reset(self._handle)

    @property
    def counts(self) -> np.ndarray:
        """[n_classes, n_classes] i64: truth by row, prediction by column."""
        n = self.n_classes
        return np.array([[lib.confusion_count(self._handle, i, k)
                          for k in range(n)] for i in range(n)], np.int64)

    def weights(self, smoothing: float = 1.0) -> np.ndarray:
        """[n_classes, n_classes] f64 for Client.feedback: how often the row's
        class was taken for the column's, `smoothing` more, and 0 for the class
        itself; a row without any is 1 for all others."""
        out = np.empty((self.n_classes, self.n_classes), np.float64)
        status = lib.confusion_weights(self._handle, ctypes.c_double(smoothing),
                                       out.ctypes.data)
        if status != 0:
            raise BadArgument(f"smoothing {smoothing} is not a number from 0 "
                              "on")
        return out
