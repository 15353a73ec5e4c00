"""Three replicas on hosts of their own, four ranks on another, one epoch: while
replicas are killed, stopped, cut off, unplugged and slowed at random, every
rank receives exactly its slices, once and in order, with the bytes of an
undisturbed run.

PASTED_CHAOS_SECONDS says for how long at least (20); PASTED_CHAOS_DELAY_MS,
"50-100", how much later every byte arrives, each way (no later)."""
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from daemon import build_folder, program
from hosts import Hosts

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = float(os.environ.get("PASTED_CHAOS_SECONDS", "20"))
DELAY_MS = os.environ.get("PASTED_CHAOS_DELAY_MS")
WORLD, BATCH, PORT = 4, 12, 7700
REPLICAS = ("r0", "r1", "r2")
RECIPE = {"size": 16, "seed": 11, "graph": {"objects_per_background": 12}}


class Replica:
    """A daemon on one host, started again after each kill."""

    def __init__(self, hosts, name, folder):
        self.hosts, self.name = hosts, name
        self.log = open(folder / f"{name}.log", "a")
        self.command = [
            program(), "--demo", "--recipe", str(folder / "recipe.json"),
            "--workers", "1", "--tcp", f"{hosts.address(name)}:{PORT}",
            "--http", "127.0.0.1:7780", "--allow-anonymous", "--grace", "1"]
        self.start()

    def close(self):
        self.kill()
        self.log.close()

    def start(self):
        # `ip netns exec` becomes the daemon: its pid is the daemon's.
        self.process = self.hosts.popen(self.name, self.command,
                                        stderr=self.log)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Chaos:
    """One mishap after the other, each mended before the next."""

    def __init__(self, hosts, replicas, seed):
        self.hosts, self.replicas = hosts, replicas
        self.random = random.Random(seed)
        self.done = {}

    def killed(self, replica):
        replica.kill()
        self.pause(0.2, 1.5)
        replica.start()

    def drained(self, replica):
        replica.process.send_signal(signal.SIGTERM)
        replica.process.wait(20)
        replica.start()

    def stopped(self, replica):
        replica.process.send_signal(signal.SIGSTOP)
        self.pause(0.5, 4)
        replica.process.send_signal(signal.SIGCONT)

    def link(self, how, *arguments):
        def mishap(replica):
            getattr(self.hosts, how)(replica.name, *arguments)
            self.pause(0.5, 4)
            self.hosts.mend(replica.name)
        return mishap

    def pause(self, least, most):
        time.sleep(self.random.uniform(least, most))

    def run_while(self, going):
        mishaps = {"killed": self.killed, "drained": self.drained,
                   "stopped": self.stopped, "cut off": self.link("cut"),
                   "unplugged": self.link("unplug"),
                   "lossy": self.link("lose", 0.2),
                   "slow": self.link("slow", "1mbit")}
        while going():
            # A kill comes first: it cannot pass unnoticed.
            name = (self.random.choice(sorted(mishaps)) if self.done
                    else "killed")
            mishaps[name](self.random.choice(self.replicas))
            self.done[name] = self.done.get(name, 0) + 1
            self.pause(0, 0.5)


