"""The example trains on a real daemon's demo digits, and a run that was
interrupted and resumed has had the same batches as one that was not. Knows no
accuracy: that takes minutes."""
import os
import sys
import tempfile
import unittest

try:
    import torch
except ImportError:
    print("skipped: torch is not installed")
    raise SystemExit(77)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from examples import check_resumed, results_of  # noqa: E402

SMALL = ["--quiet", "--members", "2", "--widths", "8", "16", "--head", "32",
         "--batch", "20", "--images", "800", "--pgd", "1"]


def train(*arguments):
    """The line of results of one run."""
    return results_of("train_digits.py", *SMALL, *arguments)


class TrainDigits(unittest.TestCase):
    def test_loss_falls(self):
        results = train()
        self.assertEqual(results["images"], 800)
        self.assertLess(results["loss"], results["first_loss"] - 0.1)

    def test_interrupted_run_goes_on_with_the_same_batches(self):
        check_resumed(self, train)

    def test_feedback_is_part_of_what_is_resumed(self):
        confused = ["--feedback", "6",
                    '--set=/distractor={"probability":0.5}']
        with tempfile.TemporaryDirectory() as folder:
            cut = os.path.join(folder, "cut.pt")
            straight = train(*confused)
            train(*confused, "--checkpoint", cut, "--stop-after", "9")
            kept = torch.load(cut)["trainer"]["feedback"]
            torch.save(kept, cut + ".part")
            torch.load(cut + ".part", weights_only=True)  # 2.6's default
            second = train(*confused, "--checkpoint", cut, "--resume")
        self.assertEqual(second["digest"], straight["digest"])


if __name__ == "__main__":
    unittest.main()
