"""Trains a digit classifier from one clean image per class, on batches of a
running daemon only, and evaluates its final weights once on handwriting.

    python3 client/examples/train_digits.py --objects FONT --backgrounds DIR \\
        --evaluate mnist.npz --seed 1

FONT holds 0.png to 9.png, black on white; without it the digits of the demo
pools are used. Reads no real digit before the end.
"""
from __future__ import annotations

import json
import pathlib
import re
import shutil
import tempfile

import torch

import options
import training
from network import Members, Network
from source import Server

HERE = pathlib.Path(__file__).resolve().parent


def pool_of(args, folder: pathlib.Path) -> dict:
    """The pool of the daemon: the demo's, or the font's digits with their ink
    as mask (a manifest in `folder`, as paths may not leave it)."""
    if not args.objects:
        return {"demo": True}
    objects = []
    for i in range(10):
        try:
            shutil.copy(pathlib.Path(args.objects) / f"{i}.png", folder)
        except OSError as error:
            raise SystemExit(f"--objects: {error}") from None
        objects.append({"path": f"{i}.png", "class": str(i),
                        "mask": f"{i}.png", "matte": "mask-inverted"})
    manifest = folder / "digits.json"
    manifest.write_text(json.dumps({"objects": objects}))
    return {"objects": str(manifest),
            "backgrounds": str(pathlib.Path(args.backgrounds).resolve())}


def label_of(name: str) -> int:
    """`3` and `digit-3` are 3; the demo's signs are no digits."""
    found = re.fullmatch(r"(?:digit-)?([0-9])", name)
    return int(found.group(1)) if found else -1


def model_of(info: dict, args) -> Members:
    return Members([Network(1, 10, info["height"], args.widths, args.head,
                            args.dropout) for _ in range(args.members)])


def train_on_opencv(args) -> None:
    """The same training on what this process composes itself."""
    from opencv_source import OpenCvBatches
    training.prepare(args, {"height": 28, "width": 28, "channels": "grey"}, 10)
    batches = OpenCvBatches(args.objects, args.backgrounds, args.seed,
                            args.batch, args.images)
    training.fit(args, Server(""), training.Trainer(
        model_of({"height": 28}, args), batches, torch.arange(10), args))


def train(args, folder: pathlib.Path) -> None:
    recipe = json.loads(pathlib.Path(args.recipe).read_text())
    service = training.start(args, pool_of(args, folder), recipe)
    try:
        training.run(args, service, model_of, label_of)
    finally:
        service.close()


def main() -> None:
    parser = options.arguments(__doc__.split("\n\n")[0])
    parser.add_argument("--opencv", action="store_true", help="compose the "
                        "same kind of digits in this process, to compare")
    parser.add_argument("--members", type=options.whole(1), default=6,
                        help="networks that learn beside each other and "
                        "decide together")
    parser.set_defaults(recipe=str(HERE / "digits.json"), images=150000,
                        widths=[16, 32, 64], head=128, views=True,
                        epsilon_object=0.05, epsilon_context=0.05)
    args = parser.parse_args()
    if (args.objects or args.opencv) and not (args.objects
                                              and args.backgrounds):
        parser.error("--objects and --backgrounds go together")
    if args.opencv and args.set:
        parser.error(f"--set {args.set[0][0]}: --opencv has no recipe")
    if args.opencv:
        train_on_opencv(args)
        return
    with tempfile.TemporaryDirectory(prefix="digits-") as folder:
        train(args, pathlib.Path(folder))


if __name__ == "__main__":
    main()
