"""The digest that the compose benchmark prints is that of what a daemon serves:
the same pools, recipe and positions over HTTP, at several sizes, for every
preset and with every table of kernels on either side."""
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from daemon import Daemon, build_folder  # noqa: E402

BENCH = os.path.join(build_folder(), "tests", "bench", "compose")
SIZES = (32, 64, 224)
N_IMAGES = 104  # more than are drawn: some are copies
N_SAMPLES = 64


def bench(*arguments, kernels=""):
    """What it prints."""
    done = subprocess.run(
        [BENCH, *map(str, arguments)], env=dict(os.environ, PASTED_CPU=kernels),
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout


def digest_printed(preset, size, kernels=""):
    out = bench("--size", size, "--cores", 1, "--preset", preset, "--seconds",
                0.001, "--batch", 1, "--images", N_IMAGES, kernels=kernels)
    assert f"kernels {kernels}" in out
    return re.search(r"(?m)^SHA-256 of image, positions 0\.\.63: (.*)$",
                     out)[1]


def kernels_here():
    """Names of the tables that this CPU can run, as the refusal lists them."""
    try:
        bench("--size", 8, "--images", 2, kernels="no such table")
    except RuntimeError as error:
        names = re.findall(r"reference|x86-64-v[0-9]|[a-z0-9-]*neon", str(error))
        return sorted(set(names))
    raise AssertionError("a table of no name was taken")


class Served(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="pasted-pools-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        bench("--images", N_IMAGES, "--write-pools", cls.folder)
        cls.kernels = kernels_here()
        cls.presets = cls.names_of_presets()

    @classmethod
    def names_of_presets(cls):
        with Daemon("--demo") as daemon:
            answer = daemon.get("/v1/presets").json
        return [preset["name"] for preset in answer["presets"]]

    def config(self):
        """The pools, and a stream for every preset and size."""
        folder = pathlib.Path(self.folder)
        streams = {
            f"{preset}.{size}": {"pool": "written", "recipe":
                                 {"preset": preset, "size": size}}
            for preset in self.presets for size in SIZES}
        path = folder / "config.json"
        path.write_text(json.dumps(
            {"pools": {"written": {"objects": str(folder / "objects"),
                                   "backgrounds": str(folder / "backgrounds")}},
             "streams": streams}), encoding="utf-8")
        return str(path)

    def digest_served(self, daemon, preset, size):
        answer = daemon.get(f"/v1/streams/{preset}.{size}/batches/0.npz"
                            f"?batch={N_SAMPLES}")
        self.assertEqual(answer.status, 200, answer.body)
        image = np.load(io.BytesIO(answer.body))["image"]
        self.assertEqual(image.shape[:3], (N_SAMPLES, size, size))
        return hashlib.sha256(image.tobytes()).hexdigest()

    def test_every_preset_at_every_size(self):
        with Daemon("--config", self.config()) as daemon:
            for preset in self.presets:
                for size in SIZES:
                    with self.subTest(preset=preset, size=size):
                        self.assertEqual(
                            self.digest_served(daemon, preset, size),
                            digest_printed(preset, size))

    def test_every_table_of_kernels(self):
        self.assertIn("reference", self.kernels)
        served = set()
        for name in self.kernels:
            with Daemon("--config", self.config(),
                        env={"PASTED_CPU": name}) as daemon:
                served.add(self.digest_served(daemon, "bench", 64))
        printed = {digest_printed("bench", 64, name) for name in self.kernels}
        self.assertEqual(served, printed)
        self.assertEqual(len(served), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
