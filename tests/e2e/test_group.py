"""Groups with real processes: members are killed, stopped, join late, leave;
the steps that were acknowledged are exactly the group's, each once, and their
bytes are those of an undisturbed run."""
import collections
import hashlib
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from daemon import Daemon, build_folder  # noqa: E402
import libpasted  # noqa: E402

BATCH = 8


class Member:
    """A process of group_member.py; lines: what it has said so far."""

    def __init__(self, url, group, *words):
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "group_member.py"), url, group, *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            if line.endswith("\n"):
                self.lines.append(line.split())

    def wait_for(self, word, n=1, seconds=30):
        """The nth line that begins with the word."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = [line for line in list(self.lines) if line[0] == word]
            if len(found) >= n:
                return found[n - 1]
            time.sleep(0.01)
        raise AssertionError(f"no {word}: {self.lines}")

    def tell(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self):
        self.process.kill()
        self.finish()

    def finish(self, seconds=60):
        code = self.process.wait(seconds)
        self.reader.join(10)
        self.process.stdin.close()
        self.process.stdout.close()
        return code


class Groups(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon("--demo").__enter__()
        cls.url = (f"pasted://127.0.0.1:{cls.daemon.tcp}/default"
                   f"?batch={BATCH}")
        info = cls.daemon.get("/v1/streams/default").json
        cls.n_steps = -(-info["edges_per_epoch"] // BATCH)

    @classmethod
    def tearDownClass(cls):
        cls.daemon.close()

    def member(self, group, *words):
        member = Member(self.url, group, *words)
        self.addCleanup(lambda: member.process.poll() is None and
                        member.kill())
        return member

    def report(self, group):
        return self.daemon.get(f"/v1/streams/default/groups/{group}").json

    def undisturbed(self, n_steps):
        client = libpasted.Client(self.url)
        digests = [hashlib.sha256(client.next()[2]).hexdigest()
                   for _ in range(n_steps)]
        client.close()
        return digests

    def check_epoch(self, group, members, n_steps):
        """Exactly the epoch, each step once, the right bytes."""
        report = self.report(group)
        self.assertTrue(report["ended"], report)
        self.assertEqual(report["acknowledged"], n_steps)
        self.assertEqual(report["acknowledged_ranges"], [[0, n_steps]])
        self.assertEqual(report["open"], [])
        rows = [row["first"] + i for row in report["rows"]
                for i in range(row["steps"])]
        self.assertEqual(rows, list(range(n_steps)))
        digests = self.undisturbed(n_steps)
        got, acked = collections.Counter(), collections.Counter()
        for member in members:
            for line in member.lines:
                if line[0] == "GOT":
                    got[int(line[1])] += 1
                    self.assertEqual(line[3], digests[int(line[1])])
                elif line[0] == "ACK" and int(line[2]) == 0:
                    acked[int(line[1])] += 1
        self.assertEqual(set(got), set(range(n_steps)))
        self.assertLessEqual(max(acked.values()), 1)
        return acked

    def test_members_killed_at_random_leave_no_gap(self):
        seed = int(os.environ.get("PASTED_TEST_SEED", time.time_ns() % 10**6))
        chance = random.Random(seed)
        group, words = "killed", ("epochs=1", "pause=0.25", "prefetch=3",
                        "lease_ms=1500")  # what a killed one holds so long
        members = [self.member(group, *words) for _ in range(4)]
        alive, n_killed = list(members), 0
        while n_killed < 8:
            time.sleep(0.1 + 0.2 * chance.random())
            victim = chance.choice(alive)
            if victim.process.poll() is not None:
                break
            victim.kill()
            n_killed += 1
            alive.remove(victim)
            alive.append(self.member(group, *words))
            members.append(alive[-1])
        with self.subTest(seed=seed):
            self.assertGreaterEqual(n_killed, 4, "the epoch was too short")
            self.assertEqual([m.finish() for m in alive], [0] * 4)
            acked = self.check_epoch(group, members, self.n_steps)
            # A kill between the server's answer and the member's line.
            self.assertGreaterEqual(len(acked), self.n_steps - n_killed)
            self.assertGreaterEqual(
                self.report(group)["deliveries"], self.n_steps)

    def test_a_stopped_member_is_refused(self):
        words = ("steps=6", "lease_ms=500", "prefetch=2")
        stopped = self.member("stopped", "hold", "member=stopped", *words)
        step = stopped.wait_for("GOT")[1]
        stopped.process.send_signal(signal.SIGSTOP)
        other = self.member("stopped", "member=other", *words)
        self.assertEqual(other.finish(), 0)
        stopped.process.send_signal(signal.SIGCONT)
        stopped.tell()
        self.assertEqual(stopped.wait_for("ACK"),
                         ["ACK", step, str(libpasted.LEASE_LOST)])
        self.assertEqual(stopped.finish(), 0)
        self.assertEqual(stopped.lines[-1], ["END", str(libpasted.ENDED)])
        self.check_epoch("stopped", [stopped, other], 6)
        report = self.report("stopped")
        names = {m["name"]: m for m in report["members"]}
        self.assertEqual(names["stopped"]["refused"], 1)
        self.assertEqual(names["other"]["acknowledged"], 6)
        self.assertEqual({row["member"] for row in report["rows"]}, {"other"})
        self.assertEqual(report["rows"][0]["deliveries"], 2)

    def test_the_next_batch_acknowledges_the_one_before(self):
        client = libpasted.Client(self.url, group="silent", steps=5)
        for _ in range(5):
            self.assertEqual(client.next()[0], libpasted.OK)
        self.assertEqual(client.next()[0], libpasted.ENDED)
        self.assertEqual(client.next()[0], libpasted.ENDED)
        self.assertEqual(client.stats().acks, 5)
        self.assertEqual(client.ack(), libpasted.BAD_STATE)
        client.close()
        self.assertEqual(self.report("silent")["acknowledged"], 5)

    def test_late_joiners_and_leavers(self):
        first = libpasted.Client(self.url, group="door", steps=8, prefetch=1)
        self.assertEqual(first.next()[0], libpasted.OK)
        self.assertEqual(first.ack(), libpasted.OK)
        self.assertEqual(first.ack(), libpasted.BAD_STATE)
        late = libpasted.Client(self.url, group="door", steps=8, prefetch=1)
        first.close()  # without the batch that it had ahead
        seen = []
        while (answer := late.next())[0] == libpasted.OK:
            seen.append(late.lease.step)
        self.assertEqual(answer[0], libpasted.ENDED)
        self.assertEqual(sorted(seen), list(range(1, 8)))
        late.close()

    def test_steps_in_shared_memory_are_leased_too(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "socket")
            with Daemon("--demo", "--unix", path) as daemon:
                url = f"pasted+unix://{path}?stream=default&batch={BATCH}"
                # One thread for both: neither may hold a step ahead.
                members = [libpasted.Client(url, group="ring", steps=20,
                                            prefetch=0) for _ in range(2)]
                digests, alive = self.undisturbed(20), list(members)
                while alive:
                    for member in list(alive):
                        status, _, data = member.next()
                        if status == libpasted.ENDED:
                            alive.remove(member)
                            continue
                        self.assertEqual(hashlib.sha256(data).hexdigest(),
                                         digests[member.lease.step])
                        self.assertEqual(member.ack(), libpasted.OK)
                stats = [member.stats() for member in members]
                self.assertEqual(sum(s.acks for s in stats), 20)
                self.assertGreater(sum(s.mapped for s in stats), 0)
                for member in members:
                    member.close()
                report = daemon.get("/v1/streams/default/groups/ring").json
                self.assertEqual(report["acknowledged_ranges"], [[0, 20]])

    def test_pastectl_takes_part_and_tells(self):
        server = f"127.0.0.1:{self.daemon.tcp}"

        def pastectl(*words):
            return subprocess.run(
                [os.path.join(build_folder(), "client", "pastectl"), *words,
                 "--server", server], capture_output=True, text=True,
                timeout=60)

        client = libpasted.Client(self.url, group="told", member="lib",
                                  steps=3, prefetch=1)
        for _ in range(2):
            self.assertEqual(client.next()[0], libpasted.OK)
        told = pastectl("group", "told")
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertRegex(told.stdout, r"acknowledged  1 of [23] begun")
        self.assertRegex(told.stdout, r"lib +yes +[12] +[23] +1 +0")
        self.assertRegex(told.stdout, r"from step 0 +1 by lib, delivered 1")
        names = pastectl("group", "--stream", "default").stdout.split()
        self.assertIn("told", names)
        nobody = pastectl("group", "nobody")
        self.assertEqual((nobody.returncode, nobody.stdout), (3, ""))
        self.assertIn('no group "nobody"', nobody.stderr)
        with tempfile.TemporaryDirectory() as folder:
            pulled = pastectl("pull", "--group", "pulled", "--steps", "2",
                              "--out", os.path.join(folder, "a.npz"))
        self.assertEqual(pulled.returncode, 0, pulled.stderr)
        self.assertEqual(self.report("pulled")["acknowledged"], 2)
        client.close()
        raw = pastectl("group", "told", "--json", "--stream", "default")
        self.assertEqual(json.loads(raw.stdout), self.report("told"))

    def test_other_terms_are_refused(self):
        client = libpasted.Client(self.url, group="terms", steps=8)
        for key, value in (("steps", 9), ("position", 8)):
            with self.assertRaisesRegex(RuntimeError, rf"-24: .*{key}"):
                libpasted.Client(self.url, group="terms",
                                 **({"steps": 8} | {key: value}))
        with self.assertRaisesRegex(RuntimeError, "-24: .*world"):
            libpasted.Client(self.url + "&world=2", group="terms", steps=8)
        client.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
