"""Samples beside OpenCV and Pillow, which get the parameters that a plan tells
people (`told` of samples/N.json: degrees, scales, factors), not our matrices:
affine poses, perspective, crops, edges, blends, colours.

    test_compose_peers.py DUMP_SAMPLES

Each test states how far apart a byte may be, on the mean of a sample and at
most. What is left is rounding: OpenCV places samples to 1/32 texel, we to
1/128 and round once more on the way. Poses are those that read level 0, since
OpenCV's warps have no mip levels; minified ones are beside area means.
Skips (77) without OpenCV or Pillow."""
import sys
import tempfile
import unittest

try:
    import cv2
    import numpy as np
    from PIL import Image, ImageEnhance
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

import dump

DUMP = sys.argv[1]
SIDE = 160
LEFT_ALONE = {"brightness": 1, "contrast": 1, "saturation": 1, "hue": 0}
TENSORS = {"tensors": ["plane", "context", "keypoints"]}
INSIDE = {"scale": [0.4, 0.7], "rotate": 0, "shear": 0, "min_visible": 1,
          "translate": {"x": [0.45, 0.55], "y": [0.45, 0.55]}}


class Sample:
    """One sample: its plan, its sources, its bytes."""

    def __init__(self, dumped, i):
        self.plan, self.told = dumped.plans[i], dumped.plans[i]["told"]
        straight, self.background, _ = dumped.sources(self.plan)
        self.object = straight.astype(np.float32)
        self.object[..., :3] *= self.object[..., 3:] / 255  # premultiplied
        ys, xs = np.nonzero(straight[..., 3])
        self.box = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
        self.frame = self.plan["width"], self.plan["height"]
        for name in ("image", "plane", "context", "keypoints"):
            setattr(self, name, dumped.tensors[name][i])
        points = dumped.sizes["keypoints"][str(self.plan["object"])]
        self.points = np.array(points) - 0.5  # as OpenCV counts pixels


def samples(recipe, n=24):
    recipe = dict({"size": SIDE, "image": LEFT_ALONE, "labels": TENSORS,
                   "seed": 7}, **recipe)
    with tempfile.TemporaryDirectory() as folder:
        dumped = dump.Dump(DUMP, "demo", folder, recipe, 0, n)
        return [Sample(dumped, i) for i in range(n)]


def pose(s):
    """The forward map of the object's pixels, 2 x 3, from what is told."""
    told = s.told
    x0, y0, x1, y1 = s.box
    k = told["scale"] * min(s.frame) / max(x1 - x0, y1 - y0)
    root = np.sqrt(told["stretch"])
    tan = [np.tan(np.radians(told[key]))
           for key in ("shear_deg", "shear_y_deg")]
    a = np.diag([k * root * (-1 if told["flip"] else 1), k / root])
    a = np.array([[1, 0], [tan[1], 1]]) @ a
    a = np.array([[1, tan[0]], [0, 1]]) @ a
    a = cv2.getRotationMatrix2D((0, 0), told["rotate_deg"], 1)[:, :2] @ a
    pivot = np.array([x0 + x1 - 1, y0 + y1 - 1]) / 2
    place = np.array([told["x"] * s.frame[0], told["y"] * s.frame[1]]) - 0.5
    return np.column_stack([a, place - a @ pivot])


def posed(s):
    """Premultiplied RGBA, float."""
    return cv2.warpAffine(s.object, pose(s), s.frame, flags=cv2.INTER_LINEAR)


def over(plane, context):
    return plane[..., :3] + context * (1 - plane[..., 3:] / 255.0)


