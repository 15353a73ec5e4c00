"""libpasted reads from a real daemon through a wire that flips bits: what is handed out is right,
byte for byte and in order; what was damaged is fetched again; the connection recovers."""
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from daemon import Daemon  # noqa: E402
from flipper import Flipper  # noqa: E402
import libpasted  # noqa: E402

BATCH, STEPS = 32, 60  # 390 KiB a batch
TRIES = 200


def address(port):
    return f"pasted://127.0.0.1:{port}/default"


class Flipped(unittest.TestCase):
    def setUp(self):
        daemon = Daemon("--demo")
        daemon.__enter__()
        self.addCleanup(daemon.close)
        self.daemon = daemon
        reference = libpasted.Client(address(daemon.tcp), batch=BATCH)
        self.expected = [reference.next() for _ in range(STEPS)]
        reference.close()

    def client(self, flipper, **options):
        """Opens through the wire, which may take more than one try."""
        for _ in range(TRIES):
            try:
                client = libpasted.Client(address(flipper.port), batch=BATCH, timeout_ms=5000,
                                          connect_timeout_ms=1000, **options)
            except RuntimeError:
                continue
            self.addCleanup(client.close)
            return client
        self.fail("not once was an opening undamaged")

    def read_all(self, client):
        """Every step until the last, right and in order; how often the client had to be asked."""
        got, asked = [], 0
        while len(got) < STEPS and asked < STEPS + TRIES:
            asked += 1
            status, position, image = client.next()
            if status != libpasted.OK:
                continue
            self.assertEqual(position, len(got) * BATCH)
            self.assertEqual(image, self.expected[len(got)][2], f"step {len(got)}")
            got.append(position)
        self.assertEqual(len(got), STEPS, client.error())
        return asked

    def test_in_batches(self):
        """A flip in each second batch or so: found by its checksum and pulled again."""
        for checksum in ("crc32", "xxh3"):
            with self.subTest(checksum), Flipper(self.daemon.tcp, to_client=1e-6) as flipper:
                client = self.client(flipper, checksum=checksum)
                self.read_all(client)
                stats = client.stats()
                print(f"{checksum}: {flipper.flipped} flips, {stats.corrupt} batches again, "
                      f"{stats.reconnects} connections again", file=sys.stderr)
                self.assertGreater(stats.corrupt, 0)
                self.assertGreater(flipper.flipped, 5)

    def test_in_what_the_client_says(self):
        """Its frames are small: one byte in 300, so that each fifth one is damaged."""
        with Flipper(self.daemon.tcp, to_server=1 / 300) as flipper:
            client = self.client(flipper, prefetch=1)
            self.read_all(client)
            self.assertGreater(flipper.flipped, 5)
            self.assertGreater(client.stats().reconnects, 0)
            self.assertEqual(client.stats().corrupt, 0)

    def test_in_both_directions_until_the_wire_heals(self):
        with Flipper(self.daemon.tcp, to_client=5e-6, to_server=1e-2, seed=3) as flipper:
            client = self.client(flipper)
            for _ in range(30):
                status, position, image = client.next()
                if status == libpasted.OK:
                    self.assertEqual(image, self.expected[position // BATCH][2])
            flipper.quiet = True
            at = client.position()
            for _ in range(20):  # ends what it still has of the damaged connection
                status, position, image = client.next()
                if status == libpasted.OK:
                    break
            self.assertEqual((status, position), (libpasted.OK, at), client.error())
            self.assertEqual(image, self.expected[position // BATCH][2])
        self.assertEqual(self.daemon.get("/readyz").status, 200)

    def test_a_group_is_delivered_whole(self):
        """LEASE, ACK and ACKED damaged: each step is acknowledged once."""
        with Flipper(self.daemon.tcp, to_client=1e-6, to_server=1e-3) as flipper:
            client = self.client(flipper, group="noisy", steps=STEPS, lease_ms=2000)
            seen = set()
            for _ in range(STEPS + TRIES):
                status, position, image = client.next()
                if status == libpasted.ENDED:
                    break
                if status == libpasted.OK:
                    self.assertEqual(image, self.expected[position // BATCH][2])
                    seen.add(position)
            self.assertEqual(status, libpasted.ENDED, client.error())
            self.assertEqual(seen, {i * BATCH for i in range(STEPS)})
            group = self.daemon.get("/v1/streams/default/groups/noisy").json
            self.assertEqual(group["acknowledged"], STEPS)


if __name__ == "__main__":
    unittest.main()
