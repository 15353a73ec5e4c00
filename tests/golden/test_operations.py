"""Single operations of the daemon's code against the independent reader of
NUMERICS.md (operations.py), byte for byte, on frames of every awkward shape.

    test_operations.py APPLY_OPERATION

Does not draw plans (test_numerics.py does)."""
import subprocess
import sys
import unittest

import numpy as np

import operations

APPLY = sys.argv[1]
SHAPES = [(1, 1), (1, 2), (2, 1), (1, 40), (40, 1), (2, 2), (3, 5), (7, 4),
          (8, 8), (16, 17), (33, 31), (20, 70), (48, 48)]


def odd(rng, most):
    return 2 * int(rng.integers(0, most // 2 + 1)) + 1


def key(rng):
    return [int(x) for x in rng.integers(-2**31, 2**31, 2)]


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


def apply_all(requests):
    """[(name, p, [h, w, 3])] -> frames"""
    text = b"".join(
        f"{name} {f.shape[1]} {f.shape[0]} {' '.join(map(str, p))}\n".encode()
        + np.ascontiguousarray(f, np.uint8).tobytes()
        for name, p, f in requests)
    out = subprocess.run([APPLY], input=text, stdout=subprocess.PIPE,
                         check=True).stdout
    frames, at = [], 0
    for _, _, f in requests:
        frames.append(np.frombuffer(out, np.uint8, f.size, at)
                      .reshape(f.shape))
        at += f.size
    assert at == len(out)
    return frames


class OperationsTest(unittest.TestCase):
    def test_every_operation_has_an_oracle(self):
        names = subprocess.run([APPLY, "--list"], stdout=subprocess.PIPE,
                               check=True, text=True).stdout.split()
        self.assertEqual(sorted(names), sorted(operations.OPERATIONS))
        self.assertEqual(sorted(names), sorted(PARAMETERS))

    def test_every_operation_gives_the_bytes_of_the_page(self):
        for number, name in enumerate(sorted(PARAMETERS)):
            with self.subTest(name):
                rng = np.random.default_rng(1000 + number)
                requests = [
                    (name, PARAMETERS[name](rng, w, h), frame(rng, h, w, kind))
                    for h, w in SHAPES for kind in (0, 0, 1, 2, 3)]
                for (_, p, f), got in zip(requests, apply_all(requests)):
                    expected = operations.run(
                        np.asarray(f, np.int64), [{"op": name, "p": p}])
                    self.assertTrue(0 <= expected.min() and
                                    expected.max() <= 255)
                    np.testing.assert_array_equal(
                        got, expected, f"{name} {p} {f.shape}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