class PeersTest(unittest.TestCase):
    def near(self, ours, theirs, mean, most, what=""):
        apart = np.abs(ours.astype(float) - theirs)
        self.assertLessEqual(apart.mean(), mean, f"{what}: mean")
        self.assertLessEqual(apart.max(), most, f"{what}: most")

    def level_0(self, recipe, n=24, least=10):
        found = [s for s in samples(recipe, n)
                 if s.plan["object_level"] == 0]
        self.assertGreaterEqual(len(found), least)
        return found

    def check_planes(self, pose_recipe, expected, mean, most, n=24):
        for s in self.level_0({"object": pose_recipe}, n):
            self.near(s.plane, expected(s), mean, most, s.told)

    # Geometry.

    def test_affine_poses(self):
        full = {"scale": [0.5, 1.5], "rotate": [-180, 180], "min_visible": 0,
                "shear": [-30, 30], "shear_y": [-30, 30], "flip": 0.5,
                "stretch": {"log_uniform": [0.5, 2]},
                "translate": {"x": [0, 1], "y": [0, 1]}}
        self.check_planes(full, posed, mean=0.3, most=10, n=60)
        plain = dict(INSIDE, scale=[0.6, 0.9])
        self.check_planes(plain, posed, mean=0.3, most=10)
        self.check_planes(dict(plain, rotate=[-180, 180]), posed, 0.3, 10)

    def test_perspective(self):
        recipe = {"object": dict(INSIDE, scale=[0.7, 1], perspective=0.5,
                                 min_visible=0)}
        for s in self.level_0(recipe):
            m = np.array(s.plan["warp"]["m"], float).reshape(3, 3)
            m[:2] /= 65536
            theirs = cv2.warpPerspective(
                s.object, m, s.frame,
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
            self.near(s.plane, theirs, 0.3, 10)
            self.check_corners(s, np.linalg.inv(m / m[2, 2]))

    def check_corners(self, s, forward):
        """Each moves inwards by at most `perspective` of the half sides."""
        x0, y0, x1, y1 = np.array(s.box) - 0.5
        corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
        plain = cv2.transform(corners[None], pose(s))[0]
        moved = cv2.perspectiveTransform(corners[None], forward)[0]
        half = (plain.max(axis=0) - plain.min(axis=0)) / 2
        inwards = np.sign(plain.mean(axis=0) - plain)
        inset = (moved - plain) * inwards / half
        self.assertGreaterEqual(inset.min(), -0.01)
        self.assertLessEqual(inset.max(), s.told["perspective"] + 0.01)
        self.assertGreater(inset.max(), 0.02)

    def test_frames_in_perspective(self):
        """RandomPerspective of the frame that the affine pose was drawn in."""
        recipe = {"object": {"scale": [0.6, 1.2], "rotate": [-30, 30],
                             "min_visible": 0, "perspective": 0.5,
                             "perspective_of": "frame"}}
        for s in self.level_0(recipe):
            m = np.array(s.plan["warp"]["m"], float).reshape(3, 3)
            m[:2] /= 65536
            w, h = s.frame
            corners = np.array([[0, 0], [w, 0], [w, h], [0, h]]) - 0.5
            whole = np.linalg.inv(m) @ np.linalg.inv(
                np.vstack([pose(s), [0, 0, 1]]))
            whole /= whole[2, 2]
            moved = cv2.perspectiveTransform(corners[None], whole)[0]
            inset = (moved - corners) * [[1, 1], [-1, 1], [-1, -1], [1, -1]]
            inset /= [w / 2, h / 2]
            self.assertGreaterEqual(inset.min(), -0.01)
            self.assertLessEqual(inset.max(), s.told["perspective"] + 0.01)
            self.assertGreater(inset.max(), 0.02)
            plane = cv2.warpPerspective(
                posed(s), cv2.getPerspectiveTransform(
                    corners.astype(np.float32), moved.astype(np.float32)),
                s.frame, flags=cv2.INTER_LINEAR)
            # Sampled twice, and cut off between pixels: near on the whole.
            self.assertLess(np.abs(plane - s.plane).mean(), 2)

    def test_keypoints(self):
        recipe = {"object": dict(INSIDE, rotate=[-180, 180], flip=0.5,
                                 shear=[-30, 30], scale=[0.2, 1.2],
                                 min_visible=0)}
        for s in samples(recipe):
            there = cv2.transform(s.points[None], pose(s))[0] + 0.5
            n = len(there)
            self.near(s.keypoints[:n, :2], there, 0.01, 0.05, s.told)
            self.assertTrue((s.keypoints[n:] == 0).all())
            inside = ((there > 0.1) & (there < SIDE - 0.1)).all(axis=1)
            outside = ((there < -0.1) | (there > SIDE + 0.1)).any(axis=1)
            if n > 1:  # corners of signs are on the sign
                self.assertTrue((s.keypoints[:n, 2][inside] == 2).all())
            self.assertTrue((s.keypoints[:n, 2][outside] == 1).all())

    def crop(self, s):
        """The forward map of the background's pixels, 2 x 3."""
        told, (w, h) = s.told, s.frame
        sx, sy = w / told["crop_w"], h / told["crop_h"]
        middle = np.array([told["crop_x"] + told["crop_w"] / 2 - 0.5,
                           told["crop_y"] + told["crop_h"] / 2 - 0.5])
        flip = np.diag([-1 if told["crop_flip"] else 1, 1])
        turn = cv2.getRotationMatrix2D((0, 0), told["crop_rotate_deg"], 1)
        a = np.diag([sx, sy]) @ turn[:, :2] @ flip
        return np.column_stack([a, np.array([w - 1, h - 1]) / 2 - a @ middle])

    def check_crops(self, background, border, mean, most):
        seen = 0
        for s in samples({"background": background}):
            if s.plan["crop_level"] > 0:
                continue
            seen += 1
            theirs = cv2.warpAffine(s.background.astype(np.float32),
                                    self.crop(s), s.frame,
                                    flags=cv2.INTER_LINEAR, borderMode=border)
            self.near(s.context, theirs, mean, most, s.told)
        self.assertGreaterEqual(seen, 8)

    def test_crops(self):
        self.check_crops({"scale": [0.3, 1], "flip": 0.5,
                          "aspect": [0.7, 1.4]}, cv2.BORDER_REPLICATE, 0.6, 10)

    def test_turned_crops_and_padding(self):
        turned = {"scale": [0.3, 0.8], "flip": 0.5, "rotate": [-180, 180]}
        self.check_crops(turned, cv2.BORDER_REPLICATE, 0.6, 10)
        for padding, border in (("edge", cv2.BORDER_REPLICATE),
                                ("reflect", cv2.BORDER_REFLECT)):
            self.check_crops(dict(turned, padding=padding, scale=[0.5, 1]),
                             border, 0.6, 10)

    def test_a_colour_about_the_background(self):
        recipe = {"size": 256,  # so that level 0 is read
                  "background": {"scale": [0.8, 1.2], "rotate": [-90, 90],
                                 "padding": "colour",
                                 "padding_colour": [10, 200, 90]}}
        n_padded = 0
        for s in samples(recipe):
            if s.plan["crop_level"] > 0:
                continue
            h, w = s.background.shape[:2]
            there = cv2.warpAffine(np.full((h, w), 255, np.uint8),
                                   self.crop(s), s.frame)
            clear = cv2.erode(255 - there, np.ones((5, 5), np.uint8)) == 255
            self.assertTrue((s.context[clear] == [10, 200, 90]).all())
            photo = cv2.warpAffine(s.background.astype(np.float32),
                                   self.crop(s), s.frame,
                                   borderMode=cv2.BORDER_REPLICATE)
            inside = cv2.erode(there, np.ones((5, 5), np.uint8)) == 255
            self.near(s.context[inside], photo[inside], 0.6, 10, s.told)
            n_padded += clear.any()
        self.assertGreaterEqual(n_padded, 8)

    def test_minified_pictures_are_area_means(self):
        """As far as powers of two go (a mip level, then bilinear): three
        times nearer to them than what skips pixels."""
        recipe = {"size": 24, "background": {"scale": 1, "flip": 0}}
        ours = skipping = 0
        for s in samples(recipe):
            x, y, w, h = (round(s.told["crop_" + k]) for k in "xywh")
            area, linear = (
                cv2.resize(s.background[y:y + h, x:x + w], s.frame,
                           interpolation=how).astype(float)
                for how in (cv2.INTER_AREA, cv2.INTER_LINEAR))
            ours += np.abs(s.context - area).mean()
            skipping += np.abs(linear - area).mean()
        self.assertLess(ours, skipping / 3)

    # Edges.

    def factor(self, edge, s, alpha):
        """What the edge multiplies with, 0..1."""
        if edge == "feather":
            return cv2.GaussianBlur(alpha, (13, 13), 2) / 255
        if edge == "5 x 5":
            return cv2.GaussianBlur(alpha, (5, 5), 2) / 255
        if edge == "box":
            return cv2.blur(alpha, (3, 3)) / 255
        return sum(cv2.erode(alpha, np.ones((k, k), np.uint8))
                   for k in (3, 5, 7)) / 3 / 255

    def test_edges_fade_as_blurs_and_erosions_do(self):
        for edge in ("feather", "5 x 5", "box", "eroded"):
            recipe = dict(INSIDE, edge=edge, feather=2, rotate=[-90, 90])
            if edge == "5 x 5":
                recipe |= {"edge": "feather", "feather_radius": 2}

            def expected(s, edge=edge):
                plane = posed(s)
                return plane * self.factor(edge, s, plane[..., 3])[..., None]
            with self.subTest(edge):
                self.check_planes(recipe, expected, mean=0.3, most=10)

    def test_motion_smears_as_a_box_does(self):
        for angle, kernel in ((0, (9, 1)), (90, (1, 9))):
            recipe = dict(INSIDE, edge="motion", motion_length=9,
                          motion_angle=angle)
            self.check_planes(recipe, lambda s: cv2.blur(posed(s), kernel),
                              mean=0.3, most=10)

    def test_hard_edges_cut_at_half(self):
        for s in self.level_0({"object": dict(INSIDE, edge="hard")}):
            plane = posed(s)
            alpha = np.maximum(plane[..., 3:], 1)
            hard = np.where(plane[..., 3:] >= 127.5,
                            np.append(plane[..., :3] * 255 / alpha,
                                      np.full_like(alpha, 255), axis=-1), 0)
            clear = np.abs(plane[..., 3] - 127.5) > 12  # not at the cut
            self.near(s.plane[clear], hard[clear], 0.3, 10)
            self.assertGreater(clear.mean(), 0.9)

    # Blends.

    def test_over_is_pillows(self):
        for s in samples({"object": dict(INSIDE, rotate=[-180, 180])}):
            alpha = s.plane[..., 3:].astype(float)
            straight = s.plane.copy()
            straight[..., :3] = np.rint(s.plane[..., :3] * 255.0 /
                                        np.maximum(alpha, 1))
            theirs = Image.alpha_composite(
                Image.fromarray(s.context).convert("RGBA"),
                Image.fromarray(straight, "RGBA")).convert("RGB")
            self.near(s.image, np.asarray(theirs, float), 0.1, 2)

    def test_two_thirds_is_opencvs_weighted_sum(self):
        pairs = zip(*(samples({"object": dict(INSIDE, blend=blend)})
                      for blend in ("over", "two_thirds")))
        for plain, blended in pairs:
            opaque = plain.plane[..., 3] == 255
            theirs = cv2.addWeighted(plain.image, 2 / 3, plain.context, 1 / 3,
                                     0)
            self.near(blended.image[opaque], theirs[opaque], 0.6, 1)
            clear = plain.plane[..., 3] == 0
            np.testing.assert_array_equal(blended.image[clear],
                                          plain.context[clear])

    # Colours, of the finished composite.

    def check_colours(self, key, values, change, most=2):
        recipe = {"object": INSIDE, "image": dict(LEFT_ALONE, **{key: values})}
        for s in samples(recipe):
            picture = np.rint(over(s.plane, s.context)).astype(np.uint8)
            self.near(s.image, change(picture, s.told["colour"][key]), 0.7,
                      most, s.told["colour"])

    def test_brightness_is_pillows(self):
        self.check_colours("brightness", [0.2, 2], lambda a, f: np.asarray(
            ImageEnhance.Brightness(Image.fromarray(a)).enhance(f), float),
            most=3)

    def test_saturation_is_pillows(self):
        self.check_colours("saturation", [0, 2], lambda a, f: np.asarray(
            ImageEnhance.Color(Image.fromarray(a)).enhance(f), float), most=3)

    def test_contrast_is_a_scale_about_128(self):
        self.check_colours("contrast", [0.2, 2], lambda a, f: cv2.addWeighted(
            a, f, a, 0, 128 * (1 - f)), most=3)

    def test_hue_turns_opencvs_chroma(self):
        """YIQ is YUV turned: so a hue turns U and V as well."""
        def turned(a, hue):
            yuv = cv2.cvtColor(a.astype(np.float32) / 255, cv2.COLOR_RGB2YUV)
            c, s = np.cos(2 * np.pi * hue), np.sin(2 * np.pi * hue)
            u, v = yuv[..., 1] - 0.5, yuv[..., 2] - 0.5
            yuv[..., 1], yuv[..., 2] = c * u - s * v + 0.5, s * u + c * v + 0.5
            rgb = cv2.cvtColor(yuv, cv2.COLOR_YUV2RGB)
            return np.clip(rgb * 255, 0, 255)
        self.check_colours("hue", [-0.5, 0.5], turned, most=4)

    # All of it at once.

    def test_a_whole_sample(self):
        recipe = {"object": dict(INSIDE, rotate=[-180, 180], shear=[-10, 10]),
                  "image": dict(LEFT_ALONE, brightness=[0.7, 1.3],
                                contrast=[0.7, 1.3])}
        for s in self.level_0(recipe):
            if s.plan["crop_level"] > 0:
                continue
            context = cv2.warpAffine(s.background.astype(np.float32),
                                     self.crop(s), s.frame,
                                     flags=cv2.INTER_LINEAR,
                                     borderMode=cv2.BORDER_REPLICATE)
            colour = s.told["colour"]
            whole = over(posed(s), context) * colour["brightness"]
            whole = (whole - 128) * colour["contrast"] + 128
            self.near(s.image, np.clip(whole, 0, 255), 0.7, 12, s.told)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
