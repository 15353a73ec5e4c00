"""What the training examples refuse before they train: options, files of
--evaluate. Trains nothing."""
import argparse
import contextlib
import io
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile

import numpy as np

try:
    import torch  # noqa: F401
except ImportError:
    print("skipped: torch is not installed")
    raise SystemExit(77)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from examples import EXAMPLES  # noqa: E402

sys.path.insert(0, EXAMPLES)
import evaluation  # noqa: E402
import options  # noqa: E402

DIGITS = {"height": 28, "width": 28, "channels": "grey"}
SIGNS = {"height": 32, "width": 32, "channels": "rgb"}
IMAGES = np.zeros((5, 28, 28), np.uint8)
LABELS = np.arange(5)


def refused(*arguments, program="train_digits.py"):
    """(exit code, last line of standard error) of a run of a million images,
    which nobody would wait for."""
    done = subprocess.run(
        [sys.executable, os.path.join(EXAMPLES, program), "--quiet",
         "--images", "1000000", "--pgd", "0", *arguments],
        capture_output=True, text=True, timeout=100)
    return done.returncode, done.stderr.strip().splitlines()[-1]


class Keys(unittest.TestCase):
    def test_a_pair_is_a_pointer_and_json(self):
        for text, pair in (("/object/scale=[0.5,1]",
                            ("/object/scale", [0.5, 1])),
                           ("seed=3", ("/seed", 3)),
                           ('/a/b="c=d"', ("/a/b", "c=d"))):
            self.assertEqual(options.pair_of(text), pair)

    def test_what_is_no_pair_is_named(self):
        for text, named in (("/object/scale", "'/object/scale'"), ("=1", "=1"),
                            ("/=1", "/=1"), ("/a//b=1", "/a//b=1"),
                            ("/object/scale=x", "/object/scale: 'x'"),
                            ("/object/scale=[1,", "/object/scale: ")):
            with self.assertRaises(argparse.ArgumentTypeError) as caught:
                options.pair_of(text)
            self.assertIn(named, str(caught.exception))

    def test_keys_are_set_at_any_depth(self):
        recipe = {"size": 28, "object": {"scale": 1}}
        options.set_keys(recipe, [("/object/scale", 2), ("/seed", 3),
                                  ("/chain/slots", 4)])
        self.assertEqual(recipe, {"size": 28, "object": {"scale": 2},
                                  "seed": 3, "chain": {"slots": 4}})

    def test_a_key_below_a_value_is_named(self):
        for pointer in ("/size/height", "/size/a/b"):
            with self.assertRaises(ValueError) as caught:
                options.set_keys({"size": 28}, [(pointer, 1)])
            self.assertIn(f"--set {pointer}: /size is no object",
                          str(caught.exception))

    def test_programs_name_the_key(self):
        for arguments, code, named in (
                (["--set=/object/scal=1"], 1, "/object/scal: unknown key"),
                (["--set=/object/scale=x"], 2, "--set: /object/scale: 'x'"),
                (["--set=/size/h=1"], 1, "--set /size/h: "),
                (["--daemon=/not/there"], 1, "there is no daemon /not/there"),
                (["--set=/size=20", "--server", "pasted://h"], 2,
                 "--set /size: the recipe of --server")):
            for program in ("train_digits.py", "train_signs.py"):
                found, line = refused(*arguments, program=program)
                self.assertEqual(found, code, line)
                self.assertIn(named, line)


class Arguments(unittest.TestCase):
    def refused(self, *arguments):
        parser = options.arguments("")
        parser.set_defaults(recipe=options.__file__)
        said = io.StringIO()
        with contextlib.redirect_stderr(said), \
                self.assertRaises(SystemExit) as caught:
            parser.parse_args(arguments)
        self.assertEqual(caught.exception.code, 2)
        return said.getvalue()

    def test_what_cannot_be_or_would_be_ignored_is_refused(self):
        for arguments, why in (
                (["--images=0"], "--images: a whole number from 1 on"),
                (["--pgd=-1"], "--pgd: a whole number from 0 on"),
                (["--candidates=33"], "from 1 to 32 is wanted, not '33'"),
                (["--smoothing=2"], "--smoothing: a number from 0 to 1"),
                (["--average=x"], "--average: a number from 0 to 1"),
                (["--backgrounds=x"], "go together"),
                (["--objects=x", "--server", "pasted://h"],
                 "the pool of --server")):
            self.assertIn(why, self.refused(*arguments))

    def test_files_are_looked_for_before_training(self):
        for arguments, why in (
                (["--log=/not/there"], "--log /not/there: there is no"),
                (["--checkpoint=/not/there"], "--checkpoint /not/there: "),
                (["--recipe=/not/there"], "--recipe: there is no file"),
                (["--resume", "--checkpoint=not-there"],
                 "--resume: there is no file not-there")):
            self.assertIn(why, self.refused(*arguments))


