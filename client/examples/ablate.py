"""Prints the ablation table of the digits: what each part brings, by the same
training with and without it, two seeds each.

    python3 client/examples/ablate.py --objects FONT --backgrounds DIR \\
        --evaluate mnist.npz --results ablation.jsonl

Results are kept in a file, a line for each run, so that none is run twice: an
interrupted table is continued by the same command. Trains nothing itself
(train_digits.py does) and chooses nothing.
"""
from __future__ import annotations

import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import threading
from typing import Any, Dict, List, Optional, Tuple

HERE = pathlib.Path(__file__).resolve().parent
NETWORK = ["--members", "1", "--widths", "16", "32", "64", "--head", "128",
           "--pgd", "0", "--threads", "1"]


def _contexts(**weights: float) -> List[str]:
    """The recipe's contexts: only these, by weight."""
    kinds = ("background", "noise", "solid", "gaussian_noise", "gradient",
             "texture")
    return [f"--set=/context/{kind}={weights.get(kind, 0)}"
            for kind in kinds]


BLACK = _contexts(solid=1) + ["--set=/context/solid_colour=[0,0,0]"]
CHAIN = ['--set=/chain={"slots":50,"reset":0.212,"max_length":16}']

DISTRACTOR = ['--set=/distractor={"probability":0.3,"scale":[0.3,0.6]}']

# group, what is different from the first row, arguments of train_digits.py
ROWS: List[Tuple[str, str, List[str]]] = [
    ("all", "everything below as in digits.json, no PGD", []),
    ("all", "baseline: independent pairs, fresh noise",
     _contexts(noise=1) + ['--set=/graph/pairing="independent"']),
    ("pairing", "independent", ['--set=/graph/pairing="independent"']),
    ("order", "dealt", ['--set=/graph/order="dealt"']),
    ("order", "shuffled", ['--set=/graph/order="shuffled"']),
    ("contexts", "black", BLACK),
    ("contexts", "noise", _contexts(noise=1)),
    ("contexts", "photographs", _contexts(background=1)),
    ("contexts", "textures and gradients", _contexts(texture=1, gradient=1)),
    ("shape", "no stroke", ["--set=/object/stroke=0"]),
    ("shape", "no elastic", ["--set=/object/elastic=0"]),
    ("shape", "no perspective", ["--set=/object/perspective=0"]),
    ("hard", "chain, each on the composite 50 before", CHAIN),
    ("hard", "distractors of any class", DISTRACTOR),
    ("hard", "confusable pairs: distractors of the class it is taken for",
     DISTRACTOR + ["--feedback", "100"]),
    ("hard", "worst of 4 poses", ["--candidates", "4"]),
    ("hard", "PGD, 2 steps", ["--pgd", "2"]),
    ("hard", "PGD and chain", ["--pgd", "2"] + CHAIN),
    ("hard", "PGD, 2 steps, an epsilon of 0 on the object",
     ["--pgd", "2", "--epsilon-object", "0"]),
    ("training", "no label smoothing", ["--smoothing", "0"]),
    ("training", "no averaged weights", ["--average", "0"]),
    ("data", "OpenCV in this process", ["--opencv"]),
    ("data", "OpenCV in this process, PGD", ["--opencv", "--pgd", "2"]),
]


def key_of(arguments: List[str], images: int, seed: int) -> str:
    return json.dumps([arguments, images, seed])


class Results:
    """The file of results: one JSON object a line, by key."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path, self.known = path, {}
        self._lock = threading.Lock()
        if path.exists():
            for line in path.read_text().splitlines():
                result = json.loads(line)
                self.known[result["key"]] = result

    def add(self, result: Dict[str, Any]) -> None:
        with self._lock:
            self.known[result["key"]] = result
            with self.path.open("a") as f:
                f.write(json.dumps(result) + "\n")


def run(arguments: List[str], args: argparse.Namespace, seed: int,
        results: Results) -> None:
    """One training, unless its line is there."""
    key = key_of(arguments, args.images, seed)
    if key in results.known:
        return
    command = [sys.executable, str(HERE / "train_digits.py"), "--quiet",
               "--objects", args.objects, "--backgrounds", args.backgrounds,
               "--evaluate", args.evaluate, "--images", str(args.images),
               "--seed", str(seed), *NETWORK, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}:\n{done.stderr}")
    result = json.loads(done.stdout.splitlines()[-1])
    results.add({"key": key, **result})


def row(group: str, name: str, found: List[Dict[str, Any]]) -> str:
    """mean and half the difference of the seeds; shares of the first."""
    accuracy = [result["accuracy"] for result in found]
    mean = sum(accuracy) / len(accuracy)
    spread = (max(accuracy) - min(accuracy)) / 2
    daemon = found[0]["daemon_cpu_share"]
    share = "" if daemon is None else f"{100 * daemon:.0f}"
    return (f"| {group} | {name} | {mean:.1f} | {spread:.1f} | "
            f"{found[0]['cpu_seconds']:.0f} | "
            f"{100 * found[0]['waiting_share']:.0f} | {share} |")


def table(args: argparse.Namespace, results: Results) -> List[str]:
    lines = ["| part | differs by | accuracy | +- | CPU s | waiting % | "
             "daemon's CPU % |", "|---|---|---|---|---|---|---|"]
    for group, name, arguments in chosen(args.only):
        keys = [key_of(arguments, args.images, seed) for seed in args.seeds]
        if all(key in results.known for key in keys):
            lines.append(row(group, name,
                             [results.known[key] for key in keys]))
    return lines


def chosen(only: Optional[str]) -> List[Tuple[str, str, List[str]]]:
    return [r for r in ROWS if only is None or r[0] == only]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--objects", required=True)
    parser.add_argument("--backgrounds", required=True)
    parser.add_argument("--evaluate", required=True, metavar="NPZ")
    parser.add_argument("--results", type=pathlib.Path, required=True,
                        metavar="FILE", help="kept between calls")
    parser.add_argument("--images", type=int, default=40000, help="of a run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--jobs", type=int, default=1, help="runs at once")
    parser.add_argument("--only", choices=sorted({r[0] for r in ROWS}))
    parser.add_argument("--print", action="store_true", dest="no_runs",
                        help="what is known, without training")
    args = parser.parse_args()
    results = Results(args.results)
    if not args.no_runs:
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            for done in [pool.submit(run, arguments, args, seed, results)
                         for _, _, arguments in chosen(args.only)
                         for seed in args.seeds]:
                done.result()
    print("\n".join(table(args, results)))


if __name__ == "__main__":
    main()
