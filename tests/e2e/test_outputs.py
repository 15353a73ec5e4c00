"""What a recipe's output and a request's dtype and layout do to the tensors
that HTTP and pastectl give out. The arithmetic is tests/golden's matter."""
import io
import json
import pathlib
import sys
import tempfile
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from daemon import Daemon  # noqa: E402
from test_pastectl import FAILED, OK, pastectl, read_png  # noqa: E402

S = "/v1/streams/default"
RECIPE = {"size": [24, 40], "seed": 5}


def load(daemon, query=""):
    answer = daemon.get(f"{S}/batches/3.npz?batch=6{query}")
    assert answer.status == 200, answer.body[:300]
    return dict(np.load(io.BytesIO(answer.body)))


def bf16(values):
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16


def luma(rgb):
    wide = rgb.astype(np.int64) @ np.array([19595, 38470, 7471]) + 32768
    return (wide >> 16).astype(np.uint8)[..., None]


class Outputs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def serve(self, **keys):
        path = self.folder / "recipe.json"
        path.write_text(json.dumps(dict(RECIPE, **keys)))
        daemon = Daemon("--demo", "--recipe", path)
        daemon.start()
        self.addCleanup(daemon.close)
        return daemon

    def pull(self, daemon, *arguments):
        path = self.folder / "pulled.npz"
        code, _, _ = pastectl("pull", "--server",
                              f"127.0.0.1:{daemon.tcp}", "--batch", 6,
                              "--from", 18, "--out", path, *arguments)
        self.assertEqual(code, OK)
        return dict(np.load(path))

    def test_a_request_chooses_dtype_and_layout(self):
        daemon = self.serve(output={"mean": [0.5, 0.25, 0], "std": [1, 2, 3]})
        plain = load(daemon)["image"]
        f32 = load(daemon, "&dtype=f32")["image"]
        f16 = load(daemon, "&dtype=f16&layout=nchw")["image"]
        self.assertEqual((plain.dtype.str, f32.dtype.str, f16.dtype.str),
                         ("|u1", "<f4", "<f2"))
        np.testing.assert_array_equal(f32.astype(np.float16),
                                      f16.transpose(0, 2, 3, 1))
        np.testing.assert_allclose(
            f32, (plain / 255 - [0.5, 0.25, 0]) / [1, 2, 3], atol=1e-6)
        np.testing.assert_array_equal(
            self.pull(daemon, "--dtype", "f16", "--layout", "nchw")["image"],
            f16)
        tags = {daemon.request(
            "HEAD", f"{S}/batches/3.npz?batch=6{query}").headers["etag"]
            for query in ("", "&dtype=f32", "&dtype=f16", "&layout=nchw")}
        self.assertEqual(len(tags), 4)

    def test_words_that_are_none_are_refused(self):
        daemon = self.serve()
        for query in ("dtype=f64", "dtype=", "layout=hwc", "layout=1"):
            answer = daemon.get(f"{S}/batches/0.npz?{query}")
            self.assertEqual(answer.status, 400, query)
        answer = daemon.get(f"{S}/batches/0.png?dtype=u8")
        self.assertEqual(answer.status, 400)
        served = daemon.get("/openapi.json").json["paths"]
        self.assertIn("enum", json.dumps(
            served["/v1/streams/{stream}/batches/{step}.npz"]))

    def test_bf16_is_for_the_wire(self):
        daemon = self.serve(output={"dtype": "bf16"})
        self.assertEqual(daemon.get(S).json["dtype"], "bf16")
        answer = daemon.get(f"{S}/batches/0.npz?batch=4")
        self.assertEqual(answer.status, 400)
        self.assertIn("NumPy has no bf16", answer.json["detail"])
        self.assertEqual(load(daemon, "&dtype=f32")["image"].dtype, np.float32)
        code, _, errors = pastectl(
            "pull", "--server", f"127.0.0.1:{daemon.tcp}", "--out",
            self.folder / "x.npz")
        self.assertEqual(code, FAILED)
        self.assertIn("NumPy has no bf16", errors)
        code, out, _ = pastectl("status", "--server",
                                f"127.0.0.1:{daemon.tcp}")
        self.assertIn("bf16", out)

    def test_channels_are_the_recipes(self):
        rgb_daemon = self.serve()
        rgb = load(rgb_daemon)["image"]
        shown = rgb_daemon.get(f"{S}/samples/20.png").body
        for channels, want in (("bgr", rgb[..., ::-1]), ("grey", luma(rgb))):
            daemon = self.serve(output={"channels": channels})
            self.assertEqual(daemon.get(S).json["channels"], channels)
            np.testing.assert_array_equal(load(daemon)["image"], want)
            np.testing.assert_array_equal(self.pull(daemon)["image"], want)
            np.testing.assert_array_equal(
                load(daemon, "&layout=nchw")["image"],
                want.transpose(0, 3, 1, 2))
            path = self.folder / "sample.png"
            path.write_bytes(daemon.get(f"{S}/samples/20.png").body)
            np.testing.assert_array_equal(
                read_png(path), np.broadcast_to(
                    rgb[2] if channels == "bgr" else want[2], rgb[2].shape))
            if channels == "bgr":
                self.assertEqual(path.read_bytes(), shown)
            self.check_preview(daemon, channels)

    def test_normalisation_is_the_recipes(self):
        plain = self.serve()
        seen = {load(plain)["image"].tobytes()}
        tags, prints = set(), set()
        for output in ({"normalize": "none"}, {"normalize": "min-max"},
                       {"normalize": "equalize"}, {"normalize": "mean-std"},
                       {"normalize": "mean-std", "normalize_region": 0.2}):
            daemon = self.serve(output=output)
            image = load(daemon)["image"]
            seen.add(image.tobytes())
            np.testing.assert_array_equal(self.pull(daemon)["image"], image)
            if output["normalize"] == "min-max":
                self.assertEqual(image.reshape(6, -1).min(1).tolist(), [0] * 6)
                self.assertEqual(image.reshape(6, -1).max(1).tolist(),
                                 [255] * 6)
            for path in ("batches/3.npz?batch=6", "samples/20.png"):
                head = daemon.request("HEAD", f"{S}/{path}")
                tags.add(head.headers["etag"])
            prints.add(daemon.get(S).json["fingerprint"])
        self.assertEqual((len(seen), len(tags), len(prints)), (5, 10, 1))

    def test_layers_are_served_when_asked_for(self):
        plain = load(self.serve())
        self.assertFalse({"mask", "plane", "context"} & set(plain))
        colours = {"brightness": 1, "contrast": 1, "saturation": 1, "hue": 0}
        daemon = self.serve(
            image=colours, output={"layout": "nchw", "dtype": "f32"},
            labels={"tensors": ["context", "mask", "label", "plane"]})
        z = load(daemon, "&dtype=u8&layout=nhwc")
        self.assertEqual(list(z), ["label", "mask", "plane", "context",
                                   "image"])
        self.assertEqual([z[name].shape for name in z],
                         [(6,), (6, 24, 40), (6, 24, 40, 4), (6, 24, 40, 3),
                          (6, 24, 40, 3)])
        np.testing.assert_array_equal(z["mask"], z["plane"][..., 3])
        a = z["mask"].astype(np.int64)[..., None]
        left = (z["context"] * (256 - a - (a >> 7)) + 128) >> 8
        np.testing.assert_array_equal(z["image"], z["plane"][..., :3] + left)
        pulled = self.pull(daemon)
        for name in ("mask", "plane", "context"):
            np.testing.assert_array_equal(pulled[name], z[name])
        labels = daemon.get(f"{S}/batches/3.json?batch=6").json
        self.assertEqual(list(labels), ["label"])

    def check_preview(self, daemon, channels):
        path = self.folder / "preview.png"
        code, out, _ = pastectl("preview", "--server",
                                f"127.0.0.1:{daemon.tcp}", "--batch", 4,
                                "--out", path)
        self.assertEqual((code, channels), (OK, channels))
        self.assertIn("4 images", out)
        self.assertEqual(path.read_bytes()[25], 0 if channels == "grey" else 2)


if __name__ == "__main__":
    unittest.main()
