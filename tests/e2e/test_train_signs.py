"""The example trains on a real daemon's demo signs, and a run that was
interrupted and resumed has had the same batches as one that was not; the table
of background reliance can be made. Knows no accuracy: that takes minutes."""
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

EXAMPLES = os.path.join(os.environ.get("PASTED_SOURCE", "."), "client",
                        "examples")
# Signs as they were drawn: the recipe's own light takes more images to learn.
PLAIN = ["--set=/object/brightness=1", "--set=/object/contrast=1",
         "--set=/object/operations=[]", "--set=/image/operations=[]"]
SMALL = ["--quiet", "--widths", "16", "32", "--head", "32", "--images", "4000",
         "--batch", "94", "--precision", "f32", "--rate", "4e-3", *PLAIN]


def run(program, *arguments):
    """What it prints."""
    done = subprocess.run(
        [sys.executable, os.path.join(EXAMPLES, program), *arguments],
        capture_output=True, text=True, timeout=200)
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout.splitlines()


def train(*arguments):
    """The line of results of one run."""
    return json.loads(run("train_signs.py", *SMALL, *arguments)[-1])


class TrainSigns(unittest.TestCase):
    def test_loss_falls(self):
        results = train()
        self.assertGreaterEqual(results["images"], 4000)
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


class BackgroundReliance(unittest.TestCase):
    def test_the_table_has_a_row_for_each_training(self):
        lines = run("background_reliance.py", "--images", "456", "--seeds",
                    "1", "--shown", "228", "--attack-steps", "1")
        self.assertEqual([line.split(" | ")[0] for line in lines[2:]],
                         ["| balanced", "| independent", "| correlated",
                          "| balanced, PGD"])
        self.assertEqual({line.count(" | ") for line in lines[2:]}, {5})


if __name__ == "__main__":
    unittest.main()
