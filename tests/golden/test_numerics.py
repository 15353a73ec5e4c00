"""Batches of the daemon's code against the independent reader of NUMERICS.md:
every context, edge, dtype and layout, byte for byte.

    test_numerics.py DUMP_SAMPLES SOURCE     SOURCE: synthetic or demo

Does not test the network, the graph or the codecs."""
import sys
import tempfile
import unittest

import numpy as np

import dump
import numerics
import operations

DUMP, SOURCE = sys.argv[1:3]

ANY_POSE = {"scale": [0.05, 2], "rotate": [-180, 180], "shear": [-40, 40],
            "translate": {"x": [-0.2, 1.2], "y": [-0.2, 1.2]}, "flip": 0.5,
            "stretch": {"log_uniform": [0.3, 3]}, "shear_y": [-40, 40],
            "min_visible": 0}
NO_COLOUR = {"brightness": 1, "contrast": 1, "saturation": 1, "hue": 0}
ANY_COLOUR = {"brightness": [0.2, 1.8], "contrast": [0, 2],
              "saturation": [0, 2.3], "hue": [-0.5, 0.5]}
EVERY_CONTEXT = {"background": 1, "noise": 1, "solid": 1, "gaussian_noise": 1,
                 "gradient": 1, "texture": 1}



def operation_recipes():
    """Each operation at its defaults; a recipe holds sixteen at most."""
    names = sorted(operations.OPERATIONS)
    shapes = [{"size": [37, 52], "context": EVERY_CONTEXT}, {"size": 1},
              {"size": [20, 33], "output": {"dtype": "f32", "layout": "nchw"}}]
    edge = {"choice": ["hard", "alpha", "feather", "box", "eroded", "motion"]}
    for first in range(0, len(names), 12):
        entries = [{"one_of": [{"op": name} for name in half],
                    "probability": 0.9}
                   for half in (names[first:first + 12:2],
                                names[first + 1:first + 12:2])]
        work = {"operation_order": "random", "operations": entries}
        parts = {"object": dict(ANY_POSE, edge=edge, **work),
                 "background": work, "labels": EVERY_TENSOR}
        for shape in shapes:
            of = f"operations from {names[first]} at {shape['size']}"
            yield of, (dict(shape, image=work), 50)
            yield "object and context: " + of, (dict(shape, **parts), 30)


ODD = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}

EVERY_TENSOR = {"tensors": ["label", "object", "background", "position", "box",
                            "visible", "mask", "plane", "context"]}

WITH_OTHER = {"tensors": EVERY_TENSOR["tensors"] + ["distractor"]}

MOVES = [0, 100000]

KEYPOINTS = {"tensors": ["label", "object", "background", "position", "box",
                         "visible", "keypoints", "mask", "plane", "context"]}