class Epoch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pasted-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "recipe.json").write_text(json.dumps(RECIPE))
        self.hosts = Hosts(*REPLICAS, "trainer")
        self.hosts.__enter__()
        self.addCleanup(self.hosts.close)
        self.replicas = []
        self.addCleanup(lambda: [r.close() for r in self.replicas])
        for name in REPLICAS:
            self.replicas.append(Replica(self.hosts, name, self.folder))
        for name in REPLICAS if DELAY_MS else ():
            relay = self.hosts.popen("trainer", [
                sys.executable, str(pathlib.Path(__file__).with_name("relay.py")),
                self.endpoint(name).split(":")[1], self.hosts.address(name),
                str(PORT), *DELAY_MS.split("-")])
            self.addCleanup(relay.wait)
            self.addCleanup(relay.kill)

    def endpoint(self, name):
        """Where the trainers reach a replica."""
        if DELAY_MS:
            return f"127.0.0.1:{PORT + 1 + REPLICAS.index(name)}"
        return f"{self.hosts.address(name)}:{PORT}"

    def environment(self):
        return dict(os.environ, PYTHONPATH=str(ROOT / "client" / "python"),
                    PASTED_LIBRARY=str(pathlib.Path(build_folder()).resolve() /
                                       "client" / "lib" / "libpasted.so.0"))

    def ranks(self, servers, steps, pause, tag):
        """Starts one process a rank: [(process, its file)]. Each begins at
        another server, so that all of them are in use."""
        started = []
        for rank in range(WORLD):
            first = rank % len(servers)
            turned = [*servers[first:], *servers[:first]]
            url = ("pasted://" + ",".join(map(self.endpoint, turned))
                   + f"/default?batch={BATCH}")
            path = self.folder / f"{tag}{rank}"
            script = str(pathlib.Path(__file__).with_name("rank.py"))
            process = self.hosts.popen(
                "trainer",
                [sys.executable, script, url, str(rank),
                            str(WORLD), str(steps), str(pause), str(path)],
                env=self.environment())
            self.addCleanup(process.kill)
            started.append((process, path))
        return started

    def wait_for_first_steps(self, ranks):
        end = time.monotonic() + 60
        while not all(path.exists() and path.stat().st_size > 0
                      for _, path in ranks):
            self.assertLess(time.monotonic(), end, "a rank does not begin")
            time.sleep(0.02)

    def finish(self, ranks, timeout):
        """[(rows of a rank, its counters)] once all have ended well."""
        end = time.monotonic() + timeout
        out = []
        for process, path in ranks:
            try:
                code = process.wait(max(1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                for other, _ in ranks:
                    other.kill()
                lines = len(path.read_text().splitlines())
                self.fail(f"{path.name} stands after {lines} steps")
            self.assertEqual(code, 0, path.name)
            *rows, counters = path.read_text().splitlines()
            out.append(([row.split() for row in rows], json.loads(counters)))
        return out

    def edges(self):
        """E of the stream, asked of the first replica once it is ready."""
        script = ("import pasted,sys\n"
                  "with pasted.connect(sys.argv[1]) as c:\n"
                  "    print(c.info['edges_per_epoch'])")
        url = f"pasted://{self.endpoint('r0')}/default"
        end = time.monotonic() + 60
        while True:
            asked = self.hosts.popen(
                "trainer", [sys.executable, "-c", script, url],
                env=self.environment(), stdout=subprocess.PIPE,
                stderr=subprocess.PIPE)
            out, error = asked.communicate(timeout=60)
            if asked.returncode == 0:
                return int(out)
            self.assertLess(time.monotonic(), end, error.decode())
            time.sleep(0.1)

    def test_an_epoch_survives_its_replicas(self):
        edges = self.edges()
        steps = -(-edges // BATCH)  # the last one reaches into the next epoch
        quiet = self.finish(self.ranks(["r0"], steps, 0, "quiet"), 120)
        seed = int(os.environ.get("PASTED_CHAOS_SEED", time.time_ns() % 10**6))
        chaos = Chaos(self.hosts, self.replicas, seed)
        ranks = self.ranks(REPLICAS, steps, SECONDS / steps, "rank")
        self.wait_for_first_steps(ranks)
        chaos.run_while(lambda: any(p.poll() is None for p, _ in ranks))
        stormy = self.finish(ranks, 120 + SECONDS)
        print(f"seed {seed}, {edges} edges; mishaps: {chaos.done}; ranks: "
              + "; ".join(str(counters) for _, counters in stormy),
              file=sys.stderr)
        for rank, ((calm, _), (rough, _)) in enumerate(zip(quiet, stormy)):
            self.assertEqual(calm, rough, f"rank {rank}")
        positions = sorted(int(p) for rows, _ in stormy for row in rows
                           for p in row[3].split(","))
        self.assertEqual(positions, list(range(steps * BATCH)))
        self.assertGreater(sum(c["reconnects"] for _, c in stormy), 0)
        for replica in self.replicas:  # none had died of itself
            self.assertIsNone(replica.process.poll(), replica.name)


if __name__ == "__main__":
    reason = Hosts.missing()
    if reason:
        print("skipped:", reason)
        sys.exit(77)
    unittest.main(verbosity=2)
