"""The same kind of digits from an in-process DataLoader on OpenCV: what a
trainer does where there is no daemon, for the comparison of waiting times.

Follows digits.json in kind (pose, perspective, elastic, stroke, contexts), not in
bytes, and is used for no figure of accuracy but its own.
"""
from __future__ import annotations

import pathlib
import time
from typing import Any, Dict, List

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

SIDE = 28
MARGIN = 0.5  # of the glyph's longer side, around it


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


class Digits(Dataset):
    """Item i is a digit of class i % 10, composed when it is asked for.

    objects holds 0.png to 9.png, black on white; backgrounds photographs.
    """

    def __init__(self, objects: str, backgrounds: str, seed: int,
                 images: int) -> None:
        self.seed, self.images = seed, images
        self.fields = [self._field(pathlib.Path(objects) / f"{i}.png")
                       for i in range(10)]
        self.photographs: List[np.ndarray] = []
        for path in sorted(pathlib.Path(backgrounds).rglob("*.*")):
            picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            if picture is not None:
                self.photographs.append(picture)

    @staticmethod
    def _field(path: pathlib.Path) -> np.ndarray:
        """Signed distance to the glyph's outline, px, positive inside; four
        times as fine as the file, about the middle of its ink."""
        ink = 255 - cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        ink = cv2.resize(ink, None, fx=4, fy=4,
                         interpolation=cv2.INTER_LINEAR)
        rows, columns = np.where(ink > 127)
        ink = ink[rows.min():rows.max() + 1, columns.min():columns.max() + 1]
        edge = int(max(ink.shape) * MARGIN)
        ink = cv2.copyMakeBorder(ink, edge, edge, edge, edge,
                                 cv2.BORDER_CONSTANT, value=0)
        inside = (ink > 127).astype(np.uint8)
        return (cv2.distanceTransform(inside, cv2.DIST_L2, 5)
                - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5))

    def __len__(self) -> int:
        return self.images

    def _matrix(self, rng: np.random.Generator, field: np.ndarray) -> tuple:
        """Field to frame, 3x3, and the scale in it."""
        height, width = field.shape
        longest = max(height, width) / (1 + 2 * MARGIN)
        scale = _between(rng, 0.6, 0.9) * SIDE / longest
        stretch = np.exp(_between(rng, np.log(0.6), np.log(1.7)) / 2)
        angle = np.deg2rad(_between(rng, -20, 20))
        shear = np.tan(np.deg2rad(_between(rng, -40, 40)))
        turn = np.array([[np.cos(angle), np.sin(angle)],
                         [-np.sin(angle), np.cos(angle)]])
        linear = turn @ np.array([[1, shear], [0, 1]]) @ np.diag(
            [scale * stretch, scale / stretch])
        middle = np.array([_between(rng, 0.38, 0.62) * SIDE,
                           _between(rng, 0.38, 0.62) * SIDE])
        shift = middle - linear @ np.array([width / 2, height / 2])
        whole = np.eye(3)
        whole[:2, :2], whole[:2, 2] = linear, shift
        corners = np.float32([[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]])
        inwards = np.sign(SIDE / 2 - corners) * rng.uniform(
            0, 0.2 * SIDE, (4, 2))
        lens = cv2.getPerspectiveTransform(
            corners, (corners + inwards).astype(np.float32))
        return lens @ whole, scale

    def _glyph(self, rng: np.random.Generator, digit: int) -> np.ndarray:
        """Alpha [SIDE,SIDE] f32."""
        field = self.fields[digit]
        matrix, scale = self._matrix(rng, field)
        field = cv2.warpPerspective(field, matrix, (SIDE, SIDE),
                                    flags=cv2.INTER_LINEAR,
                                    borderMode=cv2.BORDER_CONSTANT,
                                    borderValue=-100)
        moves = rng.normal(0, _between(rng, 0, 2), (2, 3, 3))
        grid = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
        at = [grid[i] + cv2.resize(moves[i].astype(np.float32), (SIDE, SIDE),
                                   interpolation=cv2.INTER_CUBIC)
              for i in (0, 1)]
        field = cv2.remap(field, at[1], at[0], cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_CONSTANT, borderValue=-100)
        return np.clip(field * scale + _between(rng, -0.3, 1.3) + 0.5, 0, 1)

    def _context(self, rng: np.random.Generator) -> np.ndarray:
        kind = rng.integers(4)
        if kind == 0:
            context = rng.integers(0, 256, (SIDE, SIDE)).astype(np.float32)
        elif kind == 1:
            context = np.full((SIDE, SIDE), rng.uniform(0, 255), np.float32)
        elif kind == 2:
            ends = rng.uniform(0, 255, (2, 2)).astype(np.float32)
            context = cv2.resize(ends, (SIDE, SIDE))
        else:
            picture = self.photographs[rng.integers(len(self.photographs))]
            side = int(min(picture.shape) * np.exp(
                _between(rng, np.log(0.1), 0)))
            y = rng.integers(picture.shape[0] - side + 1)
            x = rng.integers(picture.shape[1] - side + 1)
            context = cv2.resize(picture[y:y + side, x:x + side],
                                 (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        return context * _between(rng, 0, 0.4)

    def __getitem__(self, i: int) -> Dict[str, Any]:
        rng = np.random.default_rng((self.seed, i))
        alpha = self._glyph(rng, i % 10)
        level = 255 * _between(rng, 0.8, 1)
        image = self._context(rng) * (1 - alpha) + level * alpha
        return {"image": image.clip(0, 255).astype(np.uint8)[None],
                "label": i % 10, "mask": (alpha * 255).astype(np.uint8)}


class OpenCvBatches:
    """As source.Batches, as far as a training that is not resumed needs."""

    def __init__(self, objects: str, backgrounds: str, seed: int, batch: int,
                 images: int) -> None:
        cv2.setNumThreads(1)
        self._steps = iter(DataLoader(
            Digits(objects, backgrounds, seed, images + batch),
            batch_size=batch, num_workers=0))
        self.waited, self.digest, self.fingerprint = 0.0, "", ""

    def next(self) -> Dict[str, Tensor]:
        begin = time.perf_counter()
        batch = next(self._steps)
        self.waited += time.perf_counter() - begin
        return batch

    def close(self) -> None:
        pass