# name -> (recipe, samples)
RECIPES = {
    "defaults": ({"size": 64}, 60),
    "backgrounds large and flipped": (
        {"size": [61, 97],
         "background": {"scale": [0.01, 1], "flip": 0.5,
                        "aspect": {"log_uniform": [0.1, 10]}},
         "object": ANY_POSE}, 60),
    "backgrounds turned": (
        {"size": [47, 70], "background": {"rotate": [-180, 180], "flip": 0.5,
                                          "scale": [0.01, 1]}}, 40),
    "turned beyond the edge": (
        {"size": 40, "image": NO_COLOUR,
         "background": {"rotate": [-360, 360], "padding": "edge",
                        "aspect": {"log_uniform": [0.1, 10]},
                        "scale": [0.2, 10]}}, 40),
    "large reflected": (
        {"size": [30, 50], "background": {"padding": "reflect",
                                          "rotate": {"choice": [0, 30]},
                                          "scale": [0.5, 10]}}, 50),
    "large wrapped": (
        {"size": [30, 50], "background": {"padding": "wrap",
                                          "rotate": {"choice": [0, -75]},
                                          "scale": [0.5, 4]}}, 50),
    "large in a colour": (
        {"size": [50, 30], "background": {
            "padding": "colour", "padding_colour": [105, [0, 255], 3],
            "rotate": {"choice": [0, 10]}, "scale": [0.5, 3],
            "brightness": [0.5, 1.5]}}, 50),
    "noise of a narrow range": (
        {"size": [33, 50], "context": {"background": 0, "noise": 1,
                                       "noise_range": [37, 200]},
         "object": dict(ANY_POSE, edge="hard")}, 40),
    "normal noise that wraps": (
        {"size": [33, 50], "context": {"background": 0, "gaussian_noise": 1},
         "object": dict(ANY_POSE, edge="hard"), "image": NO_COLOUR}, 40),
    "normal noise of few levels": (
        {"size": [21, 130], "context": {"background": 0, "gaussian_noise": 1,
                                        "noise_sigma": 7.5}}, 20),
    "gradients": (
        {"size": [50, 35], "context": {"background": 0, "gradient": 1},
         "image": NO_COLOUR}, 30),
    "textures": (
        {"size": [50, 71], "context": {
            "background": 0, "texture": 1,
            "texture_scale": {"log_uniform": [1, 1024]}},
         "image": NO_COLOUR}, 60),
    "texture of one octave": (
        {"size": [40, 40], "context": {
            "background": 0, "texture": 1, "texture_kind": "noise",
            "texture_octaves": 1, "texture_scale": 9}}, 10),
    "texture of six octaves": (
        {"size": [9, 300], "context": {
            "background": 0, "texture": 1, "texture_kind": "noise",
            "texture_octaves": 6, "texture_scale": [1, 40]}}, 20),
    "solid": (
        {"size": [40, 30], "context": {"background": 0, "solid": 1},
         "object": dict(ANY_POSE, edge="alpha"), "image": NO_COLOUR}, 40),
    "hard edges": (
        {"size": 48, "context": EVERY_CONTEXT, "image": ANY_COLOUR,
         "object": dict(ANY_POSE, edge="hard")}, 60),
    "feathered edges": (
        {"size": 48, "context": EVERY_CONTEXT,
         "object": dict(ANY_POSE, edge="feather", feather=1.7)}, 60),
    "two thirds of soft edges": (
        {"size": 40, "context": EVERY_CONTEXT,
         "object": dict(ANY_POSE, blend="two_thirds", **ANY_COLOUR)}, 30),
    "two thirds of the frame": (
        {"size": [37, 40], "context": dict(EVERY_CONTEXT,
                                           noise_channels="grey"),
         "labels": EVERY_TENSOR,
         "object": dict(ANY_POSE, blend="two_thirds_frame",
                        operations=[{"op": "invert"}], **ANY_COLOUR)}, 40),
    "two thirds of the frame, straight": (
        {"size": [20, 33], "context": {"background": 1, "gaussian_noise": 3,
                                       "noise_channels": "grey"},
         "object": dict(ANY_POSE, blend="two_thirds_frame",
                        edge="feather")}, 30),
    "two thirds of feathered edges": (
        {"size": [30, 45], "image": NO_COLOUR,
         "object": dict(ANY_POSE, blend="two_thirds", edge="feather")}, 20),
    "the classic 5 x 5 feather": (
        {"size": [30, 40],
         "object": dict(ANY_POSE, edge="feather", feather=2,
                        feather_radius=2)}, 30),
    "widest feather": (
        {"size": [20, 70], "context": EVERY_CONTEXT, "image": NO_COLOUR,
         "object": dict(ANY_POSE, edge="feather", feather=8)}, 30),
    "any edge": (
        {"size": 40, "object": dict(
            ANY_POSE, edge={"choice": ["hard", "alpha", "feather", "box",
                                       "eroded", "motion"]},
            perspective=[0, 0.3])}, 60),
    "matched means": (
        {"size": [40, 33], "context": EVERY_CONTEXT, "object": dict(
            ANY_POSE, match=[0, 1])}, 60),
    "matched means and deviations": (
        {"size": 40, "context": EVERY_CONTEXT, "labels": EVERY_TENSOR,
         "background": ANY_COLOUR, "object": dict(
             ANY_POSE, match=[0, 1], match_mode="mean_std", edge="hard",
             **ANY_COLOUR)}, 60),
    "matched luma of soft edges": (
        {"size": 40, "context": EVERY_CONTEXT, "object": dict(
            ANY_POSE, match=1, match_mode="luma", edge="feather",
            perspective=0.3, blend="two_thirds")}, 40),
    "matched after operations": (
        {"size": [21, 36], "labels": EVERY_TENSOR,
         "background": {"operations": [{"op": "gaussian_blur", "sigma": 1}]},
         "object": dict(
             ANY_POSE, match=1, match_mode="mean_std", blend="two_thirds",
             operations=[{"op": "invert", "probability": 0.5}])}, 30),
    "strokes": (
        {"size": [48, 70], "context": EVERY_CONTEXT, "labels": EVERY_TENSOR,
         "object": dict(ANY_POSE, stroke=[-4, 8])}, 60),
    "strokes of hard edges, huge and small": (
        {"size": 40, "object": dict(
            ANY_POSE, stroke={"choice": [0, -16, 16, 1, 0.1]}, edge="hard",
            scale={"log_uniform": [0.01, 4]})}, 60),
    "strokes of soft and warped edges": (
        {"size": 40, "labels": EVERY_TENSOR, "object": dict(
            ANY_POSE, stroke=[-3, 5], perspective=[0, 0.5], elastic=[0, 3],
            match=1, edge={"choice": ["feather", "eroded", "motion",
                                      "alpha"]})}, 60),
    "smeared objects": (
        {"size": [33, 48], "context": EVERY_CONTEXT, "object": dict(
            ANY_POSE, edge="motion", motion_length=[1, 31],
            motion_angle=[-360, 360])}, 60),
    "smeared objects of two thirds": (
        {"size": 40, "labels": EVERY_TENSOR, "object": dict(
            ANY_POSE, edge="motion", blend="two_thirds", elastic=[0, 6],
            motion_length={"choice": [3, 5, 7, 9]}, **ANY_COLOUR)}, 30),
    "eroded edges": (
        {"size": [9, 50], "object": dict(ANY_POSE, edge="eroded")}, 30),
    "perspective": (
        {"size": [50, 44], "context": EVERY_CONTEXT,
         "object": dict(ANY_POSE, perspective=[0, 0.6])}, 60),
    "perspective, feathered": (
        {"size": [30, 64], "object": dict(ANY_POSE, perspective=0.6,
                                          edge="feather", feather=2.5)}, 40),
    "frames in perspective": (
        {"size": [50, 44], "context": EVERY_CONTEXT, "labels": KEYPOINTS,
         "object": dict(ANY_POSE, perspective=[0, 0.6],
                        perspective_of="frame")}, 60),
    "frames in perspective, feathered": (
        {"size": [30, 64], "object": dict(
            ANY_POSE, perspective=0.6, perspective_of="frame", edge="feather",
            elastic=[0, 3])}, 40),
    "elastic": (
        {"size": 64, "object": dict(ANY_POSE, elastic=[0, 6],
                                    elastic_points=3, edge="hard")}, 40),
    "elastic and perspective": (
        {"size": [64, 90], "object": dict(ANY_POSE, elastic=4,
                                          elastic_points=5,
                                          perspective=0.5)}, 40),
    "one warped pixel": (
        {"size": 1, "object": dict(ANY_POSE, elastic=30,
                                   perspective=0.6)}, 30),
    "every part coloured": (
        {"size": 40, "context": EVERY_CONTEXT, "image": ANY_COLOUR,
         "background": ANY_COLOUR,
         "object": dict(ANY_POSE, **ANY_COLOUR)}, 60),
    "objects coloured at hard edges": (
        {"size": 40, "image": NO_COLOUR,
         "object": dict(ANY_POSE, edge="hard", **ANY_COLOUR)}, 30),
    "objects coloured at soft edges": (
        {"size": 40, "image": NO_COLOUR,
         "object": dict(ANY_POSE, edge="feather", **ANY_COLOUR)}, 30),
    "f32 nchw": (
        {"size": [31, 47], "context": EVERY_CONTEXT, "image": ANY_COLOUR,
         "output": {"dtype": "f32", "layout": "nchw",
                    "mean": [0.485, 0.456, 0.406],
                    "std": [0.229, 0.224, 0.225]}}, 30),
    "f32 nhwc": (
        {"size": 32, "output": {"dtype": "f32", "layout": "nhwc"}}, 30),
    "u8 nchw": ({"size": 32, "output": {"layout": "nchw"}}, 30),
    "f16 bgr": (
        {"size": [23, 35], "output": dict(ODD, dtype="f16", channels="bgr")},
        20),
    "f16 nchw": (
        {"size": [23, 35], "output": dict(ODD, dtype="f16", layout="nchw")},
        20),
    "bf16 bgr nchw": (
        {"size": [35, 23], "output": dict(ODD, dtype="bf16", channels="bgr",
                                          layout="nchw")}, 20),
    "bf16 beyond f16, tiny": (
        {"size": 16, "output": {"dtype": "bf16", "mean": [1000, 0, -1000],
                                "std": [1e-6, 1000, 3e-6]}}, 10),
    "f16 infinite and subnormal": (
        {"size": 16, "output": {"dtype": "f16", "mean": [1000, 0.5, 0],
                                "std": [1e-6, 1000, 1000]}}, 10),
    "grey": ({"size": 32, "output": {"channels": "grey"}}, 20),
    "grey nchw": ({"size": [9, 32],
                   "output": {"channels": "grey", "layout": "nchw"}}, 20),
    "grey f32": ({"size": 32, "output": dict(ODD, channels="grey",
                                             dtype="f32")}, 20),
    "grey f16 nchw": ({"size": [31, 5], "output": dict(
        ODD, channels="grey", dtype="f16", layout="nchw")}, 20),
    "bgr": ({"size": 32, "output": {"channels": "bgr"}}, 20),
    "bgr f32 nchw": ({"size": [31, 47], "output": dict(
        ODD, channels="bgr", dtype="f32", layout="nchw")}, 20),
    "min-max": ({"size": [20, 33], "output": {"normalize": "min-max"}}, 20),
    "min-max of flat images": (
        {"size": 9, "context": {"background": 0, "solid": 1}, "object": dict(
            ANY_POSE, translate={"x": 2, "y": 2}, scale=0.05),
         "output": {"normalize": "min-max", "layout": "nchw"}}, 20),
    "mean-std": ({"size": 32, "output": {"normalize": "mean-std"}}, 30),
    "mean-std of a region": (
        {"size": [31, 45], "output": {
            "normalize": "mean-std", "normalize_region": 0.3,
            "channels": "grey", "dtype": "f32"}}, 20),
    "mean-std of one pixel": (
        {"size": [9, 4], "output": {"normalize": "mean-std",
                                    "normalize_region": 0.01}}, 20),
    "equalize": ({"size": [30, 41], "output": {"normalize": "equalize"}}, 20),
    "equalize of grey": (
        {"size": [30, 41], "output": {"normalize": "equalize",
                                      "channels": "grey"}}, 20),
    "normalised after operations": (
        {"size": [24, 18], "image": {"operations": [
            {"op": "gaussian_blur", "sigma": 1.5}]},
         "output": {"normalize": "mean-std", "channels": "bgr",
                    "dtype": "f16", "layout": "nchw"}}, 20),
    "layers": (
        {"size": [37, 90], "labels": EVERY_TENSOR, "context": EVERY_CONTEXT,
         "object": ANY_POSE, "image": ANY_COLOUR}, 40),
    "layers of hard edges, normalised": (
        {"size": 40, "labels": EVERY_TENSOR, "context": EVERY_CONTEXT,
         "object": dict(ANY_POSE, edge="hard"),
         "image": {"operations": [{"op": "gaussian_blur", "sigma": 1.5}]},
         "output": {"channels": "grey", "layout": "nchw", "dtype": "f16",
                    "normalize": "mean-std"}}, 20),
    "layers of feathered edges": (
        {"size": 48, "labels": EVERY_TENSOR, "image": NO_COLOUR,
         "object": dict(ANY_POSE, edge="feather", feather=1.7,
                        brightness=[0.5, 1.5]),
         "background": {"hue": [-0.5, 0.5]}}, 20),
    "distractors": (
        {"size": [40, 57], "context": EVERY_CONTEXT, "labels": WITH_OTHER,
         "object": ANY_POSE, "distractor": {"probability": 0.8}}, 60),
    "distractors of any look": (
        {"size": [33, 40], "context": EVERY_CONTEXT, "labels": WITH_OTHER,
         "background": dict(ANY_COLOUR, operations=[
             {"op": "gaussian_blur", "sigma": 1}]),
         "distractor": {"probability": 1, "scale": [0.05, 2],
                        "translate": {"x": [-0.2, 1.2], "y": [-0.2, 1.2]}},
         "object": dict(
             ANY_POSE, stroke=[-3, 5], perspective=[0, 0.5], elastic=[0, 3],
             match=[0, 1], match_mode="mean_std", operations=[
                 {"op": "jitter"}, {"op": "autocontrast",
                                    "probability": 0.5}],
             edge={"choice": ["hard", "alpha", "feather", "box", "eroded",
                              "motion"]}, **ANY_COLOUR),
         "image": {"operations": [{"op": "gaussian_noise"}]}}, 60),
    "distractors of two thirds": (
        {"size": [30, 21], "context": EVERY_CONTEXT, "labels": WITH_OTHER,
         "object": dict(ANY_POSE, blend="two_thirds"),
         "distractor": {"probability": 0.9}}, 30),
    "distractors of two thirds of the frame": (
        {"size": [30, 21], "context": EVERY_CONTEXT, "labels": WITH_OTHER,
         "object": dict(ANY_POSE, blend="two_thirds_frame", match=1),
         "distractor": {"probability": 0.5}}, 30),
    "curricula": (  # the middle of what moves
        {"size": [31, 40], "context": dict(
            EVERY_CONTEXT, background={"from": 0, "to": 2, "over": MOVES},
            noise_sigma={"from": 0, "to": 255, "over": MOVES}),
         "object": dict(ANY_POSE, flip={"from": 0, "to": 1, "over": MOVES},
                        perspective={"from": 0, "to": [0, 0.5],
                                     "over": MOVES}),
         "image": dict(NO_COLOUR, brightness={
             "from": 1, "to": [0.2, 1.8], "over": MOVES}, operations=[
             {"op": "box_blur", "kx": {"from": 0, "to": [0, 10],
                                       "over": MOVES}, "probability":
              {"from": 0.2, "to": 1, "over": MOVES}}])}, 40),
    "operations on soft objects, faded": (
        {"size": [40, 52], "labels": EVERY_TENSOR, "object": dict(
            ANY_POSE, edge="feather", feather=3, blend="two_thirds",
            hue=[-0.5, 0.5], perspective=[0, 0.5], operations=[
                {"op": "equalize"}, {"op": "jitter"},
                {"op": "gaussian_blur", "sigma": [0, 5]}])}, 40),
    "operations on objects that may be gone": (
        {"size": [9, 14], "labels": EVERY_TENSOR, "object": dict(
            ANY_POSE, translate={"x": [-1, 2], "y": [-1, 2]},
            edge="eroded", scale=[0.01, 0.4], operations=[
                {"op": "autocontrast", "cutoff": [0, 49]},
                {"op": "equalize", "probability": 0.5},
                {"op": "box_blur"}])}, 60),
    "operations on the context alone": (
        {"size": [33, 27], "context": EVERY_CONTEXT, "labels": EVERY_TENSOR,
         "object": ANY_POSE, "background": {"hue": [-0.5, 0.5], "operations": [
             {"op": "gaussian_blur", "sigma": 2}, {"op": "autocontrast"}]}},
        40),
    "keypoints": (
        {"size": [45, 80], "labels": KEYPOINTS, "object": ANY_POSE}, 60),
    "keypoints of feathered edges": (
        {"size": 40, "labels": KEYPOINTS,
         "object": dict(ANY_POSE, edge="feather", feather=2,
                        operations=[{"op": "autocontrast"}])}, 30),
    "keypoints warped": (
        {"size": [64, 50], "labels": KEYPOINTS,
         "object": dict(ANY_POSE, perspective=[0, 0.6], elastic=[0, 3])}, 60),
    "keypoints in perspective": (
        {"size": 50, "labels": KEYPOINTS,
         "object": dict(ANY_POSE, perspective=0.6, scale=[1, 4])}, 60),
    "feathers of any sigma": (
        {"size": [33, 40], "object": dict(
            ANY_POSE, edge="feather", feather=[0.1, 8])}, 30),
    "candidates": (
        {"size": [40, 33], "object": {"edge": "feather"},
         "labels": {"tensors": ["label", "object", "background", "position",
                                "box", "visible", "mask", "plane",
                                "context"]}}, 10, 5),
    "candidates of warped poses": (
        {"size": 40, "object": dict(ANY_POSE, perspective=[0, 0.5],
                                    elastic=[0, 2]),
         "candidates": {"translate": [-20, 20], "rotate": [-180, 180]}}, 6, 4),
    "one pixel": ({"size": 1, "context": EVERY_CONTEXT}, 30),
}

