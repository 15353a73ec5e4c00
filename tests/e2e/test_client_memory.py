"""Every allocation of libpasted fails once while it talks to a real daemon: over TCP, over the Unix
socket with batches in shared memory, and as a member of a group. The program that makes them fail
is tests/unit/test_client_memory.c; this starts the daemon."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from daemon import Daemon, build_folder  # noqa: E402
from held import held, wait_until  # noqa: E402


class ClientMemory(unittest.TestCase):
    def test_each_allocation_may_fail(self):
        program = os.path.join(build_folder(), "tests", "test_client_memory")
        with tempfile.TemporaryDirectory(prefix="pasted-") as folder:
            path = os.path.join(folder, "pasted.sock")
            with Daemon("--demo", "--unix", path) as daemon:
                before = held(daemon)
                for server in (f"pasted://127.0.0.1:{daemon.tcp}/default",
                               f"pasted+unix://{path}"):
                    for options in ("batch=8", "batch=8&group=short"):
                        done = subprocess.run([program, f"{server}?prefetch=1&{options}"],
                                              capture_output=True, timeout=120, text=True)
                        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                        print(done.stdout.split("\n")[2], file=sys.stderr)
                self.assertTrue(wait_until(lambda: held(daemon) <= before))
                self.assertEqual(daemon.metrics()["pasted_tcp_slots"], 0)


if __name__ == "__main__":
    unittest.main()
