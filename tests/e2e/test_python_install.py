"""`pip install ./client/python` in a copy of the sources, without a network:
the installed package brings its own libpasted and reads a real daemon."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from daemon import Daemon

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECK = """
import sys, pasted
assert pasted.__file__.startswith(sys.argv[2]), pasted.__file__
assert pasted.__version__ == sys.argv[3], pasted.__version__
with pasted.connect(sys.argv[1]) as client:
    assert client.next()["image"].shape[0] == 8
    assert len(client.info["fingerprint"]) == 64
maps = open("/proc/self/maps").read()
assert sys.argv[2] + "/pasted/_libpasted" in maps
"""


def project_version():
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    return re.search(r"project\(pasted VERSION (\S+)", text).group(1)


class Install(unittest.TestCase):
    def test_pip_builds_a_package_that_needs_nothing_else(self):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "source"
            target = os.fspath(pathlib.Path(folder) / "target")
            for name in ("client", "common"):
                shutil.copytree(ROOT / name, source / name)
            subprocess.run(
                [sys.executable, "-m", "pip", "install", "--quiet",
                 "--no-build-isolation", "--no-deps", "--no-index",
                 "--root-user-action=ignore", "--target", target,
                 os.fspath(source / "client" / "python")],
                check=True, env=dict(os.environ, PIP_NO_CACHE_DIR="1"))
            environment = {key: value for key, value in os.environ.items()
                           if key not in ("PASTED_LIBRARY", "PYTHONPATH")}
            with Daemon("--demo", "--workers", "1") as d:
                url = f"pasted://127.0.0.1:{d.tcp}/default?batch=8"
                subprocess.run(
                    [sys.executable, "-c", CHECK, url, target,
                     project_version()], check=True, cwd=folder,
                    env=dict(environment, PYTHONPATH=target))


if __name__ == "__main__":
    unittest.main()
