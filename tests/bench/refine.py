"""What a pull on contexts of the trainer's costs beside a plain PULL, over TCP loopback: the time
from asking to having the batch, one at a time, and steps/s with two lanes under way.

    python3 tests/bench/refine.py [--sizes 32,64,224] [--batch 64] [--steps N]

Plain pulls and refined ones take turns, at positions that nobody asked for before, from a daemon
whose memory for batches was all in use before, so that neither pays for its first touch; figures
are medians. PASTED_BUILD names the build (build/release)."""
import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.setdefault("PASTED_BUILD", str(ROOT / "build" / "release")))
os.environ.setdefault("PASTED_LIBRARY", str(BUILD / "client" / "lib" / "libpasted.so.0"))
sys.path[:0] = [str(ROOT / "client" / "python"), str(ROOT / "tests" / "e2e")]

import pasted  # noqa: E402
from daemon import Daemon  # noqa: E402

BUDGET = 32  # batches


def measure(url, batch, steps):
    """(ms of a PULL, ms of a REFINE one at a time, ms a step with two lanes)."""
    slots = 2 * batch
    plain, refined = [], []
    with pasted.connect(f"{url}?batch={batch}&prefetch=0") as client:
        contexts = client.pull(0)["image"]
        for step in range(steps + BUDGET):
            begin = time.perf_counter()
            client.pull(step * batch, copy=False)
            middle = time.perf_counter()
            client.pull_on((1 << 30) + step * batch, contexts, copy=False)
            end = time.perf_counter()
            plain.append(middle - begin)
            refined.append(end - middle)
        at = 1 << 31
        for lane in range(2):
            client.refine(at + lane * batch, contexts)
        begin = time.perf_counter()
        for step in range(steps):
            client.refined(copy=False)
            client.refine(at + slots + step * batch, contexts)
        lanes = (time.perf_counter() - begin) / steps
        for _ in range(2):
            client.refined(copy=False)
    return (1e3 * statistics.median(plain[BUDGET:]), 1e3 * statistics.median(refined[BUDGET:]),
            1e3 * lanes)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="32,64,224")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=60)
    arguments = parser.parse_args()
    print(f"{'px':>4} {'contexts MB':>12} {'PULL ms':>9} {'REFINE ms':>10} {'ratio':>6} "
          f"{'two lanes ms/step':>18}")
    for size in map(int, arguments.sizes.split(",")):
        with tempfile.TemporaryDirectory(prefix="pasted-") as folder:
            path = pathlib.Path(folder) / "daemon.json"
            batch_bytes = arguments.batch * size * size * 3
            path.write_text(json.dumps({
                "batch_budget": BUDGET * batch_bytes,
                "pools": {"demo": {"demo": True}},
                "streams": {"default": {"pool": "demo", "recipe": {
                    "size": size, "chain": {"slots": 2 * arguments.batch, "max_length": 4}}}}}))
            with Daemon("--config", str(path)) as daemon:
                plain, refined, lanes = measure(f"pasted://127.0.0.1:{daemon.tcp}/default",
                                                arguments.batch, arguments.steps)
        megabytes = batch_bytes / 1e6
        print(f"{size:>4} {megabytes:>12.2f} {plain:>9.2f} {refined:>10.2f} "
              f"{refined / plain:>6.2f} {lanes:>18.2f}")


if __name__ == "__main__":
    main()
