"""One rendering for all who ask: the counter of composed samples shows that
trainers of the same steps share them, how far behind one may be, and that a
replay composes its round once."""
import hashlib
import pathlib
import socket
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "protocol")]
from daemon import Daemon  # noqa: E402
from held import RESET, greeted, wait_until  # noqa: E402
import libpasted  # noqa: E402
import stdlib_wire as wire  # noqa: E402

COMPOSED = "pasted_samples_composed_total"
JOINED = 'pasted_batch_requests_total{answer="joined"}'
ABANDONED = "pasted_batches_abandoned_total"
CACHED = 'pasted_batch_requests_total{answer="cached"}'


def url(daemon, batch):
    return f"pasted://127.0.0.1:{daemon.tcp}/default?batch={batch}"


def settled(daemon):
    """The metrics once nothing is composed ahead any more."""
    before = None
    while (now := daemon.metrics()[COMPOSED]) != before:
        before = now
        time.sleep(0.3)
    return daemon.metrics()


def pull(daemon, batch, n_steps, delay_s=0.0, **options):
    """Digests of n_steps; prefetch=0: nothing beyond them is asked for."""
    client = libpasted.Client(url(daemon, batch), prefetch=0, **options)
    digests = []
    for _ in range(n_steps):
        status, position, data = client.next()
        assert status == libpasted.OK, client.error()
        digests.append((position, hashlib.sha256(data).hexdigest()))
        time.sleep(delay_s)
    client.close()
    return digests


class Sharing(unittest.TestCase):
    def test_eight_trainers_compose_what_one_does(self):
        batch, n_steps = 64, 40
        with Daemon("--demo") as daemon:
            results = [None] * 8

            def trainer(i):
                time.sleep(0.02 * i)  # staggered, some at the same moment
                results[i] = pull(daemon, batch, n_steps, 0.002 * (i % 3))

            threads = [threading.Thread(target=trainer, args=(i,))
                       for i in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(120)
            self.assertEqual(len(results[0]), n_steps)
            self.assertTrue(all(r == results[0] for r in results))
            after = settled(daemon)
            self.assertEqual(after[COMPOSED], batch * n_steps)
            self.assertEqual(after[JOINED] + after[CACHED], 7 * n_steps)

    def test_requests_in_flight_are_joined(self):
        with Daemon("--demo") as daemon:
            barrier = threading.Barrier(8)

            def trainer():
                client = libpasted.Client(url(daemon, 1024), prefetch=0)
                barrier.wait()
                client.next()
                client.close()

            threads = [threading.Thread(target=trainer) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(120)
            after = settled(daemon)
            self.assertEqual(after[COMPOSED], 1024)
            self.assertGreater(after[JOINED], 0)

    def test_beyond_the_window_a_step_is_composed_again(self):
        """The window is what the budget holds: a trainer further behind than
        that pays for its own."""
        batch, budget = 64, 16 << 20
        with Daemon("--demo", "--batch-budget", str(budget)) as daemon:
            client = libpasted.Client(url(daemon, batch), prefetch=0)
            batch_bytes = len(client.next()[2])
            client.close()
            window = budget // batch_bytes
            pull(daemon, batch, 3 * window)
            self.assertEqual(settled(daemon)[COMPOSED], 3 * window * batch)
            pull(daemon, batch, 1, position=(3 * window - 2) * batch)
            self.assertEqual(settled(daemon)[COMPOSED], 3 * window * batch)
            pull(daemon, batch, 2)
            self.assertEqual(settled(daemon)[COMPOSED],
                             (3 * window + 2) * batch)

    def test_a_burst_of_abandoned_pulls_costs_little(self):
        batch, n_sessions, n_pulls = 1024, 8, 16
        with Daemon("--demo", "--workers", "1") as daemon:
            pull(daemon, batch, 1)  # epochs are built
            before = settled(daemon)[COMPOSED]
            for session in range(n_sessions):
                peer = greeted(daemon).open(batch=batch)
                for i in range(1, n_pulls + 1):
                    peer.at(wire.PULL, 10 + i, (session * n_pulls + i) * batch)
                self.assertTrue(wait_until(
                    lambda: daemon.metrics()["pasted_worker_queue_jobs"] > 2))
                peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                peer.sock.close()
            after = settled(daemon)
            asked = n_sessions * n_pulls * batch
            print(f"of {asked} samples {after[COMPOSED] - before:.0f} composed")
            self.assertLess(after[COMPOSED] - before, asked / 8)
            self.assertGreater(after[ABANDONED], 0)
            self.assertEqual(len(pull(daemon, batch, 2)), 2)

    def test_a_replay_composes_its_round_once(self):
        batch, n, rounds = 32, 5, 4
        with Daemon("--demo") as daemon:
            got = pull(daemon, batch, n * rounds, position=96, replay=n)
            self.assertEqual(got[:n] * rounds, got)
            self.assertEqual([position for position, _ in got[:n]],
                             [96 + batch * i for i in range(n)])
            self.assertEqual(settled(daemon)[COMPOSED], batch * n)
            self.assertEqual(got[:n], pull(daemon, batch, n, position=96))
            with self.assertRaisesRegex(RuntimeError, "-5: .*the cache keeps"):
                pull(daemon, batch, 1, replay=10**6)

    def test_a_replay_with_prefetch_and_a_seek(self):
        with Daemon("--demo") as daemon:
            client = libpasted.Client(url(daemon, 32), replay=3, prefetch=8)
            first = [client.next()[1] for _ in range(10)]
            self.assertEqual(first, [0, 32, 64] * 3 + [0])
            self.assertEqual(client.position(), 32)
            client.check(client.seek(320))
            self.assertEqual([client.next()[1] for _ in range(5)],
                             [320, 352, 384, 320, 352])
            client.close()
            self.assertEqual(settled(daemon)[COMPOSED], 6 * 32)


if __name__ == "__main__":
    unittest.main(verbosity=2)
