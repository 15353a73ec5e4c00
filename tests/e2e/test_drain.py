"""A replica that drains, and consumers that stop. The trainer's positions go on unbroken while one
of its two servers drains under load, and it waits far less than a connection anew takes; one that
stops in the middle leaves the server idle. Both servers are 100 ms away (relay.py)."""
import hashlib
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from daemon import Daemon  # noqa: E402
from held import wait_until  # noqa: E402
import libpasted  # noqa: E402

COMPOSED = "pasted_samples_composed_total"
BATCH, STEPS, DELAY_MS, PACE_S = 60, 40, 100, 0.1


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Drain(unittest.TestCase):
    def relay(self, port):
        """The port of a longer way there."""
        listen = free_port()
        process = subprocess.Popen([sys.executable, HERE / "relay.py", str(listen), "127.0.0.1",
                                    str(port), str(DELAY_MS), str(DELAY_MS)])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

        def answers():
            try:
                socket.create_connection(("127.0.0.1", listen)).close()
                return True
            except OSError:
                return False

        self.assertTrue(wait_until(answers))
        return listen

    def client(self, *ports, **options):
        servers = ",".join(f"127.0.0.1:{port}" for port in ports)
        client = libpasted.Client(f"pasted://{servers}/default?batch={BATCH}", **options)
        self.addCleanup(client.close)
        return client

    def anew(self, port):
        """Seconds from nothing to a batch: what a lost connection costs at least."""
        begin = time.perf_counter()
        client = self.client(port, position=10**6)
        self.assertEqual(client.next()[0], libpasted.OK, client.error())
        return time.perf_counter() - begin

    def load(self, port):
        """Another trainer, as fast as it can, until the test ends."""
        stop = threading.Event()

        def work():
            client = libpasted.Client(f"pasted://127.0.0.1:{port}/default?batch={BATCH}",
                                      position=10**7)
            while not stop.is_set() and client.next()[0] == libpasted.OK:
                pass
            client.close()

        thread = threading.Thread(target=work)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stop.set)

    def test_a_drained_server_is_left_without_a_hiccup(self):
        with Daemon("--demo", "--grace", "20") as first, Daemon("--demo") as second:
            plain = self.client(second.tcp)
            wanted = [hashlib.sha256(plain.next()[2]).digest() for _ in range(STEPS)]
            ports = [self.relay(first.tcp), self.relay(second.tcp)]
            anew = sorted(self.anew(ports[1]) for _ in range(3))[1]
            self.load(second.tcp)
            client = self.client(*ports, prefetch=16)
            waits = []
            for step in range(STEPS):
                if step == STEPS // 3:
                    first.signal(signal.SIGTERM)
                begin = time.perf_counter()
                status, position, image = client.next()
                waits.append(time.perf_counter() - begin)
                self.assertEqual(status, libpasted.OK, client.error())
                self.assertEqual(position, step * BATCH)
                self.assertEqual(hashlib.sha256(image).digest(), wanted[step], step)
                time.sleep(PACE_S)
            longest = max(waits[STEPS // 3:])
            print(f"longest wait {longest * 1e3:.1f} ms, anew {anew * 1e3:.1f} ms", file=sys.stderr)
            self.assertEqual(first.wait(), 0)  # at once: everybody had gone
            self.assertEqual(client.stats().reconnects, 1)
            self.assertGreater(anew, 6 * DELAY_MS / 1e3)
            self.assertLess(longest, anew / 2)

    def test_a_consumer_that_stops_leaves_the_server_idle(self):
        prefetch, taken = 4, 3
        with Daemon("--demo") as daemon:
            client = self.client(daemon.tcp, prefetch=prefetch)
            for _ in range(taken):
                self.assertEqual(client.next()[0], libpasted.OK)
            # What was ordered when it stopped: its prefetch, and the one in its hands.
            bound = (taken + prefetch + 1) * BATCH
            wait_until(lambda: daemon.metrics()[COMPOSED] >= bound, 2)
            before = daemon.metrics()[COMPOSED]
            self.assertLessEqual(before, bound)
            time.sleep(1.5)
            self.assertEqual(daemon.metrics()[COMPOSED], before)
            client.close()
            gone = 'pasted_connections{transport="tcp"}'
            self.assertTrue(wait_until(lambda: daemon.metrics()[gone] == 0, 5))
            self.assertEqual(daemon.metrics()[COMPOSED], before)

    def test_the_time_to_the_first_batch_is_told(self):
        with Daemon("--demo") as daemon:
            client = self.client(self.relay(daemon.tcp))
            self.assertEqual(client.next()[0], libpasted.OK)
            first_s = client.stats().first_batch_ns / 1e9
            told = daemon.metrics()['pasted_stream_first_batch_seconds_sum{stream="default"}']
            self.assertGreater(first_s, 2 * DELAY_MS / 1e3)
            self.assertGreater(first_s, told)  # the server does not see the way
            metrics = daemon.metrics()
            self.assertTrue(0 < metrics["pasted_epoch_budget_used_bytes"] <=
                            metrics["pasted_epoch_budget_bytes"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
