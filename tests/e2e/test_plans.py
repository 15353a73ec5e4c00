"""A served plan says what the served picture is: samples/N.png of files made
here, recomputed from samples/N.json by the reader that knows NUMERICS.md and
nothing of the daemon (tests/golden). Operations in every list. Does not test
the arithmetic at large (tests/golden does)."""
import json
import pathlib
import sys
import tempfile
import unittest

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "golden")]
import numerics  # noqa: E402
from daemon import Daemon, run_to_end  # noqa: E402
from test_operation import png  # noqa: E402
from test_pastectl import read_png  # noqa: E402

N_SAMPLES = 40
LIST = {"operation_order": "random", "operations": [
    {"op": "jitter", "probability": 0.7},
    {"one_of": [{"op": "autocontrast"}, {"op": "equalize"}],
     "probability": 0.5},
    {"one_of": [{"op": "gaussian_blur"}, {"op": "jpeg", "weight": 2},
                {"op": "coarse_dropout"}], "probability": 0.6},
    {"op": "gaussian_noise", "probability": 0.4}]}
RECIPE = {"size": [30, 44], "seed": 9, "image": LIST, "background": LIST,
          "context": {"background": 2, "gradient": 1, "noise": 1},
          "object": dict(LIST, scale=[0.3, 1.2], edge={
              "choice": ["hard", "alpha", "feather", "motion"]})}


def object_pixel(x, y):
    alpha = max(0, 255 - 3 * ((x - 11)**2 + (y - 8)**2))
    return bytes((20 * (x % 12), 255 - 9 * x, 14 * y, alpha))


def background_pixel(number):
    return lambda x, y: bytes((x * 5, (y * 7) ^ (x * 3) & 255, 80 * number))


def make_pools(folder):
    """-> options, objects and backgrounds as arrays"""
    (folder / "objects").mkdir()
    (folder / "backgrounds").mkdir()
    (folder / "objects" / "disc.png").write_bytes(
        png(24, 17, object_pixel, True))
    pixels = [np.frombuffer(b"".join(
        of(x, y) for y in range(h) for x in range(w)),
        np.uint8).reshape(h, w, -1) for of, w, h in (
            (object_pixel, 24, 17), (background_pixel(0), 50, 36),
            (background_pixel(1), 50, 36), (background_pixel(2), 50, 36))]
    for i in range(3):
        (folder / "backgrounds" / f"{i}.png").write_bytes(
            png(50, 36, background_pixel(i), False))
    return (["--objects", str(folder / "objects"), "--backgrounds",
             str(folder / "backgrounds")], pixels[0], pixels[1:])


class Plans(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def recipe(self, recipe):
        path = self.folder / "recipe.json"
        path.write_text(json.dumps(recipe))
        return ["--recipe", str(path)]

    def test_every_picture_is_what_its_plan_says(self):
        options, thing, backgrounds = make_pools(self.folder)
        recipe = dict(RECIPE, graph={"objects_per_background": 1})
        seen = {"operations": set(), "object_operations": set(),
                "background_operations": set()}
        with Daemon(*options, *self.recipe(recipe)) as d:
            stream, = d.get("/v1/streams").json["streams"]
            base = f"/v1/streams/{stream['name']}/samples"
            for i in range(N_SAMPLES):
                plan = d.get(f"{base}/{i}.json").json
                path = self.folder / "sample.png"
                path.write_bytes(d.get(f"{base}/{i}.png").body)
                expected, box = numerics.sample(
                    plan, thing, backgrounds[plan["background"]], None)
                np.testing.assert_array_equal(read_png(path), expected,
                                              str(plan))
                self.assertEqual(plan["box"], [int(v) for v in box])
                for name in seen:
                    seen[name] |= {o["op"] for o in plan[name]}
        for name, operations in seen.items():
            self.assertEqual(len(operations), 7, f"{name}: {operations}")

    def test_a_bad_list_is_refused_before_anything_is_loaded(self):
        for section in ("image", "background", "object"):
            for words, operations in (
                    ("/operations/0/op: must be one of", [{"op": "blurr"}]),
                    ("/operations/1/hue/1: must be at most 0.5",
                     [{"op": "hue"}, {"op": "jitter", "hue": [0, 0.7]}]),
                    ("/operations: more than 16", [{"op": "hue"}] * 17)):
                code, _, err = run_to_end("--demo", "--check", *self.recipe(
                    {section: {"operations": operations}}))
                self.assertEqual(code, 78, err)
                self.assertIn(f"/{section}", err)
                self.assertIn(words.split(": ")[1], err)


if __name__ == "__main__":
    unittest.main()
