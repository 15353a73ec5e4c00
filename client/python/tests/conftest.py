"""One daemon for all tests, and the package of this checkout."""
import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = os.environ.get("PASTED_BUILD", os.fspath(ROOT / "build" / "release"))
os.environ.setdefault("PASTED_BUILD", BUILD)
os.environ.setdefault(
    "PASTED_LIBRARY",
    os.fspath(pathlib.Path(BUILD) / "client" / "lib" / "libpasted.so.0"))
sys.path[:0] = [os.fspath(ROOT / "client" / "python"),
                os.fspath(ROOT / "tests" / "e2e")]

from daemon import Daemon  # noqa: E402  (tests/e2e)


@pytest.fixture(scope="session")
def daemon():
    with Daemon("--demo", "--workers", "1") as running:
        yield running


@pytest.fixture
def url(daemon):
    return f"pasted://127.0.0.1:{daemon.tcp}/default?batch=16"
