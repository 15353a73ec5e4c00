"""The type hints hold, where mypy is installed (nothing needs it)."""
import importlib.util
import pathlib
import subprocess
import sys

import pytest

PACKAGE = pathlib.Path(__file__).resolve().parents[1]


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None,
                    reason="mypy is missing")
def test_mypy_finds_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", tmp_path],
        cwd=PACKAGE, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
