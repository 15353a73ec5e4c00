"""The command line of the training examples, and what it says of a recipe.

Starts nothing and trains nothing; reads no file.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
from typing import Any, Callable, Dict, Sequence, Tuple

from network import NORMALISE
from source import ROOT


def pair_of(text: str) -> Tuple[str, Any]:
    """KEY=JSON of --set: the key as a JSON pointer, and the value."""
    pointer, equals, value = text.partition("=")
    keys = pointer.strip("/")
    if not equals or not all(keys.split("/")):
        raise argparse.ArgumentTypeError(
            f"{text!r}: KEY=JSON is wanted, as /object/scale=[0.5,1]")
    try:
        return "/" + keys, json.loads(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"/{keys}: {value!r} is no JSON ({error}); a word is wanted in "
            "quotes of its own, as '\"mixed\"'") from None


def set_keys(recipe: Dict[str, Any], pairs: Sequence[Tuple[str, Any]]) -> None:
    """Carries out --set; ValueError names the key that cannot be set."""
    for pointer, value in pairs:
        *folders, key = pointer.strip("/").split("/")
        place, at = recipe, ""
        for name in folders:
            at += f"/{name}"
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise ValueError(f"--set {pointer}: {at} is no object of keys "
                                 f"in this recipe, but {json.dumps(place)}")
        place[key] = value


def whole(lowest: int, highest: int = 1 << 40) -> Callable[[str], int]:
    """The type of an option: a whole number within these."""
    def read(text: str) -> int:
        if not text.isdecimal() or not lowest <= int(text) <= highest:
            to = f" to {highest}" if highest < 1 << 40 else " on"
            raise argparse.ArgumentTypeError(
                f"a whole number from {lowest}{to} is wanted, not {text!r}")
        return int(text)
    return read


def fraction(text: str) -> float:
    """The type of an option: within 0..1."""
    try:
        if 0 <= float(text) <= 1:
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(
        f"a number from 0 to 1 is wanted, not {text!r}")


class Parser(argparse.ArgumentParser):
    """Refuses options that would be ignored."""

    def parse_args(self, *given: Any) -> argparse.Namespace:  # type: ignore
        args = super().parse_args(*given)
        if "server" in args:
            self._check_ignored(args)
            self._check_files(args)
        return args

    def _check_ignored(self, args: argparse.Namespace) -> None:
        if args.server and args.set:
            self.error(f"--set {args.set[0][0]}: the recipe of --server is "
                       "that daemon's")
        if args.server and (args.objects or args.backgrounds):
            self.error("--objects, --backgrounds: the pool of --server is "
                       "that daemon's")
        if args.backgrounds and not args.objects:
            self.error("--objects and --backgrounds go together")
        if args.resume and not args.checkpoint:
            self.error("--resume needs --checkpoint FILE")

    def _check_files(self, args: argparse.Namespace) -> None:
        """What would fail when the training is over, or read nothing."""
        for option in ("checkpoint", "log"):
            path = getattr(args, option)
            if path and not pathlib.Path(path).absolute().parent.is_dir():
                self.error(f"--{option} {path}: there is no such folder")
        if not pathlib.Path(args.recipe).is_file():
            self.error(f"--recipe: there is no file {args.recipe}")
        if args.resume and not pathlib.Path(args.checkpoint).is_file():
            self.error(f"--resume: there is no file {args.checkpoint}")


def shared(description: str) -> Parser:
    """The options of every example; each sets its own defaults."""
    parser = Parser(description=description, formatter_class=argparse.
                    ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("--daemon", metavar="PROGRAM", default=os.fspath(pathlib.Path(
        os.environ.get("PASTED_BUILD", ROOT / "build" / "release"))
        / "server" / "pasted"), help="the daemon to start")
    add("--threads", type=whole(1), default=1, help="of the trainer")
    add_training(add)
    add("--quiet", action="store_true", help="no progress on standard error")
    return parser


def add_training(add: Callable) -> None:
    add("--images", type=whole(1), default=100000, help="to train on")
    add("--rate", type=float, default=2e-3, help="highest learning rate")
    add("--weight-decay", type=float, default=1e-2)
    add("--average", type=fraction, default=0.998,
        help="decay of the average of the weights; 0: none")
    add("--smoothing", type=fraction, default=0.1, help="of labels")
    add("--normalise", choices=sorted(NORMALISE), default="min-max")
    add("--epsilon-object", type=fraction, default=32 / 255)
    add("--epsilon-context", type=fraction, default=32 / 255)
    add("--schedule", choices=["paper", "sign"], default="paper")


def arguments(description: str) -> Parser:
    """Those and what says where one network's batches come from and where it
    goes."""
    parser = shared(description)
    add = parser.add_argument
    add("--server", metavar="URL", help="a running daemon's stream instead of "
        "one started here")
    add("--workers", type=whole(1), default=1, help="its composing threads")
    add("--objects", metavar="DIR", help="cut-outs instead of the demo's")
    add("--backgrounds", metavar="DIR", help="photographs; with --objects")
    add("--recipe", metavar="FILE", help="JSON; the example's own otherwise")
    add("--set", metavar="KEY=JSON", action="append", default=[],
        type=pair_of,
        help="one key of the recipe, as /object/scale=[0.5,1]")
    add("--evaluate", metavar="NPZ", help="images and labels; looked at once, "
        "at the end")
    add("--views", action="store_true", help="the accuracy of the mean over "
        "slanted and stretched views of each image beside that of itself")
    add("--seed", type=int, default=1, help="of stream and weights")
    add_network(add)
    add("--checkpoint", metavar="FILE", help="written at the end, and at "
        "Ctrl-C")
    add("--stop-after", metavar="STEPS", type=whole(1),
        help="save and end there")
    add("--resume", action="store_true", help="continue from --checkpoint")
    add("--log", metavar="FILE", help="append the line of results")
    return parser


def add_network(add: Callable) -> None:
    add("--batch", type=whole(1), default=50, help="images a step, about")
    add("--dropout", type=fraction, default=0.0)
    add("--widths", type=whole(1), nargs="+", default=[32, 64, 128])
    add("--head", type=whole(1), default=256,
        help="width of the layer before last")
    add("--pgd", metavar="STEPS", type=whole(0), default=2, help="0: none")
    add("--candidates", metavar="K", type=whole(1, 32), default=1,
        help="poses of each sample, of which the worst is trained on")
    add("--feedback", metavar="STEPS", type=whole(0), default=0,
        help="upload what is confused every so many steps; 0: never. The "
        "recipe needs distractors")
