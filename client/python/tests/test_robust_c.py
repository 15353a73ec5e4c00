"""The adversarial steps of libpasted (pasted_robust.h) against NumPy's."""
import ctypes
from ctypes import POINTER, Structure, byref, c_double, c_uint32, c_uint64, c_void_p

import numpy as np
import pytest

from pasted import _library, robust_numpy

N, C, H, W = 5, 3, 19, 23
EPSILONS = {"epsilon_object": 4 / 255, "epsilon_context": 16 / 255}


class Images(Structure):
    _fields_ = [(name, c_uint32) for name in
                ("n", "height", "width", "channels", "dtype", "layout")]


class Ball(Structure):
    _fields_ = [("mask", c_void_p), ("epsilon_object", c_double),
                ("epsilon_context", c_double)]


class Step(Structure):
    _fields_ = [("t", c_uint32), ("steps", c_uint32), ("size", c_double),
                ("schedule", c_uint32)]


@pytest.fixture(scope="module")
def lib():
    path = next(iter(_library._candidates()))
    loaded = ctypes.CDLL(path)
    loaded.pasted_pgd_step.argtypes = [
        POINTER(Images), POINTER(Ball), POINTER(Step)] + [c_void_p] * 3
    loaded.pasted_fgsm.argtypes = [
        POINTER(Images), POINTER(Ball)] + [c_void_p] * 3
    loaded.pasted_pgd_start.argtypes = [
        POINTER(Images), POINTER(Ball), c_void_p, c_uint64, c_void_p]
    return loaded


@pytest.fixture(params=["nchw", "nhwc"])
def scene(request):
    """Images, gradient and mask (u8, and as robust_numpy takes it)."""
    rng = np.random.default_rng(5)
    shape = (N, C, H, W) if request.param == "nchw" else (N, H, W, C)
    image = (rng.integers(0, 256, shape) / 255).astype(np.float32)
    gradient = rng.normal(0, 1e-3, shape).astype(np.float32)
    gradient[rng.random(shape) < 0.1] = 0
    mask = rng.integers(0, 256, (N, H, W), np.uint8)
    wide = mask.astype(np.float32) / np.float32(255)
    wide = np.expand_dims(wide, 1 if request.param == "nchw" else 3)
    layout = 2 if request.param == "nchw" else 1
    return image, gradient, mask, wide, Images(N, H, W, C, 4, layout)


def at(array):
    return array.ctypes.data


@pytest.mark.parametrize("schedule", ["sign", "paper"])
def test_steps_are_numpys_value_by_value(lib, scene, schedule):
    image, gradient, mask, wide, on = scene
    ball = Ball(at(mask), *EPSILONS.values())
    ours = theirs = image.copy()
    ours = ours.copy()
    for t in range(8):
        step = Step(t, 8, 16 / 255, 1 if schedule == "sign" else 2)
        assert lib.pasted_pgd_step(byref(on), byref(ball), byref(step),
                                   at(image), at(gradient), at(ours)) == 0
        theirs = robust_numpy.project(
            theirs + robust_numpy.step_of(gradient, t, 8, 16 / 255, schedule),
            image, wide, **EPSILONS)
        assert theirs.dtype == np.float32
        np.testing.assert_array_equal(ours, theirs)
        gradient *= -0.75
    assert not np.array_equal(ours, image)


def test_fgsm_is_numpys_value_by_value(lib, scene):
    image, gradient, _, _, on = scene
    ours = np.empty_like(image)
    ball = Ball(None, 0, 0.03)
    assert lib.pasted_fgsm(byref(on), byref(ball), at(image), at(gradient),
                           at(ours)) == 0
    np.testing.assert_array_equal(
        ours, robust_numpy.fgsm(image, gradient, 0.03))


def test_a_random_start_is_numpys_value_by_value(lib, scene):
    image, _, mask, wide, on = scene
    ours, seed = np.empty_like(image), 2 ** 64 - 3
    ball = Ball(at(mask), *EPSILONS.values())
    assert lib.pasted_pgd_start(byref(on), byref(ball), at(image), seed,
                                at(ours)) == 0
    theirs = robust_numpy.start(image, wide, **EPSILONS, seed=seed)
    assert theirs.dtype == np.float32
    np.testing.assert_array_equal(ours, theirs)
    moved = np.abs(ours - image)
    assert (moved <= 16 / 255 + 1e-6).all() and moved.mean() > 2 / 255
