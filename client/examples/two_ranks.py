"""Two processes share every batch, average their gradients, are killed in the
middle and continue: same batches, same weights as without the interruption.

    python3 client/examples/two_ranks.py pasted://127.0.0.1:7700

Each rank reads its slice of the global batch and keeps a chain of digests over
it. They train a softmax regression; gradients go through torch.distributed
(gloo) where torch is installed, else (or with --numpy) through a pipe. Every
few steps each rank saves one file; a restart takes the newest step that both
have saved.
"""
from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import multiprocessing
import os
import pathlib
import shutil
import sys
import tempfile
import time
from typing import Any, Dict, List, Optional

import numpy as np

try:
    import pasted
except ImportError:  # not installed: that of this checkout
    sys.path.insert(0, os.fspath(pathlib.Path(__file__).resolve().parents[1]
                                 / "python"))
    import pasted

WORLD = 2
SAVE_EVERY = 3      # steps
RATE = 2.0          # over the number of inputs
PATIENCE = datetime.timedelta(seconds=60)


# -- gradients --------------------------------------------------------------

class Pipe:
    """The mean of two ranks' arrays, without torch."""

    def __init__(self, rank: int, connection) -> None:
        self.options = {"rank": rank, "world": WORLD}
        self._connection = connection

    def average(self, array: np.ndarray) -> np.ndarray:
        if self.options["rank"] == 0:  # both sending fills the pipe for ever
            self._connection.send_bytes(array.tobytes())
            received = self._connection.recv_bytes()
        else:
            received = self._connection.recv_bytes()
            self._connection.send_bytes(array.tobytes())
        other = np.frombuffer(received, array.dtype)
        return (array + other.reshape(array.shape)) / WORLD

    def close(self) -> None:
        self._connection.close()


class Gloo:
    """torch.distributed. pasted.Loader takes rank and world from it."""

    options: Dict[str, int] = {}

    def __init__(self, rank: int, store: str) -> None:
        import torch
        self._torch = torch
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{store}", rank=rank,
            world_size=WORLD, timeout=PATIENCE)

    def average(self, array: np.ndarray) -> np.ndarray:
        tensor = self._torch.from_numpy(array.copy())
        self._torch.distributed.all_reduce(tensor)
        return tensor.numpy() / WORLD

    def close(self) -> None:
        """Ends gloo's threads before the interpreter ends under them."""
        self._torch.distributed.destroy_process_group()


def has_torch() -> bool:
    try:
        import torch
    except ImportError:
        return False
    return torch.distributed.is_available()


# -- one rank ---------------------------------------------------------------

def gradient_of(weights: np.ndarray, image: np.ndarray,
                label: np.ndarray) -> np.ndarray:
    """Of the mean cross entropy. weights [inputs,classes], image [n,...] u8."""
    x = image.reshape(len(image), -1).astype(np.float32) / 255 - 0.5
    scores = x @ weights
    scores = np.exp(scores - scores.max(1, keepdims=True))
    scores /= scores.sum(1, keepdims=True)
    scores[np.arange(len(label)), label] -= 1
    return x.T @ scores / len(label)


def state_file(folder: pathlib.Path, rank: int, step: int) -> pathlib.Path:
    return folder / f"rank{rank}-{step:06}.npz"


def save(folder: pathlib.Path, rank: int, step: int, state: Dict[str, Any]
         ) -> None:
    """Whole or not at all: a kill may come at any time."""
    path = state_file(folder, rank, step)
    beside = path.with_suffix(".new")
    with open(beside, "wb") as f:
        np.savez(f, **state)
    os.replace(beside, path)


def newest_step(folder: pathlib.Path) -> Optional[int]:
    """That every rank has saved."""
    saved = [{int(p.stem.split("-")[1]) for p in folder.glob(f"rank{r}-*.npz")}
             for r in range(WORLD)]
    return max(set.intersection(*saved), default=None)


