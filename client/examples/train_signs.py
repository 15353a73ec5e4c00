"""Trains a traffic-sign classifier from one pictogram per class, on batches of
a running daemon only, and evaluates its final weights once on photographs.

    python3 client/examples/train_signs.py --objects PICTOGRAMS \\
        --backgrounds DIR --evaluate gtsrb.npz --seed 1

PICTOGRAMS holds 0.jpg to 42.jpg, signs on a white surround; without it the
signs of the demo pools are used. Reads no real sign before the end.
"""
from __future__ import annotations

import json
import pathlib
from typing import Callable, Dict

import torch
from torch import Tensor, nn

import options
import training
from network import classifier

HERE = pathlib.Path(__file__).resolve().parent


class Network(nn.Module):
    """Convolutions of which all but the third pool; then a classifier.

    With bf16 its arithmetic, not its weights, has 8 bits of mantissa: half as
    long a step where the CPU has AVX512-BF16 or AMX, and far longer where not.
    images: [n,3,32,32] f32 -> scores [n,classes] f32.
    """

    def __init__(self, classes: int, size: int, widths: list, head: int,
                 dropout: float, bf16: bool) -> None:
        super().__init__()
        self.bf16 = bf16
        layers, before = [], 3
        for i, width in enumerate(widths):
            kernel = 5 if i == 0 else 3
            layers.append(nn.Conv2d(before, width, kernel,
                                    padding=kernel // 2, bias=False))
            if i < 2 or i == len(widths) - 1:
                layers.append(nn.MaxPool2d(2))
                size //= 2
            layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            before = width
        layers += classifier(before, size, head, classes, dropout)
        self.layers = nn.Sequential(*layers)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bf16):
            scores = self.layers(images)
        return scores.flatten(1).float()


def has_bf16() -> bool:
    """Whether this CPU multiplies bf16 by itself (Linux on x86)."""
    try:
        flags = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def pool_of(args) -> dict:
    """The pool of the daemon: the demo's, or pictograms cut from white."""
    if not args.objects:
        return {"demo": True}
    return {"objects": str(pathlib.Path(args.objects).resolve()),
            "matte": "corners",
            "backgrounds": str(pathlib.Path(args.backgrounds).resolve()),
            "max_side": 480}


def label_of() -> Callable[[str], int]:
    """A pictogram's name is its class; the demo's signs are numbered as they
    come, its digits are no signs."""
    signs: Dict[str, int] = {}

    def label(name: str) -> int:
        if name.isdecimal():
            return int(name)
        if not name.startswith("sign-"):
            return -1
        return signs.setdefault(name, len(signs))

    return label


def model_of(info: dict, args) -> Network:
    bf16 = args.precision == "bf16" or (args.precision == "auto"
                                        and has_bf16())
    demo = sum(name.startswith("sign-") for name in info["classes"])
    return Network(demo or len(info["classes"]), info["height"], args.widths,
                   args.head, args.dropout, bf16)


def main() -> None:
    parser = options.arguments(__doc__.split("\n\n")[0])
    parser.add_argument("--precision", choices=["auto", "f32", "bf16"],
                        default="auto", help="auto: bf16 where that is faster")
    parser.set_defaults(recipe=str(HERE / "signs.json"))
    parser.set_defaults(images=2600000, batch=215, widths=[32, 64, 64, 128],
                        pgd=0, normalise="mean-std", weight_decay=0.02,
                        average=0.9995)
    args = parser.parse_args()
    if args.objects and not args.backgrounds:
        parser.error("--objects needs --backgrounds")
    recipe = json.loads(pathlib.Path(args.recipe).read_text())
    service = training.start(args, pool_of(args), recipe)
    try:
        training.run(args, service, model_of, label_of())
    finally:
        service.close()


if __name__ == "__main__":
    main()
