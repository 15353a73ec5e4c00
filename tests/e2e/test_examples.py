"""The examples of client/examples that need no framework, on a real daemon.

Usage: test_examples.py TRAIN_SOFTMAX SANITIZERS ("" for none)"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from daemon import Daemon

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRAIN_SOFTMAX = sys.argv[1] if len(sys.argv) > 1 else \
    "build/release/tests/train_softmax"
IS_SANITIZED = len(sys.argv) > 2 and sys.argv[2] != ""

# What a linear model can learn: upright, in the middle, on one dark colour.
EASY = {"size": 20, "batch": 64, "graph": {"order": "mixed"},
        "object": {"scale": [0.8, 0.9], "rotate": [-5, 5], "shear": 0,
                   "translate": {"x": 0.5, "y": 0.5}},
        "context": {"background": 0, "solid": 1,
                    "solid_colour": [[0, 60], [0, 60], [0, 60]]},
        "output": {"channels": "grey"}}
# Gradients of it are more than a pipe holds.
LARGE = {"size": 64, "batch": 16}


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="examples-")
        cls.addClassCleanup(cls.folder.cleanup)
        config = pathlib.Path(cls.folder.name) / "config.json"
        config.write_text(json.dumps({
            "pools": {"demo": {"demo": True}},
            "streams": {"default": {"pool": "demo", "recipe": EASY},
                        "large": {"pool": "demo", "recipe": LARGE}}}))
        cls.daemon = Daemon("--config", os.fspath(config), "--workers", "1")
        cls.daemon.start()
        cls.addClassCleanup(cls.daemon.close)
        cls.url = f"pasted://127.0.0.1:{cls.daemon.tcp}/default"
        cls.large = f"pasted://127.0.0.1:{cls.daemon.tcp}/large"

    def softmax(self, *arguments):
        done = subprocess.run([TRAIN_SOFTMAX, self.url, *arguments], text=True,
                              timeout=120, capture_output=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_softmax_learns_and_says_what_it_waited(self):
        out = self.softmax("150")
        waited, accuracy, n, position = map(float, re.fullmatch(
            r"150 steps in \S+ s, of which (\S+) % waited for batches\n"
            r"accuracy (\S+) %, on (\d+) samples from position (\d+)\n",
            out).groups())
        self.assertGreater(accuracy, 80)  # 57 classes: 1.8 by chance
        self.assertLessEqual(0, waited)
        self.assertLess(waited, 100)
        self.assertEqual((n, position), (20 * 64, 150 * 64))
        untrained = self.softmax("0")
        self.assertLess(float(re.search(r"accuracy (\S+) ", untrained)[1]), 10)

    def test_softmax_is_weaker_after_fgsm_and_says_so(self):
        def perturbed(steps, levels):
            found = re.search(r"accuracy (\S+) %, (\S+) % after FGSM of 48 ",
                              self.softmax(steps, levels))
            return float(found[1]), float(found[2])

        clean, hard = perturbed("60", "48")
        self.assertLess(hard, clean - 5)
        self.assertGreater(hard, 2)

    def test_softmax_names_what_went_wrong(self):
        done = subprocess.run([TRAIN_SOFTMAX, self.url + "?stream=nosuch"],
                              text=True, timeout=60, capture_output=True)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "not-found|not_found|nosuch")

    def test_numbers_are_read_to_their_end(self):
        pull = os.path.join(os.path.dirname(TRAIN_SOFTMAX), "pull_batches")
        for program, arguments, named in (
                [(TRAIN_SOFTMAX, ["10", epsilon], f"EPSILON.*'{epsilon}'")
                 for epsilon in ("x", "", "4x", "4 ", " 4", "nan", "inf",
                                 "0x4", "-1", "256", "1e400", "4,5")] +
                [(TRAIN_SOFTMAX, [steps], f"STEPS.*'{steps}'")
                 for steps in ("x", "", "1.5", "-1", "1e10", "10x")] +
                [(TRAIN_SOFTMAX, ["1", "2", "3"], "usage")] +
                [(pull, [steps], "usage") for steps in
                 ("x", "", "1.5", "-1", "+1", "99999999999", "3x")] +
                [(pull, ["1", "2"], "usage")]):
            done = subprocess.run([program, self.url, *arguments], text=True,
                                  timeout=60, capture_output=True)
            self.assertEqual((done.returncode, done.stdout), (2, ""),
                             arguments)
            self.assertRegex(done.stderr, named)

    def two_ranks(self, *arguments):
        if IS_SANITIZED:
            self.skipTest("ctypes loads no library with a sanitizer")
        build = os.environ.get("PASTED_BUILD", "build/release")
        library = pathlib.Path(build) / "client" / "lib" / "libpasted.so.0"
        done = subprocess.run(
            [sys.executable, ROOT / "client" / "examples" / "two_ranks.py",
             self.large, "--steps", "24", *arguments], text=True, timeout=240,
            env=dict(os.environ, PASTED_LIBRARY=os.fspath(library)),
            capture_output=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        killed = int(re.search(r"had saved step (\d+) of 24", done.stdout)[1])
        self.assertIn(killed, range(12, 25))
        ends = re.findall(r"rank (\d): batches (\w{16}), weights (\w{16})",
                          done.stdout)
        self.assertEqual(len(ends), 4)
        self.assertEqual(ends[:2], ends[2:])
        self.assertNotEqual(ends[0][1], ends[1][1])  # slices differ
        self.assertEqual(ends[0][2], ends[1][2])     # weights do not
        return ends

    def test_two_ranks_continue_alike_after_being_killed(self):
        self.two_ranks("--numpy")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
