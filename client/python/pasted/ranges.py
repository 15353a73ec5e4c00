"""Whether images, masks and epsilons are what they are taken for: floats in
0..1, or levels of u8. Converts nothing and knows no training framework.

Errors: BadArgument, which is a ValueError.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from .errors import BadArgument

# Half a level of u8: what arithmetic, also of bfloat16, may be off by.
_SLACK = 0.5 / 255


def check_unit(what: str, lowest: float, highest: float) -> None:
    """That the range of some floats is 0..1, but for half a level; NaN is
    nowhere."""
    if -_SLACK <= lowest and highest <= 1 + _SLACK:
        return
    raise BadArgument(f"{what} are floats in 0..1, not {lowest:g} to "
                      f"{highest:g}" + (": divide levels of 0..255 by 255"
                                        if 2 <= highest <= 256 else ""))


def check_unit_array(what: str, array: np.ndarray) -> None:
    """The same of a whole array, which must be of floats."""
    if array.dtype.kind != "f":
        raise BadArgument(f"{what} are floats in 0..1, not {array.dtype}")
    if array.size:
        check_unit(what, float(array.min()), float(array.max()))


def check_unit_tensor(what: str, tensor: Any) -> None:
    """The same of a torch tensor, on any device."""
    if not tensor.dtype.is_floating_point:
        raise BadArgument(f"{what} are floats in 0..1, not {tensor.dtype}")
    if tensor.numel():
        check_unit(what, *(float(end) for end in tensor.detach().aminmax()))


def check_fractions(**values: float) -> None:
    """That each is within 0..1: epsilons are parts of the whole range."""
    for name, value in values.items():
        if not 0 <= value <= 1:
            raise BadArgument(f"{name} {value} must be within 0..1, a part of "
                              "the whole range: 16 levels are 16 / 255")
