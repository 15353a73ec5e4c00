"""Shows how far a classifier leans on backgrounds, by how training paired them
with objects: one table, two seeds.

    python3 client/examples/background_reliance.py

A seed's networks are trained on the demo's objects and nine in ten of its
backgrounds, of which each class has one or two to itself (correlated), all
alike (balanced), or whatever independent draws give; one more on images that
PGD made harder. All are shown the same images afterwards. Reads no photograph;
says nothing about real ones.
"""
from __future__ import annotations

import argparse
import sys
from typing import Any, Dict, List, Mapping

import torch
from torch import Tensor

import options
import training
import pasted
from pasted import robust
from train_signs import Network, has_bf16

ROWS = {"balanced": ("balanced", 0), "independent": ("independent", 0),
        "correlated": ("correlated", 0), "balanced, PGD": ("balanced", 2)}
COLUMNS = ["own", "others'", "unseen", "random start", "previous image"]
SIZE, BATCH = 32, 228             # 57 classes, each 4 times
RECIPE = {
    "size": SIZE, "batch": BATCH,
    "background": {"scale": [0.4, 1]},
    "object": {"scale": [0.35, 0.6], "rotate": [-10, 10],
               "translate": {"x": [0.35, 0.65], "y": [0.35, 0.65]}},
    "image": {"brightness": [0.7, 1.3], "contrast": [0.7, 1.3]},
    "output": {"layout": "nchw"},
}
EXACT = {"brightness": 1, "contrast": 1, "saturation": 1, "hue": 0}
PARTS = ["label", "background", "mask", "plane"]


def stream(pool: str, seed: int, pairing: str, shown: bool) -> Dict[str, Any]:
    """shown: for evaluation, where the image is plane over context exactly."""
    recipe = {**RECIPE, "graph": {"pairing": pairing},
              "labels": {"tensors": PARTS if shown else ["label", "mask"]}}
    if shown:
        recipe["image"] = EXACT
    return {"pool": pool, "seed": seed, "recipe": recipe}


def config(seed: int) -> Dict[str, Any]:
    """A stream of each pairing to train on; `own`, which has the seed of
    `correlated` and so its backgrounds; two of other seeds to be shown."""
    streams = {pairing: stream("train", seed, pairing, False)
               for pairing, _ in ROWS.values()}
    streams["own"] = stream("train", seed, "correlated", True)
    streams["all"] = stream("train", seed + 1000, "balanced", True)
    streams["unseen"] = stream("unseen", seed + 1000, "balanced", True)
    return {"pools": {"train": {"demo": True, "split": "train"},
                      "unseen": {"demo": True, "split": "val"}},
            "streams": streams}


def train(url: str, info: Mapping[str, Any], seed: int,
          args: argparse.Namespace) -> Network:
    torch.manual_seed(seed)
    bf16 = has_bf16()
    model = Network(len(info["classes"]), SIZE, [32, 64, 128], 256, 0.0, bf16)
    batches = training.Batches(url, batch=BATCH, position=0)
    trainer = training.Trainer(model, batches,
                               torch.arange(len(info["classes"])), args)
    training.train(trainer, args, 0.0)
    batches.loader.close()
    model.load_state_dict(trainer.average.kept)
    return model.eval()


