"""The example trains on a real daemon's demo digits, and a run that was
interrupted and resumed has had the same batches as one that was not. Knows no
accuracy: that takes minutes."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

try:
    import torch
except ImportError:
    print("skipped: torch is not installed")
    raise SystemExit(77)

PROGRAM = os.path.join(os.environ.get("PASTED_SOURCE", "."), "client",
                       "examples", "train_digits.py")
SMALL = ["--quiet", "--members", "2", "--widths", "8", "16", "--head", "32",
         "--batch", "20", "--images", "800", "--pgd", "1"]


def train(*arguments):
    """The line of results of one run."""
    done = subprocess.run([sys.executable, PROGRAM, *SMALL, *arguments],
                          capture_output=True, text=True, timeout=200)
    if done.returncode:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


class TrainDigits(unittest.TestCase):
    def test_loss_falls(self):
        results = train()
        self.assertEqual(results["images"], 800)
        self.assertLess(results["loss"], results["first_loss"] - 0.1)

    def test_interrupted_run_goes_on_with_the_same_batches(self):
        with tempfile.TemporaryDirectory() as folder:
            whole = os.path.join(folder, "whole.pt")
            cut = os.path.join(folder, "cut.pt")
            straight = train("--checkpoint", whole)
            first = train("--checkpoint", cut, "--stop-after", "17")
            second = train("--checkpoint", cut, "--resume")
            a, b = (torch.load(path)["trainer"] for path in (whole, cut))
        self.assertEqual(first["steps"], 17)
        self.assertNotEqual(first["digest"], straight["digest"])
        self.assertEqual(second["digest"], straight["digest"])
        for name, value in a["average"].items():
            self.assertTrue(torch.equal(value, b["average"][name]), name)

    def test_feedback_is_part_of_what_is_resumed(self):
        confused = ["--feedback", "6",
                    '--set=/distractor={"probability":0.5}']
        with tempfile.TemporaryDirectory() as folder:
            cut = os.path.join(folder, "cut.pt")
            straight = train(*confused)
            train(*confused, "--checkpoint", cut, "--stop-after", "9")
            second = train(*confused, "--checkpoint", cut, "--resume")
        self.assertEqual(second["digest"], straight["digest"])


if __name__ == "__main__":
    unittest.main()
