"""The steps of `pasted.robust` on NumPy arrays, given a gradient.

For other frameworks and for checks; knows no model. Images and masks are
floats in 0..1, epsilons fractions of 0..1; others are refused with BadArgument,
a ValueError.

Source: as pasted.robust.
"""
from __future__ import annotations

import numpy as np

from .errors import BadArgument
from .ranges import check_fractions, check_unit_array


def fgsm(images: np.ndarray, gradient: np.ndarray,
         epsilon: float) -> np.ndarray:
    """images + epsilon * sign(gradient), held within 0..1 (f32)."""
    check_unit_array("images", images)
    check_fractions(epsilon=epsilon)
    return np.clip(images + np.float32(epsilon) * np.sign(gradient), 0, 1)


def step_of(gradient: np.ndarray, t: int, steps: int, size: float,
            schedule: str = "paper") -> np.ndarray:
    """What step t of 0..steps-1 adds; see pasted.robust.step_of."""
    sign = np.sign(gradient)
    if schedule == "sign":
        return np.float32(size / steps) * sign
    if schedule != "paper":
        raise ValueError(f"schedule must be 'paper' or 'sign', "
                         f"not {schedule!r}")
    largest = max(float(np.abs(gradient).max()), 1e-30)
    mixed = (steps - t) * sign + t * (gradient / largest)
    return (size / steps * mixed / steps).astype(np.float32)


def _radius(images: np.ndarray, mask: np.ndarray, epsilon_object: float,
            epsilon_context: float) -> np.ndarray:
    """How far a result may lie from each value of `images`."""
    check_unit_array("images", images)
    check_unit_array("masks", mask)
    if mask.ndim != images.ndim:
        raise BadArgument(f"masks of images {list(images.shape)} have as many "
                          f"axes, [n,1,h,w] or [n,h,w,1], not "
                          f"{list(mask.shape)}")
    check_fractions(epsilon_object=epsilon_object,
                    epsilon_context=epsilon_context)
    return epsilon_context + (epsilon_object - epsilon_context) * mask


def project(x: np.ndarray, images: np.ndarray, mask: np.ndarray,
            epsilon_object: float, epsilon_context: float) -> np.ndarray:
    """x within epsilon_object (mask 1) or epsilon_context (mask 0) of images
    and within 0..1. mask: [n,1,h,w] or [n,h,w,1], as images."""
    allowed = _radius(images, mask, epsilon_object, epsilon_context)
    return np.clip(np.clip(x, images - allowed, images + allowed), 0, 1)


def start(images: np.ndarray, mask: np.ndarray, epsilon_object: float,
          epsilon_context: float, seed: int) -> np.ndarray:
    """A place in the ball around each value, uniformly drawn, within 0..1; as
    libpasted's pasted_pgd_start. mask: as project's.

    The draws are SplitMix64 (Steele, Lea & Flood 2014) of the values' index.
    """
    z = np.arange(1, images.size + 1, dtype=np.uint64)
    z = z * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
    z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    unit = ((z ^ z >> np.uint64(31)) >> np.uint64(40)) * 2.0 ** -24
    allowed = _radius(images, mask, epsilon_object, epsilon_context)
    drawn = (2 * unit.reshape(images.shape) - 1).astype(np.float32) * allowed
    return np.clip(images + drawn, 0, 1)


def worst_of_k(losses: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """[n,k] losses and misclassifications -> index [n]: a misclassified
    candidate beats a correct one, then the larger loss wins."""
    hidden = np.where(wrong, losses, -np.inf)
    return np.where(wrong.any(1), hidden.argmax(1), losses.argmax(1))