class Shown:
    """A fixed number of images of a stream, and what they consist of.

    images [n,3,h,w], masks [n,1,h,w], objects (times alpha) [n,3,h,w], all
    f32 in 0..1; pairs: (class, background) of each.
    """

    def __init__(self, url: str, n: int, position: int = 0) -> None:
        batches = training.Batches(url, batch=BATCH, position=position)
        parts = [batches.next() for _ in range(-(-n // BATCH))]
        batches.loader.close()
        whole = {name: torch.cat([part[name] for part in parts])[:n]
                 for name in ["image"] + PARTS}
        self.images = whole["image"].float() / 255
        self.masks = whole["mask"].unsqueeze(1).float() / 255
        plane = whole["plane"].permute(0, 3, 1, 2)[:, :3]
        self.objects = plane.float() / 255
        self.labels = whole["label"]
        self.pairs = list(zip(self.labels.tolist(),
                              whole["background"].tolist()))

    def only(self, kept: List[bool]) -> "Shown":
        """Those that are kept; changes it."""
        rows = torch.tensor(kept)
        for name in ("images", "masks", "objects", "labels"):
            setattr(self, name, getattr(self, name)[rows])
        self.pairs = [p for p, keep in zip(self.pairs, kept) if keep]
        return self

    def on_previous(self) -> Tensor:
        """Each object on the image before it, which shows another object."""
        return self.objects + (1 - self.masks) * self.images.roll(1, 0)


def accuracy(model: Network, images: Tensor, labels: Tensor) -> float:
    with torch.no_grad():
        right = torch.cat([model(part).argmax(1) for part in images.split(500)])
    return 100 * (right == labels).float().mean().item()


def attacked(model: Network, shown: Shown, images: Tensor,
             args: argparse.Namespace, random_start: bool) -> float:
    """Accuracy when PGD may change the background and nothing of the object."""
    harder = torch.cat([
        robust.pgd(model, part, labels, mask=mask, epsilon_object=0.0,
                   epsilon_context=args.epsilon, steps=args.attack_steps,
                   random_start=random_start)
        for part, labels, mask in zip(images.split(500),
                                      shown.labels.split(500),
                                      shown.masks.split(500))])
    return accuracy(model, harder, shown.labels)


def rows_of_seed(seed: int, args: argparse.Namespace) -> Dict[str, List[float]]:
    daemon = training.Daemon(config(seed), args.daemon)
    try:
        base = daemon.url.rpartition("/")[0]
        with pasted.connect(f"{base}/own") as client:
            info = client.info
        own, other, unseen = (Shown(f"{base}/{name}", args.shown)
                              for name in ("own", "all", "unseen"))
        theirs = set(own.pairs)
        other.only([pair not in theirs for pair in other.pairs])
        rows = {}
        for row, (pairing, args.pgd) in ROWS.items():
            model = train(f"{base}/{pairing}", info, seed, args)
            torch.manual_seed(seed)
            rows[row] = [
                accuracy(model, own.images, own.labels),
                accuracy(model, other.images, other.labels),
                accuracy(model, unseen.images, unseen.labels),
                attacked(model, unseen, unseen.images, args, True),
                attacked(model, unseen, unseen.on_previous(), args, False)]
            print(f"seed {seed} {row}:",
                  " ".join(f"{x:.1f}" for x in rows[row]),
                  file=sys.stderr, flush=True)
    finally:
        daemon.close()
    return rows


def table(found: Dict[int, Dict[str, List[float]]]) -> str:
    lines = ["| training | " + " | ".join(COLUMNS) + " |",
             "|---" * (len(COLUMNS) + 1) + "|"]
    for row in ROWS:
        cells = [", ".join(f"{rows[row][i]:.1f}"
                           for rows in found.values())
                 for i in range(len(COLUMNS))]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    args = options.shared(__doc__.split("\n\n")[0])
    args.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    args.add_argument("--shown", type=int, default=1140,
                      help="images of each kind, at the end")
    args.add_argument("--epsilon", type=float, default=16 / 255,
                      help="of the attack on the background")
    args.add_argument("--attack-steps", type=int, default=8)
    args.set_defaults(images=57000, normalise="none",
                      epsilon_object=4 / 255, epsilon_context=16 / 255,
                      quiet=True, candidates=1, feedback=0, stop_after=None)
    return args.parse_args()


def main() -> None:
    args = arguments()
    torch.set_num_threads(args.threads)
    found = {seed: rows_of_seed(seed, args) for seed in args.seeds}
    print(table(found))


if __name__ == "__main__":
    main()
