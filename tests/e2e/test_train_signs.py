"""The example trains on a real daemon's demo signs, and a run that was
interrupted and resumed has had the same batches as one that was not; the table
of background reliance can be made. Knows no accuracy: that takes minutes."""
import os
import sys
import unittest

try:
    import torch  # noqa: F401
except ImportError:
    print("skipped: torch is not installed")
    raise SystemExit(77)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from examples import check_resumed, results_of, run  # noqa: E402

# Signs as they were drawn: the recipe's own light takes more images to learn.
PLAIN = ["--set=/object/brightness=1", "--set=/object/contrast=1",
         "--set=/object/operations=[]", "--set=/image/operations=[]"]
SMALL = ["--quiet", "--widths", "16", "32", "--head", "32", "--images", "4000",
         "--batch", "94", "--precision", "f32", "--rate", "4e-3", *PLAIN]


def train(*arguments):
    """The line of results of one run."""
    return results_of("train_signs.py", *SMALL, *arguments)


class TrainSigns(unittest.TestCase):
    def test_loss_falls(self):
        results = train()
        self.assertGreaterEqual(results["images"], 4000)
        self.assertLess(results["loss"], results["first_loss"] - 0.1)

    def test_interrupted_run_goes_on_with_the_same_batches(self):
        check_resumed(self, train)


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
