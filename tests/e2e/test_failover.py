"""A daemon is killed with SIGKILL while libpasted streams from it: the client
says so within its deadline and goes on at the same position, with the same
bytes, when the daemon is back, or at once on another server of its list."""
import io
import pathlib
import signal
import sys
import time
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from daemon import Daemon  # noqa: E402
import libpasted  # noqa: E402

BATCH, DEADLINE_MS = 60, 1500


def image_over_http(daemon, step):
    answer = daemon.get(f"/v1/streams/default/batches/{step}.npz"
                        f"?batch={BATCH}")
    return np.load(io.BytesIO(answer.body))["image"].tobytes()


class Failover(unittest.TestCase):
    def read(self, client, steps, images):
        for _ in range(steps):
            status, position, image = client.next()
            self.assertEqual(status, libpasted.OK, client.error())
            self.assertEqual(position, len(images) * BATCH)
            images.append(image)

    def read_until_error(self, client, images):
        """Drains what was received ahead; the status that ended it."""
        while True:
            begin = time.monotonic()
            status, position, image = client.next()
            if status != libpasted.OK:
                return status, time.monotonic() - begin
            self.assertEqual(position, len(images) * BATCH)
            images.append(image)
            self.assertLess(len(images), 100, "the daemon is dead")

    def test_killed_daemon_is_reported_and_the_same_position_continues(self):
        images = []
        with Daemon("--demo") as first:
            ports = {"http": first.http, "tcp": first.tcp}
            client = libpasted.Client(f"pasted://127.0.0.1:{first.tcp}/default",
                                      batch=BATCH, timeout_ms=DEADLINE_MS)
            self.addCleanup(client.close)
            self.read(client, 5, images)
            first.signal(signal.SIGKILL)
            first.wait()
            status, waited = self.read_until_error(client, images)
            self.assertIn(status, (libpasted.TIMEOUT, libpasted.CLOSED))
            self.assertLess(waited, DEADLINE_MS / 1000 + 1)
            self.assertEqual(client.position(), len(images) * BATCH)
        with Daemon("--demo", ports=ports) as second:
            end = time.monotonic() + 30
            while time.monotonic() < end:
                status, position, image = client.next()
                if status == libpasted.OK:
                    break
            self.assertEqual(position, len(images) * BATCH)
            images.append(image)
            self.read(client, 5, images)
            for step, image in enumerate(images):
                self.assertEqual(image_over_http(second, step), image, step)

    def test_another_server_of_the_list_continues_at_once(self):
        images = []
        with Daemon("--demo") as first, Daemon("--demo") as second:
            client = libpasted.Client(
                f"pasted://127.0.0.1:{first.tcp},127.0.0.1:{second.tcp}"
                "/default", batch=BATCH, timeout_ms=20000)
            self.addCleanup(client.close)
            self.read(client, 3, images)
            first.signal(signal.SIGKILL)
            first.wait()
            self.read(client, 10, images)
            for step, image in enumerate(images):
                self.assertEqual(image_over_http(second, step), image, step)


if __name__ == "__main__":
    unittest.main(verbosity=2)
