"""Chains of the daemon's code against the independent reader of NUMERICS.md:
where they begin, and every byte of samples pasted on samples.

    test_chains.py DUMP_SAMPLES

Everything that is no chain, test_numerics.py checks."""
import collections
import sys
import tempfile
import unittest

import numpy as np

import dump
import numerics
import operations

DUMP = sys.argv[1]
RESET, OFFSET = 112, 113
PARTS = {"tensors": ["label", "position", "box", "mask", "plane", "context"]}
# Of dump_samples' synthetic pools: each object its own class.
N_CLASSES, N_BACKGROUNDS = 23, 17


def draw(seed, position, purpose):
    """Words 0 and 1 of the block, low half first."""
    mask = 0xFFFFFFFF
    c = [position & mask, position >> 32, purpose, 0]
    k = [seed & mask, seed >> 32]
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [p1 >> 32 ^ c[1] ^ k[0], p1 & mask, p0 >> 32 ^ c[3] ^ k[1],
             p0 & mask]
        k = [(k[0] + 0x9E3779B9) & mask, (k[1] + 0xBB67AE85) & mask]
    return c[0] | c[1] << 32


def forced(recipe):
    """f of the section; the pools' classes have one object each."""
    graph = recipe.get("graph", {})
    slots, k = recipe["chain"]["slots"], float(N_CLASSES)
    wanted = N_BACKGROUNDS * graph.get("objects_per_background", 4)
    edges = float(-(-wanted // N_CLASSES) * N_CLASSES)
    if graph.get("pairing") == "independent":
        q = 1 / k
    elif graph.get("order") != "shuffled":
        q = slots / k / k if slots < k else 1 / k
    elif slots >= edges:
        q = 1 / k
    else:
        q = (slots * (1 / k) + (edges - slots) * ((1 / k) * edges - 1) /
             (edges - 1)) / edges
    length = recipe["chain"].get("max_length", 32)
    return 1 - (1 - q) * (1 - 1.0 / length)


def begins(recipe, plans, i):
    chain = recipe["chain"]
    slots, length = chain["slots"], chain.get("max_length", 32)
    p, seed = plans[i]["position"], recipe["seed"]
    if p < slots:
        return "first"
    offset = draw(seed, p % slots, OFFSET) * length >> 64
    if (p // slots + offset) % length == 0:
        return "max_length"
    f, reset = forced(recipe), chain.get("reset", 0.171)
    unit = (draw(seed, p, RESET) >> 11) * 2.0 ** -53
    if reset > f and unit < (reset - f) / (1 - f):
        return "reset"
    if plans[i]["class_id"] == plans[i - slots]["class_id"]:
        return "same_label"
    return None


# name -> (recipe, samples from position 0 on, candidates of each)
RECIPES = {
    "one slot": ({"size": [20, 31], "chain": {"slots": 1, "reset": 0.3}}, 60),
    "five slots": (
        {"size": [33, 24], "labels": PARTS, "chain": {
            "slots": 5, "reset": 0.2, "max_length": 6},
         "object": {"edge": {"choice": ["hard", "alpha", "feather"]},
                    "operations": [{"op": "invert"}]},
         "background": {"brightness": [0.5, 1.5],
                        "operations": [{"op": "gaussian_noise"}]},
         "image": {"operations": [{"op": "box_blur"}, {"op": "jitter"}]}}, 80),
    "images handed on": (
        {"size": 24, "labels": PARTS, "chain": {
            "slots": 4, "reset": 0.25, "handed_on": "image"},
         "object": {"match": 0.7, "match_mode": "mean_std"},
         "image": {"operations": [{"op": "gaussian_blur"}]},
         "output": {"channels": "grey", "dtype": "f32", "layout": "nchw",
                    "normalize": "min-max"}}, 60),
    "labels alike": (
        {"size": 12, "chain": {"slots": 23, "reset": 0.1}}, 60),
    "two thirds of shuffled edges": (
        {"size": 28, "chain": {"slots": 7, "reset": 0.3, "max_length": 9},
         "graph": {"order": "shuffled"}, "labels": PARTS,
         "object": {"blend": "two_thirds_frame"}}, 60),
    "candidates over distractors": (
        {"size": 24, "chain": {"slots": 4, "reset": 0.2}, "labels": PARTS,
         "distractor": {"probability": 0.6}}, 30, 3),
    "independent": (
        {"size": 16, "chain": {"slots": 3, "reset": 0.3}, "seed": 1 << 40,
         "graph": {"pairing": "independent"}}, 60),
    "jin-rinard-signs-chain": (
        {"preset": "jin-rinard-signs-chain", "size": 32, "labels": PARTS,
         "chain": {"slots": 9, "reset": 0.171}}, 40),
    "jin-rinard-digits-chain": (
        {"preset": "jin-rinard-digits-chain",
         "chain": {"slots": 10, "reset": 0.212}}, 50),
}


class ChainTest(unittest.TestCase):
    def recompute(self, d, recipe, k):
        """Every sample of the dump, each given what its parent handed on."""
        handed_on, images, layers = [], [], []
        for i, plan in enumerate(d.plans):
            parent = plan["chain"]["parent"]
            self.assertEqual(plan["context"] == "given", parent is not None)
            if parent is not None:  # its candidate 0
                plan["given"] = handed_on[parent * k]
            p, _ = numerics.pasted(plan, *d.sources(plan))
            image, _ = numerics.sample(plan, *d.sources(plan))
            is_image = recipe["chain"].get("handed_on") == "image"
            handed_on.append(image if is_image else p.astype(np.uint8))
            images.append(image)
            layers.append(numerics.layers(plan, *d.sources(plan)))
        return np.stack(images), layers

    def check(self, recipe, n, k=1):
        with tempfile.TemporaryDirectory() as folder:
            d = dump.Dump(DUMP, "synthetic", folder, recipe, 0, n, k)
            images, layers = self.recompute(d, recipe, k)
        for i, plan in enumerate(d.plans):
            why = begins(recipe, d.plans[::k], i // k)
            slots, p = recipe["chain"]["slots"], i // k
            self.assertEqual(plan["chain"], {
                "slot": p % slots, "round": p // slots, "begins": why,
                "parent": None if why else p - slots})
            self.seen[why] += 1
        expected = numerics.convert(images, recipe.get("output", {
            "channels": "grey" if "digits" in recipe.get("preset", "")
            else "rgb"}))
        np.testing.assert_array_equal(d.tensors["image"], expected)
        for name in set(layers[0]) & set(d.tensors):
            np.testing.assert_array_equal(
                d.tensors[name], np.stack([one[name] for one in layers]), name)

    def test_every_byte_of_every_chain(self):
        self.seen = collections.Counter()
        for number, (name, (recipe, *n)) in enumerate(RECIPES.items()):
            with self.subTest(name):
                self.check(dict({"seed": number}, **recipe), *n)
        for why in (None, "first", "max_length", "reset", "same_label"):
            self.assertGreater(self.seen[why], 5, why)

    def test_the_reader_draws_as_the_operations_reader_does(self):
        words = operations.philox4x32_10(77, np.array([5]), np.array([9]))
        self.assertEqual(draw(77, 5 | 9 << 32, 0),
                         int(words[0, 0]) | int(words[0, 1]) << 32)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
