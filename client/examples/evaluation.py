"""The one evaluation at the end of a training example: a file of images and
labels, what a network makes of them, and whether the file can be used.

Knows no daemon and no training. Before the end only shapes, dtypes, checksums
and the range of the labels are read.
"""
from __future__ import annotations

import zipfile
from typing import Any, Callable, Dict, Mapping, Tuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

# slant, width, height: what of an image a view takes, each in frames
VIEWS = [(slant, width, height) for slant in (-0.4, -0.2, 0.0, 0.2, 0.4)
         for width in (0.83, 1.0, 1.18) for height in (1.0, 1.18)]


def _header(archive: zipfile.ZipFile, name: str) -> Tuple[tuple, np.dtype]:
    """Shape and dtype of an array, of which no value is read."""
    with archive.open(name + ".npy") as member:
        version = np.lib.format.read_magic(member)
        read = (np.lib.format.read_array_header_1_0 if version == (1, 0)
                else np.lib.format.read_array_header_2_0)
        shape, _, dtype = read(member)
    return shape, dtype


def _check_shapes(images: tuple, labels: tuple, info: Mapping[str, Any]
                  ) -> None:
    grey = info["channels"] == "grey"
    wanted = (info["height"], info["width"]) + (() if grey else (3,))
    (shape, dtype), (n_labels, of_labels) = images, labels
    if shape[1:] != wanted or shape[0] == 0:
        said = ",".join(map(str, wanted))
        raise ValueError(f"images are {list(shape)}, and [n,{said}] of this "
                         "stream")
    if dtype != np.uint8:
        raise ValueError(f"images are {dtype}, and u8 is wanted")
    if n_labels != shape[:1]:
        raise ValueError(f"labels are {list(n_labels)}, and [{shape[0]}] for "
                         "as many images")
    if of_labels.kind not in "iu":
        raise ValueError(f"labels are {of_labels}, and whole numbers wanted")


def _check(path: str, info: Mapping[str, Any], n_classes: int) -> None:
    with zipfile.ZipFile(path) as archive:
        missing = [name for name in ("images", "labels")
                   if name + ".npy" not in archive.namelist()]
        if missing:
            raise ValueError(f"has no {' and no '.join(missing)}")
        damaged = archive.testzip()
        if damaged:
            raise ValueError(f"{damaged} is damaged")
        images, labels = (_header(archive, name)
                          for name in ("images", "labels"))
    _check_shapes(images, labels, info)
    with np.load(path) as data:
        values = data["labels"]
    if values.min() < 0 or values.max() >= n_classes:
        raise ValueError(f"labels are {values.min()} to {values.max()}, and "
                         f"the task's {n_classes} classes 0 to "
                         f"{n_classes - 1}")


def check_npz(path: str, info: Mapping[str, Any], n_classes: int) -> None:
    """Ends the program where read_npz or evaluate would fail later.

    info: height, width and channels of the stream that is trained on.
    """
    try:
        _check(path, info, n_classes)
    except OSError as error:
        raise SystemExit(f"--evaluate: {error}") from None
    except (zipfile.BadZipFile, EOFError):
        raise SystemExit(f"--evaluate {path}: is no .npz file") from None
    except ValueError as error:
        raise SystemExit(f"--evaluate {path}: {error}") from None


def read_npz(path: str) -> tuple:
    """images [n,h,w] or [n,h,w,3] u8 and labels -> ([n,c,h,w] u8, [n] i64)."""
    with np.load(path) as data:
        images = torch.from_numpy(data["images"])
        labels = torch.from_numpy(data["labels"].astype(np.int64))
    images = (images.unsqueeze(1) if images.dim() == 3
              else images.permute(0, 3, 1, 2))
    return images.contiguous(), labels


def scores_of(model: nn.Module, images: Tensor, views: bool) -> Tensor:
    """[n,classes] of images [n,c,h,w] in 0..1: the model's, or the mean of its
    probabilities over VIEWS of each image."""
    if not views:
        return model(images)
    total = 0.0
    for slant, width, height in VIEWS:
        matrix = torch.tensor([[width, slant, 0.0], [0.0, height, 0.0]])
        grid = functional.affine_grid(
            matrix.expand(len(images), 2, 3), list(images.shape),
            align_corners=False)
        view = functional.grid_sample(images, grid, align_corners=False,
                                      padding_mode="border")
        total = total + model(view).softmax(1)
    return total


def evaluate(model: nn.Module, images: Tensor, labels: Tensor,
             normalise: Callable[[Tensor], Tensor], views: bool = False
             ) -> Dict[str, Any]:
    """Accuracy in percent, of all and of each class, and the number of images;
    with views that of the mean over slanted and stretched views, too.
    images: [n,c,h,w] u8."""
    model.eval()
    found = []
    for many in ([False, True] if views else [False]):
        with torch.no_grad():
            found.append(torch.cat([
                scores_of(model, normalise(part.float().div(255)),
                          many).argmax(1) for part in images.split(500)]))
    right = (found[0] == labels).float()
    each = {int(c): round(100 * right[labels == c].mean().item(), 1)
            for c in labels.unique()}
    results = {"accuracy": round(100 * right.mean().item(), 2),
               "per_class": each, "evaluated": len(labels)}
    if views:
        results["accuracy_of_views"] = round(
            100 * (found[1] == labels).float().mean().item(), 2)
    return results
