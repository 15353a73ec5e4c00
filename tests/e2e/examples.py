"""Runs the training examples and compares an interrupted run with one that was
not. Checks no accuracy: that takes minutes."""
import json
import os
import subprocess
import sys
import tempfile

import torch

EXAMPLES = os.path.join(os.environ.get("PASTED_SOURCE", "."), "client",
                        "examples")


def run(program, *arguments):
    """The lines that it prints."""
    done = subprocess.run(
        [sys.executable, os.path.join(EXAMPLES, program), *arguments],
        capture_output=True, text=True, timeout=200)
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout.splitlines()


def results_of(program, *arguments):
    """The line of results of one run."""
    return json.loads(run(program, *arguments)[-1])


def check_resumed(test, train):
    """A run stopped after 17 steps and resumed has had the batches, and ends
    with the averaged weights, of one that was not; train(*arguments) gives a
    run's results."""
    with tempfile.TemporaryDirectory() as folder:
        whole = os.path.join(folder, "whole.pt")
        cut = os.path.join(folder, "cut.pt")
        straight = train("--checkpoint", whole)
        first = train("--checkpoint", cut, "--stop-after", "17")
        second = train("--checkpoint", cut, "--resume")
        a, b = (torch.load(path)["trainer"] for path in (whole, cut))
    test.assertEqual(first["steps"], 17)
    test.assertNotEqual(first["digest"], straight["digest"])
    test.assertEqual(second["digest"], straight["digest"])
    for name, value in a["average"].items():
        test.assertTrue(torch.equal(value, b["average"][name]), name)
