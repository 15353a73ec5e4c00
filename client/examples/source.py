"""A daemon for an example, and the batches of a stream as torch tensors.

Knows no network and no task.
"""
from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import Any, Dict, Mapping, Optional

from torch import Tensor

ROOT = pathlib.Path(__file__).resolve().parents[2]
try:
    import pasted
except ImportError:  # not installed: that of this checkout
    sys.path.insert(0, os.fspath(ROOT / "client" / "python"))
    import pasted

READY_SECONDS = 120


def _is_ready(ports: pathlib.Path) -> bool:
    if not ports.exists():
        return False
    port = json.loads(ports.read_text())["http"]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
            return True
    except OSError:
        return False


class Daemon:
    """A daemon of this build on free ports, for as long as the example runs.

    config: as of `pasted --config`, paths absolute. url is what clients open.
    """

    def __init__(self, config: Mapping[str, Any], program: str,
                 workers: int = 1) -> None:
        if not os.access(program, os.X_OK):
            raise SystemExit(f"there is no daemon {program}: build the "
                             "project, or name one with --daemon PROGRAM")
        self._folder = tempfile.TemporaryDirectory(prefix="pasted-")
        folder = pathlib.Path(self._folder.name)
        (folder / "config.json").write_text(json.dumps(config))
        self._log = open(folder / "log", "wb")
        self._process = subprocess.Popen(
            [program, "--config", os.fspath(folder / "config.json"),
             "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0",
             "--workers", str(workers),
             "--port-file", os.fspath(folder / "ports")],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        try:
            port = self._wait(folder)["tcp"]
        except BaseException:
            self.close()
            raise
        self.url = f"pasted://127.0.0.1:{port}/default"

    def _wait(self, folder: pathlib.Path) -> Dict[str, int]:
        """Until its pools are loaded; its ports."""
        end = time.monotonic() + READY_SECONDS
        while not _is_ready(folder / "ports"):
            if self._process.poll() is not None:
                raise SystemExit((folder / "log").read_text())
            if time.monotonic() > end:
                raise SystemExit("the daemon does not become ready")
            time.sleep(0.02)
        return json.loads((folder / "ports").read_text())

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far."""
        with open(f"/proc/{self._process.pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()
        self._folder.cleanup()


class Server:
    """A daemon that somebody else runs; its CPU time is not known here."""

    def __init__(self, url: str) -> None:
        self.url = url

    def cpu_seconds(self) -> Optional[float]:
        return None

    def close(self) -> None:
        pass


class Batches:
    """A stream's batches as torch tensors by name, with what was waited for
    them and a chain of digests (pasted.chain_digest) over images and labels.
    """

    def __init__(self, url: str, **options: Any) -> None:
        self.loader = pasted.Loader(url, tensors=None, **options)
        self._steps = iter(self.loader)
        self.waited = 0.0
        self.digest = ""

    def next(self) -> Dict[str, Tensor]:
        begin = time.perf_counter()
        batch = next(self._steps)
        self.waited += time.perf_counter() - begin
        self.digest = pasted.chain_digest(
            self.digest, {name: batch[name] for name in ("image", "label")})
        return batch

    def state_dict(self) -> Dict[str, Any]:
        return {"loader": self.loader.state_dict(), "waited": self.waited,
                "digest": self.digest}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        # Without the feedback table's digest, which a daemon begun anew does
        # not know: whoever gave the table gives it again.
        self.loader.load_state_dict({key: value for key, value
                                     in state["loader"].items()
                                     if key != "feedback"})
        self.waited, self.digest = state["waited"], state["digest"]

    @property
    def fingerprint(self) -> str:
        return self.loader.client.info["fingerprint"]

    def close(self) -> None:
        self.loader.close()