RECIPES.update(operation_recipes())

# The presets; small, for the reader's sake.
for preset, n in (("jin-rinard-signs", 20), ("jin-rinard-digits", 20),
                  ("jin-rinard-signs-curriculum", 20),
                  ("jin-rinard-digits-curriculum", 20), ("synsign", 20),
                  ("cut-paste-learn", 10), ("copy-paste", 20)):
    RECIPES[preset] = ({"preset": preset, "size": [40, 52],
                        "output": {"channels": "rgb"}}, n)

if SOURCE == "demo":  # the same code; what counts is the real pictures
    RECIPES = {name: RECIPES[name] for name in
               ("defaults", "hard edges", "any edge", "feathered edges",
                "keypoints")}

class Dump(dump.Dump):
    """What dump_samples wrote for one recipe, and what becomes of it here."""

    def recomputed(self, plan, what=numerics.sample):
        return what(plan, *self.sources(plan))

    def layers(self, plan):
        return self.recomputed(plan, numerics.layers)


class NumericsTest(unittest.TestCase):
    def check(self, recipe, first, n, k=1):
        with tempfile.TemporaryDirectory() as folder:
            dump = Dump(DUMP, SOURCE, folder, recipe, first, n, k)
            t = dump.tensors
            images, boxes = zip(*map(dump.recomputed, dump.plans))
            layers = list(map(dump.layers, dump.plans)) if "mask" in t else []
        output = recipe.get("output", {})
        expected = numerics.convert(np.stack(images), output)
        self.assertEqual(expected.dtype, t["image"].dtype)
        for i in range(n * k):
            self.assertEqual(np.ascontiguousarray(expected[i]).tobytes(),
                             t["image"][i].tobytes(),
                             f"sample {i}: {dump.plans[i]}")
        for name in layers[0] if layers else []:
            np.testing.assert_array_equal(
                t[name], np.stack([one[name] for one in layers]), name)
        for i, plan in enumerate(dump.plans if "keypoints" in t else []):
            np.testing.assert_array_equal(
                t["keypoints"][i], numerics.keypoints(
                    plan, layers[i]["mask"],
                    dump.sizes["keypoints"][str(plan["object"])],
                    t["keypoints"].shape[1]), f"keypoints {i}: {plan}")
            self.seen_keypoints |= set(t["keypoints"][i, :, 2])
        np.testing.assert_array_equal(t["box"],
                                      np.array(boxes, np.float32))
        if k > 1:
            np.testing.assert_array_equal(t["candidate"],
                                          np.tile(np.arange(k), n))
        for name, key in (("label", "class_id"), ("object", "object"),
                          ("background", "background"),
                          ("position", "position")):
            np.testing.assert_array_equal(t[name],
                                          [p[key] for p in dump.plans])
        if "distractor" in t:
            np.testing.assert_array_equal(
                t["distractor"], [p["distractor"]["class_id"]
                                  if p["distractor"] else -1
                                  for p in dump.plans])
        np.testing.assert_array_equal(
            t["visible"], np.array([p["visible_q16"] / 65536
                                    for p in dump.plans], np.float32))
        return dump.plans, boxes

    def test_every_recipe_gives_the_same_bytes(self):
        self.seen_keypoints = set()
        lists = ("operations", "object_operations", "background_operations")
        seen = {"context": set(), "edge": set(), "levels": set(),
                "paddings": set(), "distractor": set(), "boxes": 0,
                "samples": 0}
        seen.update({name: set() for name in lists})
        for number, (name, (recipe, *n)) in enumerate(RECIPES.items()):
            with self.subTest(name):
                plans, boxes = self.check(dict(recipe, seed=number),
                                          1000 * number, *n)
                seen["context"] |= {p["context"] for p in plans}
                seen["edge"] |= {p["edge"] for p in plans}
                seen["levels"] |= {p["object_level"] for p in plans}
                seen["distractor"] |= {bool(p["distractor"]) for p in plans}
                seen["paddings"] |= {p["turn"]["padding"] for p in plans
                                     if p["turn"]}
                seen["samples"] += len(plans)
                for name in lists:
                    seen[name] |= {o["op"] for p in plans for o in p[name]}
                seen["boxes"] += sum(b[2] > 0 for b in boxes)
        # The recipes did cover what they are for.
        self.assertEqual(self.seen_keypoints, {0, 1, 2})
        self.assertEqual(seen["context"], set(EVERY_CONTEXT))
        self.assertEqual(seen["edge"], {"hard", "alpha", "feather", "eroded",
                                        "motion"})
        self.assertGreaterEqual(len(seen["levels"]), 3)
        if SOURCE == "synthetic":
            for name in lists:
                self.assertEqual(seen[name], set(operations.OPERATIONS))
            self.assertEqual(seen["distractor"], {False, True})
            self.assertEqual(seen["paddings"], {"fit", "edge", "reflect",
                                                "wrap", "colour"})
        self.assertGreater(seen["boxes"], seen["samples"] / 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
