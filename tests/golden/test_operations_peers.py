"""Image operations beside others' on the same pixels: Pillow's byte for byte,
OpenCV's and exact arithmetic within what the recipe's table says.

    test_operations_peers.py APPLY_OPERATION

Skips (77) without Pillow; without OpenCV only what needs it."""
import io
import itertools
import sys
import unittest

try:
    import numpy as np
    from PIL import Image, ImageEnhance, ImageOps
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
try:
    import cv2
except ImportError:
    cv2 = None

import frames

SHAPES = [(64, 48), (33, 65), (224, 224)]


def photographs():
    """Smooth, with edges and some noise."""
    rng = np.random.default_rng(5)
    for h, w in SHAPES:
        y, x = np.mgrid[0:h, 0:w]
        base = np.stack([120 + 90 * np.sin(x / 9 + c) + 30 * np.cos(y / 5 - c)
                         for c in range(3)], axis=-1)
        base[h // 3:h // 2, w // 4:w // 2] = [250, 20, 60]
        yield np.clip(base + rng.normal(0, 4, base.shape), 0, 255) \
            .astype(np.uint8)


def ours(name, p, images):
    return frames.apply_all([(name, p, image) for image in images])


def gaussian_p(sigma):
    """Radius and weights as server/plan/edge.c makes them."""
    radius = min(16, int(np.ceil(3 * sigma)))
    taps = np.exp(-np.arange(radius + 1.0)**2 / (2 * sigma * sigma))
    outer = np.rint(taps[1:] / (taps[0] + 2 * taps[1:].sum()) * 65536)
    outer = [int(x) for x in outer]
    return [radius, 65536 - 2 * sum(outer)] + outer


class PeersTest(unittest.TestCase):
    def check(self, name, p, theirs, most=0, mean=None):
        images = list(photographs())
        for image, got in zip(images, ours(name, p, images)):
            apart = np.abs(got.astype(float) - theirs(image))
            self.assertLessEqual(apart.max(), most, f"{name} {p}")
            if mean is not None:
                self.assertLessEqual(apart.mean(), mean, f"{name} {p}")

    def pillow(self, name, p, function):
        self.check(name, p, lambda a: np.asarray(
            function(Image.fromarray(a)), float))

    def test_pillow_gives_the_same_bytes(self):
        for cutoff in (0, 1, 2, 10):
            self.pillow("autocontrast", [256 * cutoff],
                        lambda im: ImageOps.autocontrast(im, cutoff=cutoff))
        self.pillow("equalize", [], ImageOps.equalize)
        self.pillow("invert", [], ImageOps.invert)
        for bits in (1, 4, 7):
            self.pillow("posterize", [bits],
                        lambda im: ImageOps.posterize(im, bits))
        for threshold in (1, 100, 256):
            self.pillow("solarize", [threshold],
                        lambda im: ImageOps.solarize(im, threshold))
        self.pillow("greyscale", [],
                    lambda im: im.convert("L").convert("RGB"))

    def test_pillow_enhances_the_same_within_one(self):
        for factor in (0, 0.2, 1, 1.7, 4):
            p = [round(4096 * factor)]
            for name, enhancer in (("brightness", ImageEnhance.Brightness),
                                   ("saturation", ImageEnhance.Color)):
                self.check(name, p, lambda a: np.asarray(
                    enhancer(Image.fromarray(a)).enhance(factor), float),
                    most=1 if name == "brightness" or factor < 2 else 2)

    def test_a_jitter_is_its_steps_in_every_order(self):
        hue = [4096, 0, 0, 0, 4096, 0, 0, 0, 4096]
        image = list(photographs())[0]
        steps = {"brightness": 5000, "contrast": 2000, "saturation": 7000}
        for k, order in enumerate(itertools.permutations(
                ("brightness", "contrast", "saturation", "hue"))):
            expected = image
            for name in order:
                if name != "hue":
                    expected, = ours(name, [steps[name]], [expected])
            got, = ours("jitter", [k] + list(steps.values()) + hue, [image])
            np.testing.assert_array_equal(got, expected, str(order))

    def test_a_gaussian_blur_is_the_exact_one_within_one(self):
        for sigma in (0.3, 0.8, 1.5, 3, 5):
            p = gaussian_p(sigma)
            taps = np.array(p[:1:-1] + p[1:]) / 65536

            def exact(image, r=p[0], taps=taps):
                wide = np.pad(image.astype(float), ((r, r), (r, r), (0, 0)),
                              mode="reflect")
                for axis in (0, 1):
                    n = wide.shape[axis] - 2 * r
                    wide = sum(t * np.take(wide, range(k, k + n), axis)
                               for k, t in enumerate(taps))
                return wide
            self.check("gaussian_blur", p, exact, most=1.2, mean=0.4)

    def test_gamma_is_the_power_curve_to_nearest(self):
        for gamma in (0.1, 0.45, 1, 2.2, 10):
            self.check("gamma", [round(4096 * gamma)],
                       lambda a, g=round(4096 * gamma) / 4096:
                       255 * (a / 255.0)**g, most=0.51)

    def test_jpeg_is_pillows_but_for_rounding_and_smoothed_chroma(self):
        for quality in (10, 50, 75, 95, 100):
            for step, mean in ((1, 0.6), (2, 4)):
                def theirs(image, quality=quality, step=step):
                    file = io.BytesIO()
                    image.save(file, "JPEG", quality=quality,
                               subsampling=0 if step == 1 else 2)
                    return Image.open(file)
                self.check("jpeg", [quality, step],
                           lambda a: np.asarray(theirs(Image.fromarray(a)),
                                                float), most=255, mean=mean)

    @unittest.skipIf(cv2 is None, "no OpenCV")
    def test_opencv_gives_the_same_within_one(self):
        for kx, ky in ((1, 3), (3, 3), (9, 5), (31, 1)):
            self.check("box_blur", [kx, ky],
                       lambda a: cv2.blur(a, (kx, ky)), most=1)
        for sigma in (0.5, 1, 2.5):
            size = 2 * int(np.ceil(3 * sigma)) + 1
            self.check("gaussian_blur", gaussian_p(sigma),
                       lambda a: cv2.GaussianBlur(
                           a, (size, size), sigma,
                           borderType=cv2.BORDER_REFLECT_101), most=1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
