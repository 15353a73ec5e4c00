"""Single operations of the daemon's code against the independent reader of
NUMERICS.md (operations.py), byte for byte, on frames of every awkward shape.

    test_operations.py APPLY_OPERATION

Does not draw plans (test_numerics.py does)."""
import subprocess
import sys
import unittest

import numpy as np

import frames
import operations

SHAPES = [(1, 1), (1, 2), (2, 1), (1, 40), (40, 1), (2, 2), (3, 5), (7, 4),
          (8, 8), (16, 17), (33, 31), (20, 70), (48, 48)]


def odd(rng, most):
    return 2 * int(rng.integers(0, most // 2 + 1)) + 1


def key(rng):
    return [int(x) for x in rng.integers(-2**31, 2**31, 2)]


def ints(rng, lo, hi, n):
    return [int(x) for x in rng.integers(lo, hi + 1, n)]


def nothing(rng, w, h):
    return []


def motion(rng, w, h):
    angle = rng.uniform(-7, 7)
    return ints(rng, 1, 31, 1) + [int(np.rint(65536 * np.cos(angle))),
                                  int(np.rint(65536 * np.sin(angle)))]


def gaussian_weights(rng):
    """Not those of edge.c: any that sum to 65536 must do."""
    r = int(rng.integers(0, 17))
    outer = [int(x) for x in rng.integers(1, 65536 // (2 * max(r, 1)), r)]
    return [r, 65536 - 2 * sum(outer)] + outer


# name -> the plan's integers, drawn within the recipe's limits.
PARAMETERS = {
    "box_blur": lambda rng, w, h: [odd(rng, 31), odd(rng, 31)],
    "gaussian_blur": lambda rng, w, h: gaussian_weights(rng),
    "gaussian_noise": lambda rng, w, h: [int(rng.integers(0, 12542))] +
    key(rng),
    "exposure": lambda rng, w, h: [int(rng.integers(0, 32769))],
    "gamma": lambda rng, w, h: [int(4096 * rng.choice([.1, .5, 1, 2.2, 10]))],
    "channel_gain": lambda rng, w, h: ints(rng, 0, 32768, 3),
    "greyscale": nothing,
    "invert": nothing,
    "posterize": lambda rng, w, h: ints(rng, 1, 8, 1),
    "solarize": lambda rng, w, h: ints(rng, 0, 256, 1),
    "autocontrast": lambda rng, w, h: [int(rng.choice(
        [0, 256, 300, 256 * 10, 256 * 49]))],
    "equalize": nothing,
    "uniform_noise": lambda rng, w, h: ints(rng, 0, 127, 1) + key(rng),
    "salt_pepper": lambda rng, w, h: [int(rng.choice(
        [0, 3000, 30000, 65536]))] + key(rng),
    "sharpen": lambda rng, w, h: ints(rng, 0, 1024, 1),
    "channel_shuffle": lambda rng, w, h: ints(rng, 0, 5, 1),
    "white_balance": lambda rng, w, h: ints(rng, 1024, 16384, 3),
    "motion_blur": motion,
    "downscale": lambda rng, w, h: ints(rng, 1, w, 1) + ints(rng, 1, h, 1),
    "coarse_dropout": lambda rng, w, h: ints(rng, 1, 8, 1) + ints(
        rng, 1, h, 1) + ints(rng, 1, w, 1) + ints(rng, 0, 255, 1) + key(rng),
    "jpeg": lambda rng, w, h: ints(rng, 1, 100, 1) + ints(rng, 1, 2, 1),
    "light": lambda rng, w, h: ints(rng, 0, 2 << 20, 1) + ints(
        rng, -(1 << 20) // w, (1 << 20) // w, 2),
    "defocus": lambda rng, w, h: ints(rng, 0, 6 * 256, 1),
    "brightness": lambda rng, w, h: ints(rng, 0, 16384, 1),
    "contrast": lambda rng, w, h: ints(rng, 0, 16384, 1),
    "saturation": lambda rng, w, h: ints(rng, 0, 16384, 1),
    "hue": lambda rng, w, h: ints(rng, -8192, 8192, 9),
    "jitter": lambda rng, w, h: ints(rng, 0, 23, 1) + ints(
        rng, 0, 16384, 3) + ints(rng, -8192, 8192, 9),
    "threshold": lambda rng, w, h: ints(rng, 0, 255, 1) + ints(
        rng, 0, 256, 1),
    "offset": lambda rng, w, h: ints(rng, -255, 255, 1),
    "shot_noise": lambda rng, w, h: ints(rng, 0, 12541, 1) + key(rng),
}


def frame(rng, h, w, kind):
    """Noise, extremes only, few levels, one colour."""
    if kind == 0:
        return rng.integers(0, 256, (h, w, 3))
    if kind == 1:
        return rng.integers(0, 2, (h, w, 3)) * 255
    if kind == 2:
        return rng.integers(100, 110, (h, w, 3))
    return np.broadcast_to(rng.integers(0, 256, 3), (h, w, 3))


class OperationsTest(unittest.TestCase):
    def test_every_operation_has_an_oracle(self):
        names = subprocess.run([frames.APPLY, "--list"], stdout=subprocess.PIPE,
                               check=True, text=True).stdout.split()
        self.assertEqual(sorted(names), sorted(operations.OPERATIONS))
        self.assertEqual(sorted(names), sorted(PARAMETERS))

    def test_every_operation_gives_the_bytes_of_the_page(self):
        for number, name in enumerate(sorted(PARAMETERS)):
            with self.subTest(name):
                rng = np.random.default_rng(1000 + number)
                requests = [
                    (name, PARAMETERS[name](rng, w, h), frame(rng, h, w, kind))
                    for h, w in SHAPES for kind in (0, 1, 2, 3)]
                for (_, p, f), got in zip(requests, frames.apply_all(requests)):
                    expected = operations.run(
                        np.asarray(f, np.int64), [{"op": name, "p": p}])
                    self.assertTrue(0 <= expected.min() and
                                    expected.max() <= 255)
                    np.testing.assert_array_equal(
                        got, expected, f"{name} {p} {f.shape}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
