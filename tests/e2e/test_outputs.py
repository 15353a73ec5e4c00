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

NO_COLOUR = {"brightness": 1, "contrast": 1, "saturation": 1, "hue": 0}
# Stream -> what its recipe says beside size and seed; one daemon has them all.
STREAMS = {
    "plain": {},
    "floats": {"output": {"mean": [0.5, 0.25, 0], "std": [1, 2, 3]}},
    "bf16": {"output": {"dtype": "bf16"}},
    "bgr": {"output": {"channels": "bgr"}},
    "grey": {"output": {"channels": "grey"}},
    "min-max": {"output": {"normalize": "min-max"}},
    "equalize": {"output": {"normalize": "equalize"}},
    "mean-std": {"output": {"normalize": "mean-std"}},
    "region": {"output": {"normalize": "mean-std", "normalize_region": 0.2}},
    "layers": {"image": NO_COLOUR,
               "output": {"layout": "nchw", "dtype": "f32"},
               "labels": {"tensors": ["context", "mask", "label", "plane"]}},
}
FOLDER = tempfile.TemporaryDirectory()
DAEMON = None


def setUpModule():
    global DAEMON
    folder = pathlib.Path(FOLDER.name)
    unittest.addModuleCleanup(FOLDER.cleanup)
    config = {"pools": {"demo": {"demo": True}}, "streams": {}}
    for name, keys in STREAMS.items():
        path = folder / f"{name}.recipe"
        path.write_text(json.dumps({"size": [24, 40], "seed": 5} | keys))
        config["streams"][name] = {"pool": "demo", "recipe": str(path)}
    path = folder / "pasted.json"
    path.write_text(json.dumps(config))
    DAEMON = Daemon("--config", path)
    DAEMON.start()
    unittest.addModuleCleanup(DAEMON.close)


def get(stream, path=""):
    return DAEMON.get(f"/v1/streams/{stream}{path}")


def tag(stream, path):
    return DAEMON.request("HEAD",
                          f"/v1/streams/{stream}{path}").headers["etag"]


def ctl(command, stream, *arguments):
    return pastectl(command, "--server", f"127.0.0.1:{DAEMON.tcp}",
                    "--stream", stream, *arguments)


def load(stream, query=""):
    answer = get(stream, f"/batches/3.npz?batch=6{query}")
    assert answer.status == 200, answer.body[:300]
    return dict(np.load(io.BytesIO(answer.body)))


def luma(rgb):
    wide = rgb.astype(np.int64) @ np.array([19595, 38470, 7471]) + 32768
    return (wide >> 16).astype(np.uint8)[..., None]


def load_safetensors(answer):
    """Arrays by name; strict about the format: no gaps, aligned items."""
    assert answer.status == 200, answer.body[:300]
    n_bytes = int.from_bytes(answer.body[:8], "little")
    header, data = json.loads(answer.body[8:8 + n_bytes]), answer.body[8 + n_bytes:]
    assert (8 + n_bytes) % 64 == 0 and answer.body[8:9] == b"{"
    out, end = {}, 0
    for name, entry in sorted(header.items(),
                              key=lambda item: item[1]["data_offsets"]):
        first, last = entry["data_offsets"]
        kind = {"U8": "u1", "I32": "<i4", "I64": "<i8", "F32": "<f4",
                "F16": "<f2", "BF16": "<u2"}[entry["dtype"]]
        assert first == end and first % np.dtype(kind).itemsize == 0
        out[name] = np.frombuffer(data[first:last], kind).reshape(entry["shape"])
        end = last
    assert end == len(data)
    return out


class Files(unittest.TestCase):
    """Tensors as .safetensors, masks as .png."""

    def test_safetensors_hold_what_npz_holds(self):
        for stream in ("plain", "layers", "grey"):
            answer = get(stream, "/batches/3.safetensors?batch=6")
            held, arrays = load_safetensors(answer), load(stream)
            self.assertEqual(set(held), set(arrays))
            for name, array in arrays.items():
                self.assertEqual(held[name].dtype, array.dtype)
                self.assertEqual(held[name].shape, array.shape)
                self.assertEqual(held[name].tobytes(), array.tobytes())
            head = DAEMON.request(
                "HEAD", f"/v1/streams/{stream}/batches/3.safetensors?batch=6")
            self.assertEqual((head.status, int(head.headers["content-length"])),
                             (200, len(answer.body)))
            self.assertEqual(DAEMON.get(
                f"/v1/streams/{stream}/batches/3.safetensors?batch=6",
                headers={"If-None-Match": head.headers["etag"]}).status, 304)

    def test_safetensors_hold_bf16(self):
        half = load_safetensors(get("bf16", "/batches/3.safetensors?batch=6"))
        whole = load("bf16", "&dtype=f32")["image"]
        value = (half["image"].astype(np.uint32) << 16).view(np.float32)
        self.assertLess(np.abs(value - whole).max(), 1 / 256)
        self.assertEqual(get("bf16", "/batches/3.npz?batch=6").status, 400)

    def test_a_mask_is_the_masks_tensor(self):
        mask = load("layers")["mask"]
        folder = pathlib.Path(FOLDER.name)
        for i in (0, 5):
            answer = get("layers", f"/samples/{18 + i}.mask.png")
            self.assertEqual(answer.status, 200, answer.body[:200])
            (folder / "mask.png").write_bytes(answer.body)
            picture = read_png(folder / "mask.png")
            self.assertTrue((picture == mask[i][..., None]).all())
        self.assertNotEqual(tag("layers", "/samples/18.mask.png"),
                            tag("layers", "/samples/18.png"))
        answer = get("plain", "/samples/18.mask.png")
        self.assertEqual(answer.status, 404)
        self.assertIn("labels.tensors", answer.json["detail"])