def train(rank: int, url: str, steps: int, folder: pathlib.Path,
          step: Optional[int], exchange) -> None:
    """Steps of one rank, from the saved `step` on, or from the start."""
    with pasted.Loader(url, framework="numpy", **exchange.options) as loader:
        digest, weights = "", None
        if step is not None:
            with np.load(state_file(folder, rank, step)) as saved:
                digest, weights = str(saved["digest"]), saved["weights"]
                loader.load_state_dict(json.loads(str(saved["loader"])))
        batches = iter(loader)
        for step in range(step or 0, steps):
            image, label = next(batches)
            digest = pasted.chain_digest(digest, (image, label))
            if weights is None:
                weights = np.zeros((image[0].size, loader.client.info[
                    "n_classes"]), np.float32)
            gradient = exchange.average(gradient_of(weights, image, label))
            weights = weights - np.float32(RATE / len(weights)) * gradient
            if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
                save(folder, rank, step + 1, {
                    "digest": digest, "weights": weights,
                    "loader": json.dumps(loader.state_dict())})


def rank_main(rank: int, url: str, steps: int, folder: str,
              step: Optional[int], connection) -> None:
    """In a process of its own; connection is None where gloo is used."""
    store = os.path.join(folder, f"store-{step}")
    exchange = (Gloo(rank, store) if connection is None
                else Pipe(rank, connection))
    train(rank, url, steps, pathlib.Path(folder), step, exchange)
    exchange.close()


# -- both -------------------------------------------------------------------

def start(args: argparse.Namespace, folder: pathlib.Path
          ) -> List[multiprocessing.process.BaseProcess]:
    """Both ranks, from what the folder holds."""
    spawn = multiprocessing.get_context("spawn")
    ends = spawn.Pipe() if args.numpy else (None, None)
    ranks = [spawn.Process(target=rank_main, args=(
        r, args.url, args.steps, os.fspath(folder), newest_step(folder),
        ends[r]), daemon=True) for r in range(WORLD)]
    for process in ranks:
        process.start()
    return ranks


def finish(ranks) -> None:
    for process in ranks:
        process.join()
        if process.exitcode != 0:
            raise SystemExit(f"a rank ended with {process.exitcode}")


def kill_after(ranks, folder: pathlib.Path, step: int) -> int:
    """SIGKILL for both as soon as that step is saved, wherever they are then;
    the step from which they can continue."""
    while (newest_step(folder) or 0) < step:
        if not all(process.is_alive() for process in ranks):
            raise SystemExit("a rank ended before it was killed")
        time.sleep(0.001)
    for process in ranks:
        process.kill()
    for process in ranks:
        process.join()
    return newest_step(folder)


def ends_of(folder: pathlib.Path, steps: int) -> List[str]:
    """Of both ranks: the last link of the chain, and of the weights."""
    lines = []
    for rank in range(WORLD):
        with np.load(state_file(folder, rank, steps)) as saved:
            weights = hashlib.sha256(saved["weights"].tobytes()).hexdigest()
            lines.append(f"rank {rank}: batches {str(saved['digest'])[:16]}, "
                         f"weights {weights[:16]}")
    return lines


def run(args: argparse.Namespace, kill_at: Optional[int]) -> List[str]:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="two-ranks-"))
    try:
        ranks = start(args, folder)
        if kill_at is not None:
            step = kill_after(ranks, folder, kill_at)
            print(f"killed; both had saved step {step} of {args.steps}",
                  flush=True)
            ranks = start(args, folder)
        finish(ranks)
        return ends_of(folder, args.steps)
    finally:
        shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("url", nargs="?", default="pasted://127.0.0.1:7700")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--numpy", action="store_true",
                        help="a pipe instead of torch.distributed")
    args = parser.parse_args()
    if args.steps < 2 * SAVE_EVERY:
        parser.error(f"--steps must be at least {2 * SAVE_EVERY}")
    args.numpy = args.numpy or not has_torch()
    print("gradients through", "a pipe" if args.numpy else "gloo",
          flush=True)
    whole = run(args, None)
    print("uninterrupted:", *whole, sep="\n  ")
    resumed = run(args, args.steps // 2)
    print("killed and restarted:", *resumed, sep="\n  ")
    if resumed != whole:
        raise SystemExit("they differ")
    print("the same batches in the same order, and the same weights")


if __name__ == "__main__":
    main()
