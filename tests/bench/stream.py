"""What reaches a trainer of this host, beside composing without a hand-off: images/s over the
ring, a Unix stream and TCP, a raw loopback socket, and what of a processor the client takes.

    python3 tests/bench/stream.py [--seconds S] [--rounds N] [--sizes 64,224] [--cores 1,2]
    python3 tests/bench/stream.py --way ring --sizes 224 --cores 2    (one figure, the last printed)

One composing core leaves the other to the client; with two, daemon and client share both. All
ways take turns within each round, so that the ratios hold on a machine whose clock wanders; a
ratio is the median of the rounds' ratios. PASTED_BUILD names the build (build/release)."""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

BUILD = pathlib.Path(os.environ.get("PASTED_BUILD", "build/release"))
BATCH_BYTES = 16 << 20  # as the compose benchmark's rounds


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=600)
    if done.returncode:
        raise SystemExit(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def compose(size, cores, seconds):
    """Images/s without a hand-off."""
    text = run(BUILD / "tests/bench/compose", "--demo", "--size", size, "--cores", cores,
               "--seconds", seconds)
    return float(text.split()[-1])


ROW = re.compile(r"^(stream, ring|stream|memcpy|read|raw loopback socket|raw, woken per MB) +(\d+) "
                 r"+([\d.]+) +\S+ +\S+ +([\d.]+)$", re.MULTILINE)


READING = re.compile(r"^of the ring, reading +([\d.]+)$", re.MULTILINE)


def bench(server, batch, seconds, *more):
    """{way: (images/s, CPU s/GiB)} of pastectl bench."""
    text = run(BUILD / "client/pastectl", "--server", server, "bench", "--batch", batch,
               "--seconds", seconds, *more)
    rows = {way: (float(images), float(cpu)) for way, images, _, cpu in ROW.findall(text)}
    wanted = "stream, ring" if not more and server.startswith("unix:") else "stream"
    assert wanted in rows, f"{wanted} is not in\n{text}"
    rows["stream"] = rows[wanted]
    if reading := READING.search(text):
        rows["reading"] = (rows["stream"][0], float(reading[1]))
    return rows


class Daemon:
    """The daemon with so many composing threads; a context manager."""

    def __init__(self, size, cores):
        self.folder = tempfile.TemporaryDirectory(prefix="pasted-")
        self.path = os.path.join(self.folder.name, "pasted.sock")
        recipe = pathlib.Path(self.folder.name, "recipe.json")
        recipe.write_text(json.dumps({"preset": "bench", "size": size}))
        ports = pathlib.Path(self.folder.name, "ports.json")
        self.process = subprocess.Popen(
            [str(BUILD / "server/pasted"), "--demo", "--recipe", str(recipe), "--workers",
             str(cores), "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--unix", self.path,
             "--port-file", str(ports)],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if " ready: " in line:
                break
        else:
            raise SystemExit("the daemon did not start")
        self.tcp = "127.0.0.1:%d" % json.loads(ports.read_text())["tcp"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate(timeout=30)
        self.folder.cleanup()


def one_round(daemon, size, cores, seconds):
    """name -> (images/s, CPU s/GiB or None)."""
    batch = max(1, BATCH_BYTES // (size * size * 3))
    found = {"composing, no hand-off": (compose(size, cores, seconds), None)}
    ring = bench(f"unix:{daemon.path}", batch, 4 * seconds)
    unix = bench(f"unix:{daemon.path}", batch, 4 * seconds, "--ring", "off")
    tcp = bench(daemon.tcp, batch, 4 * seconds)
    bare = bench(daemon.tcp, batch, 4 * seconds, "--checksum", "none")
    found["ring"] = ring["stream"]
    found["ring, reading alone"] = ring["reading"]
    found["Unix stream"] = unix["stream"]
    found["TCP"] = tcp["stream"]
    found["TCP, no checksum"] = bare["stream"]
    found["raw TCP loopback"] = tcp["raw loopback socket"]
    found["raw, woken per MB"] = tcp["raw, woken per MB"]
    found["bare read of memory"] = ring["read"]
    found["memcpy"] = ring["memcpy"]
    return found


# The raw ways have both cores to themselves, and their memory is one block again and again. What
# the ring's client reads, another core has just written, and it slept before: so the reading alone
# stands beside it.
CPU_OVER = {"ring": "bare read of memory", "ring, reading alone": "bare read of memory",
            "TCP": "raw TCP loopback", "TCP, no checksum": "raw TCP loopback",
            "Unix stream": "raw TCP loopback"}


def report(size, cores, rounds):
    print(f"\n{size} px, {cores} composing core(s), {len(rounds)} rounds; load "
          f"{os.getloadavg()[0]:.1f}")
    print(f"{'':24}{'images/s':>10}{'spread':>18}{'/ no hand-off':>15}{'/ raw':>8}"
          f"{'CPU s/GiB':>11}{'/ bare':>8}")
    base, raw = "composing, no hand-off", "raw TCP loopback"
    for name in rounds[0]:
        rates = sorted(r[name][0] for r in rounds)
        line = f"{name:24}{statistics.median(rates):10.0f}{rates[0]:9.0f}..{rates[-1]:<7.0f}"
        line += f"{statistics.median(r[name][0] / r[base][0] for r in rounds):15.3f}"
        line += f"{statistics.median(r[name][0] / r[raw][0] for r in rounds):8.3f}"
        cpu = [r[name][1] for r in rounds]
        if None not in cpu:
            line += f"{statistics.median(cpu):11.3f}"
        if name in CPU_OVER:
            over = [r[name][1] / max(r[CPU_OVER[name]][1], 1e-9) for r in rounds]
            line += f"{statistics.median(over):8.2f}"
        print(line, flush=True)


WAYS = {"ring": ("unix:{path}",), "unix": ("unix:{path}", "--ring", "off"), "tcp": ("{tcp}",)}


def one_way(way, size, cores, seconds):
    """Images/s that way, printed last: for a benchmark that takes turns with others. Sent once
    before, so that the daemon's memory is touched."""
    batch = max(1, BATCH_BYTES // (size * size * 3))
    with Daemon(size, cores) as daemon:
        server, *more = (part.format(path=daemon.path, tcp=daemon.tcp) for part in WAYS[way])
        for _ in range(2):
            images, _ = bench(server, batch, 4 * seconds, *more)["stream"]
    print(f"{way}, {size} px, {cores} composing core(s), images per second: {images:.0f}")


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=int, default=2, help="for each way and round")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--sizes", default="64,224")
    options.add_argument("--cores", default="1,2")
    options.add_argument("--way", choices=WAYS, help="print one figure, images/s that way")
    given = options.parse_args()
    if given.way:
        one_way(given.way, int(given.sizes), int(given.cores), given.seconds)
        return
    for size in map(int, given.sizes.split(",")):
        for cores in map(int, given.cores.split(",")):
            with Daemon(size, cores) as daemon:
                for server in (f"unix:{daemon.path}", daemon.tcp):  # touches its memory
                    bench(server, max(1, BATCH_BYTES // (size * size * 3)), 4 * given.seconds)
                rounds = [one_round(daemon, size, cores, given.seconds)
                          for _ in range(given.rounds)]
            report(size, cores, rounds)


if __name__ == "__main__":
    main()