class Evaluated(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="options-")
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "e.npz")

    def check(self, info=DIGITS, n_classes=10, **arrays):
        """What is said of a file of these arrays; "" when it can be used."""
        np.savez(self.path, **arrays)
        return self.check_file(info, n_classes)

    def check_file(self, info=DIGITS, n_classes=10):
        try:
            evaluation.check_npz(self.path, info, n_classes)
        except SystemExit as error:
            self.assertIn(self.path, str(error))
            return str(error)
        return ""

    def test_good_files_are_taken(self):
        self.assertEqual(self.check(images=IMAGES, labels=LABELS), "")
        self.assertEqual(self.check(images=IMAGES, n_classes=5,
                                    labels=LABELS.astype(np.uint8)), "")
        self.assertEqual(self.check(
            SIGNS, images=np.zeros((5, 32, 32, 3), np.uint8), labels=LABELS),
            "")
        images, labels = evaluation.read_npz(self.path)
        self.assertEqual(list(images.shape), [5, 3, 32, 32])
        self.assertEqual(labels.tolist(), LABELS.tolist())

    def test_shapes(self):
        for info, shape in ((DIGITS, (5, 28, 28, 3)), (DIGITS, (5, 28, 27)),
                            (DIGITS, (5, 784)), (DIGITS, (0, 28, 28)),
                            (SIGNS, (5, 32, 32)), (SIGNS, (5, 3, 32, 32))):
            said = self.check(info, images=np.zeros(shape, np.uint8),
                              labels=LABELS[:shape[0]])
            self.assertIn(f"images are {list(shape)}", said)
        for labels in (LABELS[:4], LABELS[:, None], np.int64(3)):
            self.assertIn("labels are [", self.check(images=IMAGES,
                                                     labels=labels))

    def test_dtypes(self):
        for kind in (np.float32, np.int64, bool):
            self.assertIn("u8 is wanted", self.check(
                images=IMAGES.astype(kind), labels=LABELS))
        for labels in (LABELS * 1.0, LABELS > 2, np.array([None] * 5)):
            self.assertIn("whole numbers", self.check(images=IMAGES,
                                                      labels=labels))

    def test_classes(self):
        self.assertIn("0 to 4, and the task's 4 classes 0 to 3",
                      self.check(images=IMAGES, labels=LABELS, n_classes=4))
        self.assertIn("-1 to 3", self.check(images=IMAGES, labels=LABELS - 1))

    def test_files(self):
        self.assertIn("no such file", self.check_file().lower())
        self.assertIn("has no images and no labels", self.check(x=IMAGES))
        self.check(images=IMAGES, labels=LABELS)
        with open(self.path, "r+b") as f:
            f.seek(500)  # within the images
            f.write(b"\1")
        self.assertIn("images.npy is damaged", self.check_file())
        for whole in (b"", b"no zip"):
            with open(self.path, "wb") as f:
                f.write(whole)
            self.assertIn("is no .npz file", self.check_file())
        with zipfile.ZipFile(self.path, "w") as z:
            z.writestr("images.npy", b"no array")
            z.writestr("labels.npy", b"")
        self.assertIn("--evaluate", self.check_file())

    def test_programs_say_it_before_they_train(self):
        np.savez(self.path, images=IMAGES, labels=LABELS * 3)
        code, line = refused("--evaluate", self.path)
        self.assertEqual(code, 1)
        self.assertIn("labels are 0 to 12", line)
        code, line = refused("--evaluate", self.path, program="train_signs.py")
        self.assertEqual(code, 1)
        self.assertIn("[n,32,32,3]", line)


if __name__ == "__main__":
    unittest.main()
