"""Data readiness: what consumers and the server count when batches are early
and when they are late, and how many servers the daemon says that takes."""
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "protocol")]
from daemon import Daemon, build_folder  # noqa: E402
import libpasted  # noqa: E402
import stdlib_client  # noqa: E402

READY = 'pasted_stream_requests_total{stream="default",found="ready"}'
WAITED = 'pasted_stream_requests_total{stream="default",found="waited"}'
STALL = 'pasted_stream_stall_seconds_total{stream="default"}'
FIRST = 'pasted_stream_first_batch_seconds_%s{stream="default"}'
WORTH = 'pasted_stream_servers_worth{stream="default"}'
CONSUMERS = 'pasted_stream_consumers{stream="default"}'
REPLICAS = "pasted_recommended_replicas"


class Readiness(unittest.TestCase):
    def daemon(self, *words):
        daemon = Daemon("--demo", *words).__enter__()
        self.addCleanup(daemon.close)
        return daemon

    def client(self, daemon, batch, **options):
        client = libpasted.Client(
            f"pasted://127.0.0.1:{daemon.tcp}/default?batch={batch}", **options)
        self.addCleanup(client.close)
        return client

    def test_a_slow_consumer_finds_batches_ready(self):
        daemon = self.daemon()
        client = self.client(daemon, 4)
        for _ in range(20):
            self.assertEqual(client.next()[0], libpasted.OK)
            time.sleep(0.1)
        stats = client.stats()
        self.assertEqual(stats.ready + stats.waited, 20)
        self.assertGreaterEqual(stats.ready, 18)
        self.assertGreater(stats.busy_ns, 1.8e9)
        self.assertLess(stats.wait_ns, 1e9)
        self.assertTrue(0 < stats.first_batch_ns < 20e9)
        client.next()  # its CREDIT tells of the others
        time.sleep(0.2)
        m = daemon.metrics()
        self.assertGreaterEqual(m[READY], 17)
        self.assertLessEqual(m[WAITED], 3)
        self.assertEqual(m[CONSUMERS], 1)
        self.assertEqual(m[FIRST % "count"], 1)
        self.assertTrue(0 < m[FIRST % "sum"] < 20)
        self.assertLess(m[WORTH], 1)
        self.assertEqual(m[REPLICAS], 1)
        session, = daemon.get("/v1/sessions").json["sessions"]
        self.assertTrue(session["tells_pace"])
        self.assertGreater(session["readiness"], 0.8)
        self.assertGreater(session["busy_s"], 0.09)
        self.assertEqual(session["stream"], "default")
        told = subprocess.run(
            [f"{build_folder()}/client/pastectl", "status", "--server",
             f"127.0.0.1:{daemon.tcp}"], capture_output=True, text=True,
            timeout=60).stdout
        self.assertRegex(told, r"readiness of default +worth 0\.\d+ servers, \d+\.\d % of \d+ batches")
        self.assertRegex(told, r"recommended replicas +1\n")

    def test_more_consumers_than_capacity_need_more_servers(self):
        # Frames so large that no machine composes as fast as they are asked.
        folder = self.enterContext(tempfile.TemporaryDirectory())
        recipe = pathlib.Path(folder) / "large.json"
        recipe.write_text('{"size": 512}')
        daemon = self.daemon("--workers", "1", "--recipe", str(recipe))
        stop = threading.Event()

        def trainer(i):
            client = libpasted.Client(
                f"pasted://127.0.0.1:{daemon.tcp}/default?batch=64",
                position=10**6 * i)
            while not stop.is_set():
                client.next()
                time.sleep(0.002)  # far less than 64 samples take
            client.close()

        threads = [threading.Thread(target=trainer, args=(i,))
                   for i in range(4)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(3)
            m = daemon.metrics()
            sessions = daemon.get("/v1/sessions").json["sessions"]
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
        self.assertGreater(m[WORTH], 1)
        self.assertGreater(m[REPLICAS], 1)
        self.assertLessEqual(m[REPLICAS], 4 * 64)
        self.assertGreater(m[STALL], 1)
        self.assertGreater(m[WAITED], m[READY])
        self.assertEqual(len(sessions), 4)
        for _ in range(100):  # who is gone needs no server
            if daemon.metrics()[REPLICAS] == 1:
                break
            time.sleep(0.05)
        m = daemon.metrics()
        self.assertEqual((m[REPLICAS], m[WORTH], m[CONSUMERS]), (1, 0, 0))

    def test_a_client_that_tells_nothing_is_seen(self):
        daemon = self.daemon()
        with stdlib_client.Client("127.0.0.1", daemon.tcp) as client:
            client.open(batch=16)
            for _ in range(3):
                client.credit(1)
                client.next()
            client.credit(4)
            time.sleep(1)
            for _ in range(4):
                client.next()
            session, = daemon.get("/v1/sessions").json["sessions"]
            self.assertFalse(session["tells_pace"])
            self.assertEqual(session["found_ready"] + session["waited"], 7)
            self.assertGreaterEqual(session["waited"], 3)
            self.assertEqual(session["batches"], 7)
            self.assertGreater(session["first_batch_s"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
