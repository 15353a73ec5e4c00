"""A small CNN that is fast on a CPU, normalisations, and an average of weights.

Knows no task and no data.
"""
from __future__ import annotations

import ctypes
from typing import List

import torch
from torch import Tensor, nn

AVERAGE_RAMP = 10     # the average forgets its first steps: (1 + t)/(10 + t)

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3     # of mallopt(3)


def keep_memory() -> None:
    """The C library keeps what a step frees for the next one, where it would
    give it back to the kernel: a third of a step's time on glibc."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(M_MMAP_THRESHOLD, 1 << 30)
    mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)


def classifier(channels: int, size: int, head: int, classes: int,
               dropout: float) -> List[nn.Module]:
    """Two layers that are fully connected, written as convolutions:
    [n,channels,size,size] -> [n,classes,1,1]."""
    return [nn.Conv2d(channels, head, size, bias=False), nn.BatchNorm2d(head),
            nn.ReLU(inplace=True), nn.Dropout(dropout),
            nn.Conv2d(head, classes, 1)]


class Network(nn.Module):
    """Blocks of convolution, pooling, batch norm, ReLU; then a classifier.

    Pooling before batch norm and channels_last halve the time of a step on a
    CPU. images: [n,channels,size,size] f32 -> scores [n,classes].
    """

    def __init__(self, channels: int, classes: int, size: int,
                 widths: List[int], head: int, dropout: float) -> None:
        super().__init__()
        layers: List[nn.Module] = []
        before = channels
        for i, width in enumerate(widths):
            kernel = 5 if i == 0 else 3
            layers += [nn.Conv2d(before, width, kernel, padding=kernel // 2,
                                 bias=False),
                       nn.MaxPool2d(2), nn.BatchNorm2d(width),
                       nn.ReLU(inplace=True)]
            before, size = width, size // 2
        layers += classifier(before, size, head, classes, dropout)
        self.layers = nn.Sequential(*layers)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        images = images.contiguous(memory_format=torch.channels_last)
        return self.layers(images).flatten(1)


class Members(nn.Module):
    """Networks that learn beside each other and decide together: what one of
    them makes of a shape that it never saw is chance, the mean is less so.

    images: [n,...] -> in training the scores of each, [members,n,classes];
    else the mean of their log probabilities, [n,classes].
    """

    def __init__(self, members: List[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        scores = torch.stack([member(images) for member in self.members])
        return scores if self.training else scores.log_softmax(2).mean(0)


def normalise_none(images: Tensor) -> Tensor:
    return images


def normalise_min_max(images: Tensor) -> Tensor:
    """Each image over its own range. [n,c,h,w] in 0..1, differentiable."""
    low = images.amin((1, 2, 3), keepdim=True)
    high = images.amax((1, 2, 3), keepdim=True)
    return (images - low) / (high - low).clamp_min(1 / 255)


def normalise_mean_std(images: Tensor) -> Tensor:
    """By mean and deviation of the middle 5/8 of each side, all channels
    together, as the recipe's output/normalize mean-std does."""
    edge = round(images.shape[-1] * (1 - 0.625) / 2)
    middle = images[:, :, edge:-edge, edge:-edge].flatten(1)
    mean = middle.mean(1).view(-1, 1, 1, 1)
    deviation = middle.std(1).view(-1, 1, 1, 1)
    return ((images - mean) / (deviation + 3 / 255) * 0.2 + 0.5).clamp(0, 1)


NORMALISE = {"none": normalise_none, "min-max": normalise_min_max,
             "mean-std": normalise_mean_std}


class Average:
    """Exponential moving average of a network's weights and batch-norm
    statistics; with decay 0 the network itself."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.kept = {name: value.clone()
                     for name, value in model.state_dict().items()}

    def update(self, model: nn.Module) -> None:
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (AVERAGE_RAMP + self.steps))
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                self.kept[name].lerp_(value, 1 - decay)
            else:
                self.kept[name].copy_(value)