class Outputs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def pull(self, stream, *arguments):
        path = self.folder / "pulled.npz"
        code, _, _ = ctl("pull", stream, "--batch", 6, "--from", 18, "--out",
                         path, *arguments)
        self.assertEqual(code, OK)
        return dict(np.load(path))

    def test_a_request_chooses_dtype_and_layout(self):
        plain = load("floats")["image"]
        f32 = load("floats", "&dtype=f32")["image"]
        f16 = load("floats", "&dtype=f16&layout=nchw")["image"]
        self.assertEqual((plain.dtype.str, f32.dtype.str, f16.dtype.str),
                         ("|u1", "<f4", "<f2"))
        np.testing.assert_array_equal(f32.astype(np.float16),
                                      f16.transpose(0, 2, 3, 1))
        np.testing.assert_allclose(
            f32, (plain / 255 - [0.5, 0.25, 0]) / [1, 2, 3], atol=1e-6)
        np.testing.assert_array_equal(
            self.pull("floats", "--dtype", "f16", "--layout", "nchw")["image"],
            f16)
        tags = {tag("floats", f"/batches/3.npz?batch=6{query}")
                for query in ("", "&dtype=f32", "&dtype=f16", "&layout=nchw")}
        self.assertEqual(len(tags), 4)

    def test_words_that_are_none_are_refused(self):
        for query in ("dtype=f64", "dtype=", "layout=hwc", "layout=1"):
            answer = get("plain", f"/batches/0.npz?{query}")
            self.assertEqual(answer.status, 400, query)
        self.assertEqual(get("plain", "/batches/0.png?dtype=u8").status, 400)
        served = DAEMON.get("/openapi.json").json["paths"]
        self.assertIn("enum", json.dumps(
            served["/v1/streams/{stream}/batches/{step}.npz"]))

    def test_bf16_is_for_the_wire(self):
        self.assertEqual(get("bf16").json["dtype"], "bf16")
        answer = get("bf16", "/batches/0.npz?batch=4")
        self.assertEqual(answer.status, 400)
        self.assertIn("NumPy has no bf16", answer.json["detail"])
        self.assertEqual(load("bf16", "&dtype=f32")["image"].dtype, np.float32)
        code, _, errors = ctl("pull", "bf16", "--out", self.folder / "x.npz")
        self.assertEqual(code, FAILED)
        self.assertIn("NumPy has no bf16", errors)
        self.assertIn("bf16", ctl("status", "bf16")[1])

    def test_channels_are_the_recipes(self):
        rgb = load("plain")["image"]
        for stream, want in (("bgr", rgb[..., ::-1]), ("grey", luma(rgb))):
            self.assertEqual(get(stream).json["channels"], stream)
            np.testing.assert_array_equal(load(stream)["image"], want)
            np.testing.assert_array_equal(self.pull(stream)["image"], want)
            np.testing.assert_array_equal(
                load(stream, "&layout=nchw")["image"],
                want.transpose(0, 3, 1, 2))

    def test_pngs_are_what_people_see(self):
        rgb = load("plain")["image"]
        path = self.folder / "sample.png"
        for stream, want in (("plain", rgb), ("bgr", rgb),
                             ("grey", np.repeat(luma(rgb), 3, axis=-1))):
            path.write_bytes(get(stream, "/samples/20.png").body)
            np.testing.assert_array_equal(read_png(path), want[2])
            code, out, _ = ctl("preview", stream, "--batch", 4, "--out", path)
            self.assertEqual(code, OK)
            self.assertIn("4 images", out)
            self.assertEqual(path.read_bytes()[25],
                             0 if stream == "grey" else 2)

    def test_normalisation_is_the_recipes(self):
        streams = ("plain", "min-max", "equalize", "mean-std", "region")
        images = [load(stream)["image"] for stream in streams]
        for stream, image in zip(streams, images):
            np.testing.assert_array_equal(self.pull(stream)["image"], image)
        flat = images[1].reshape(6, -1)
        self.assertEqual(set(flat.min(1)) | set(flat.max(1)), {0, 255})
        self.assertEqual(len({image.tobytes() for image in images}), 5)
        tags = {tag(stream, path) for stream in streams
                for path in ("/batches/3.npz?batch=6", "/samples/20.png")}
        self.assertEqual(len(tags), 10)
        self.assertEqual(len({get(stream).json["fingerprint"]
                              for stream in streams}), 1)

    def test_layers_are_served_when_asked_for(self):
        self.assertFalse({"mask", "plane", "context"} & set(load("plain")))
        z = load("layers", "&dtype=u8&layout=nhwc")
        self.assertEqual(list(z), ["label", "mask", "plane", "context",
                                   "image"])
        self.assertEqual([z[name].shape for name in z],
                         [(6,), (6, 24, 40), (6, 24, 40, 4), (6, 24, 40, 3),
                          (6, 24, 40, 3)])
        np.testing.assert_array_equal(z["mask"], z["plane"][..., 3])
        a = z["mask"].astype(np.int64)[..., None]
        left = (z["context"] * (256 - a - (a >> 7)) + 128) >> 8
        np.testing.assert_array_equal(z["image"], z["plane"][..., :3] + left)
        pulled = self.pull("layers")
        for name in ("mask", "plane", "context"):
            np.testing.assert_array_equal(pulled[name], z[name])
        self.assertEqual(list(get("layers", "/batches/3.json?batch=6").json),
                         ["label"])


if __name__ == "__main__":
    unittest.main()
