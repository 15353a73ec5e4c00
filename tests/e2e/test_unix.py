"""The Unix socket beside TCP: who may connect, a name that a dead daemon left,
one that another holds, and the same bytes as over TCP."""
import os
import pathlib
import signal
import socket
import stat
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "protocol")]
from daemon import Daemon, run_to_end  # noqa: E402
from held import greeted  # noqa: E402
import libpasted  # noqa: E402
import stdlib_wire as wire  # noqa: E402


class UnixSocket(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pasted-")
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "pasted.sock")

    def daemon(self, *arguments):
        return Daemon("--demo", "--unix", self.path, *arguments)

    def read(self, url, steps=3, **options):
        client = libpasted.Client(url, batch=60, **options)
        self.addCleanup(client.close)
        batches = [client.next() for _ in range(steps)]
        for status, _, _ in batches:
            self.assertEqual(status, libpasted.OK, client.error())
        return batches

    def test_same_bytes_as_over_tcp(self):
        with self.daemon() as daemon:
            over_tcp = self.read(f"pasted://127.0.0.1:{daemon.tcp}/default")
            self.assertEqual(over_tcp, self.read(f"pasted+unix://{self.path}"))
            self.assertEqual(over_tcp, self.read(
                f"pasted+unix://{self.path}?stream=default&checksum=crc32"))

    def test_a_list_may_mix_both(self):
        with self.daemon() as daemon:
            servers = f"unix:{self.path}.gone,127.0.0.1:{daemon.tcp}"
            self.read("pasted+unix:///nowhere?servers=" + servers)

    def test_owner_and_group_connect_and_the_name_goes_with_the_daemon(self):
        with self.daemon() as daemon:
            mode = os.lstat(self.path).st_mode
            self.assertTrue(stat.S_ISSOCK(mode))
            self.assertEqual(stat.S_IMODE(mode), 0o660)
            self.assertEqual(daemon.stop(), 0)
            self.assertFalse(os.path.lexists(self.path))

    def test_tokens_are_asked_for_as_on_tcp(self):
        with tempfile.NamedTemporaryFile("w", suffix=".tokens") as file:
            file.write("open-sesame-0000\n")
            file.flush()
            with self.daemon("--token-file", file.name):
                url = f"pasted+unix://{self.path}"
                self.read(url, token="open-sesame-0000")
                with self.assertRaisesRegex(RuntimeError, "token"):
                    self.read(url, token="another-one-0000")

    def test_the_name_of_a_dead_daemon_is_taken_over(self):
        with self.daemon() as daemon:
            daemon.signal(signal.SIGKILL)
            daemon.wait()
            self.assertTrue(os.path.lexists(self.path))
        with self.daemon():
            self.read(f"pasted+unix://{self.path}")

    def test_a_name_in_use_is_left_alone(self):
        with self.daemon():
            code, _, error = run_to_end(
                "--demo", "--unix", self.path, "--http", "127.0.0.1:0",
                "--tcp", "127.0.0.1:0")
            self.assertEqual(code, 69, error)
            self.assertIn("another daemon listens there", error)
            self.read(f"pasted+unix://{self.path}")

    def test_what_is_no_socket_is_left_alone(self):
        pathlib.Path(self.path).write_text("keep me")
        code, _, error = run_to_end(
            "--demo", "--unix", self.path, "--http", "127.0.0.1:0",
            "--tcp", "127.0.0.1:0")
        self.assertEqual(code, 78, error)
        self.assertEqual(pathlib.Path(self.path).read_text(), "keep me")

    def test_a_name_that_another_took_meanwhile_is_not_removed(self):
        with self.daemon() as daemon:
            os.unlink(self.path)
            with socket.socket(socket.AF_UNIX) as other:
                other.bind(self.path)
                self.assertEqual(daemon.stop(), 0)
                self.assertTrue(os.path.lexists(self.path))

    def largest(self, *arguments):
        """The first in a row of sizes that does not fit, why, and the whole log."""
        found = None
        with self.daemon("--batch-budget", "32M", *arguments) as daemon:
            with greeted(daemon) as peer:
                for batch in range(64, 4096, 64):
                    try:
                        peer.open(batch=batch)
                    except wire.ServerError as refusal:
                        found = batch, refusal.text
                        break
        return *found, daemon.log

    def test_what_clients_may_map_is_taken_from_the_largest_batch(self):
        half, why, log = self.largest()
        self.assertIn("shared_budget", why)
        self.assertRegex(log, "16 MiB of the budget are theirs to map")
        self.assertRegex(log, r"largest batch: \d.*, more with a smaller shared")
        quarter, _, _ = self.largest("--shared-budget", "8M")
        whole, why, _ = self.largest("--shared-budget", "0")
        self.assertNotIn("shared_budget", why)
        self.assertLess(half, quarter)
        self.assertLess(quarter, whole)

    def test_without_memory_to_map_batches_come_through_the_socket(self):
        with self.daemon("--shared-budget", "0") as daemon:
            client = libpasted.Client(f"pasted+unix://{self.path}", batch=60)
            self.addCleanup(client.close)
            self.assertEqual(client.next()[0], libpasted.OK)
            self.assertEqual(client.stats().mapped, 0)
            self.assertEqual(daemon.metrics()["pasted_tcp_slots"], 0)

    def test_too_long_a_path_is_refused(self):
        code, _, error = run_to_end(
            "--demo", "--unix", "/tmp/" + "x" * 110, "--http", "127.0.0.1:0",
            "--tcp", "127.0.0.1:0")
        self.assertEqual(code, 78, error)


if __name__ == "__main__":
    unittest.main()
