"""Pools and frames at the edge of what is allowed, from files to HTTP: pictures
of one pixel, objects that are all transparent or far larger than any frame,
frames of one pixel and of 2048. With every table of kernels the same bytes."""
import hashlib
import io
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from daemon import Daemon, program  # noqa: E402

# Height, width, alpha: of every pixel, or of one.
OBJECTS = {"dot": (1, 1, 255), "faint_dot": (1, 1, 1), "needle": (1, 4000, 255),
           "tower": (3000, 2, 128), "one_pixel": (70, 90, "one"),
           "wall": (900, 1100, 255)}
BACKGROUNDS = {"dot": (1, 1), "line": (1, 3000), "column": (2000, 1),
               "four": (2, 2), "photo": (200, 300)}
SIZES = {"dot": 1, "row": [1, 2048], "column": [2048, 1], "small": [33, 40],
         "largest": 2048}
ANY_POSE = {"scale": [0.01, 4], "rotate": [-180, 180], "shear": [-60, 60],
            "translate": {"x": [-1, 2], "y": [-1, 2]}, "min_visible": 0,
            "edge": {"choice": ["hard", "alpha", "feather", "box", "eroded"]}}
TENSORS = ["label", "box", "visible", "mask", "plane", "context"]


def write_png(path, pixels):
    """[h, w, 3 or 4] u8."""
    h, w, channels = pixels.shape
    rows = np.zeros((h, 1 + w * channels), np.uint8)  # filter 0
    rows[:, 1:] = pixels.reshape(h, -1)

    def chunk(kind, body):
        return (struct.pack(">I", len(body)) + kind + body +
                struct.pack(">I", zlib.crc32(kind + body)))
    head = struct.pack(">IIBBBBB", w, h, 8, 2 if channels == 3 else 6, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) +
                     chunk(b"IDAT", zlib.compress(rows.tobytes(), 1)) +
                     chunk(b"IEND", b""))


def object_pixels(rng, h, w, alpha):
    pixels = rng.integers(0, 256, (h, w, 4), np.uint8)
    pixels[..., 3] = 0 if alpha == "one" else alpha
    if alpha == "one":
        pixels[h // 3, w // 4, 3] = 255
    return pixels


def write_pools(folder):
    rng = np.random.default_rng(3)
    for kind in ("objects", "backgrounds"):
        (folder / kind).mkdir()
    for name, (h, w, alpha) in OBJECTS.items():
        write_png(folder / "objects" / f"{name}.png",
                  object_pixels(rng, h, w, alpha))
    for name, (h, w) in BACKGROUNDS.items():
        write_png(folder / "backgrounds" / f"{name}.png",
                  rng.integers(0, 256, (h, w, 3), np.uint8))


def write_config(folder):
    streams = {
        f"{name}.{what}": {"pool": "edge", "recipe": dict(
            {"size": size, "labels": {"tensors": TENSORS}}, **more)}
        for name, size in SIZES.items()
        for what, more in (("plain", {}), ("posed", {"object": ANY_POSE}))}
    (folder / "config.json").write_text(json.dumps(
        {"pools": {"edge": {"objects": str(folder / "objects"),
                            "backgrounds": str(folder / "backgrounds")}},
         "streams": streams}), encoding="utf-8")
    return streams


def kernels_here():
    """Names of the tables that this CPU can run, as a refusal lists them."""
    done = subprocess.run([program(), "--demo", "--http", "127.0.0.1:0",
                           "--tcp", "127.0.0.1:0"], text=True,
                          env=dict(os.environ, PASTED_CPU="no such table"),
                          stderr=subprocess.PIPE, timeout=120)
    return sorted(set(re.findall(r"reference|x86-64-v[0-9]", done.stderr)))


class Extremes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="pasted-edge-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        write_pools(cls.folder)
        cls.streams = write_config(cls.folder)

    def start(self, **env):
        daemon = Daemon("--config", str(self.folder / "config.json"), env=env)
        daemon.start()
        self.addCleanup(daemon.close)
        return daemon

    def get(self, daemon, path):
        answer = daemon.get(path, timeout=120)
        self.assertEqual(answer.status, 200, (path, answer.body[:300]))
        return answer

    def digests(self, daemon):
        """Of a batch of each stream: every object on a background or more."""
        found = {}
        for stream in self.streams:
            n = 2 if stream.startswith("largest") else 30
            path = f"/v1/streams/{stream}/batches/0.npz?batch={n}"
            batch = np.load(io.BytesIO(self.get(daemon, path).body))
            found[stream] = {name: hashlib.sha256(batch[name]).hexdigest()
                             for name in batch}
            self.check(batch)
        return found

    def check(self, batch):
        n, h, w, _ = batch["image"].shape
        x0, y0, x1, y1 = batch["box"].T
        self.assertTrue(((0 <= x0) & (x0 <= x1) & (x1 <= w)).all())
        self.assertTrue(((0 <= y0) & (y0 <= y1) & (y1 <= h)).all())
        visible = batch["visible"]
        self.assertTrue(((0 <= visible) & (visible <= 1)).all())
        bare = ~batch["mask"].reshape(n, -1).any(axis=1)
        self.assertTrue((batch["box"][bare] == 0).all())
        self.assertEqual(batch["plane"][bare].sum(), 0)

    def test_every_table_of_kernels_serves_the_same(self):
        names = kernels_here()
        self.assertIn("reference", names)
        found = [self.digests(self.start(PASTED_CPU=name)) for name in names]
        for other in found[1:]:
            self.assertEqual(other, found[0])

    def test_pictures_and_plans_of_the_largest_and_the_smallest(self):
        daemon = self.start()
        for stream in self.streams:
            path = f"/v1/streams/{stream}"
            png = self.get(daemon, f"{path}/samples/5.png").body
            plan = self.get(daemon, f"{path}/samples/5.json").json
            w, h = struct.unpack(">II", png[16:24])
            size = self.streams[stream]["recipe"]["size"]
            self.assertEqual([h, w], size if isinstance(size, list)
                             else [size, size])
            self.assertEqual((plan["width"], plan["height"]), (w, h))
            self.get(daemon, f"{path}/batches/1.png?batch=2")

    def test_an_object_that_never_shows_is_told(self):
        """It could not be found in any picture: skipped, refused if strict."""
        folder = self.folder / "with_nothing"
        folder.mkdir()
        rng = np.random.default_rng(1)
        write_png(folder / "nothing.png", object_pixels(rng, 20, 30, 0))
        for i in range(4):
            write_png(folder / f"dot{i}.png", object_pixels(rng, 1, 1, 255))
        pools = ["--objects", str(folder), "--backgrounds",
                 str(self.folder / "backgrounds")]
        with Daemon(*pools) as daemon:
            pool, = daemon.get("/v1/pools").json["pools"]
        self.assertEqual(pool["objects"], 4)
        skip, = pool["skipped"]
        self.assertIn("nothing.png", skip["path"])
        self.assertRegex(skip["reason"], "nothing of it is visible")
        with self.assertRaisesRegex(RuntimeError, "nothing.png"):
            Daemon(*pools, "--strict").start()


if __name__ == "__main__":
    unittest.main(verbosity=2)
