"""Adversarial refinement of batches: FGSM, PGD with two epsilons, worst-of-k.

For torch models; images are f32 [n,c,h,w] in 0..1, labels [n] i64, masks
[n,1,h,w] f32 in 0..1 (1 on the object), epsilons fractions of 0..1; others are
refused with BadArgument, a ValueError. The steps themselves are in
`pasted.robust_numpy` too, for checks and other frameworks. Nothing here talks
to a server.

Source: Goodfellow, Shlens & Szegedy 2015 (FGSM); Madry et al. 2018 (PGD); the
two epsilons and the step schedule are of Jin & Rinard, arXiv 2005.14707 and
its released code; worst-of-k is Engstrom et al. 2019.
"""
from __future__ import annotations

from typing import Callable, Optional, Tuple

import torch
from torch import Tensor
from torch.nn import functional

from .errors import BadArgument
from .ranges import check_fractions, check_unit_tensor

Loss = Callable[[Tensor, Tensor], Tensor]


def gradient(model: Callable[[Tensor], Tensor], images: Tensor,
             labels: Tensor, loss: Optional[Loss] = None) -> Tensor:
    """Of the summed loss with respect to the images: [n,c,h,w] f32.

    The parameters' .grad is left alone. The model's mode (train or eval) is
    the caller's choice; the paper attacks in eval.
    """
    images = images.detach().requires_grad_(True)
    with torch.enable_grad():
        if loss is None:
            value = functional.cross_entropy(model(images), labels,
                                             reduction="sum")
        else:
            value = loss(model(images), labels).sum()
        return torch.autograd.grad(value, images)[0]


def fgsm(model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor,
         epsilon: float, loss: Optional[Loss] = None) -> Tensor:
    """images + epsilon * sign(gradient), held within 0..1."""
    check_unit_tensor("images", images)
    check_fractions(epsilon=epsilon)
    g = gradient(model, images, labels, loss)
    return (images + epsilon * g.sign()).clamp_(0, 1).detach()


def step_of(g: Tensor, t: int, steps: int, size: float,
            schedule: str = "paper") -> Tensor:
    """What step t of 0..steps-1 adds, of a gradient [n,c,h,w].

    "paper": size/steps * ((steps-t) * sign(g) + t * g/max|g|) / steps; the
    sign gives way to the gradient, scaled by the largest of the whole batch.
    "sign": size/steps * sign(g).
    """
    if schedule == "sign":
        return size / steps * g.sign()
    if schedule != "paper":
        raise ValueError(f"schedule must be 'paper' or 'sign', "
                         f"not {schedule!r}")
    largest = g.abs().max().clamp_min(1e-30)
    return size / steps * ((steps - t) * g.sign() + t * (g / largest)) / steps


def _check_mask(mask: Tensor, images: Tensor) -> None:
    """Others could be spread over the wrong axes, and nobody would see it."""
    n, c, *side = images.shape
    if tuple(mask.shape) not in ((n, 1, *side), (n, c, *side)):
        raise BadArgument(f"masks of images {list(images.shape)} are "
                          f"{[n, 1, *side]}, not {list(mask.shape)}; "
                          "mask.unsqueeze(1) makes [n,1,h,w] of [n,h,w]")


def pgd(model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor, *,
        mask: Optional[Tensor] = None, epsilon_object: float = 4 / 255,
        epsilon_context: float = 16 / 255, steps: int = 8,
        schedule: str = "paper", random_start: bool = False,
        loss: Optional[Loss] = None,
        prepare: Optional[Callable[[Tensor], Tensor]] = None) -> Tensor:
    """Projected gradient ascent with one epsilon on the object and another
    on the context.

    Where mask is 1 the result stays within epsilon_object of the image, where
    it is 0 within epsilon_context, between linearly; everywhere within 0..1.
    Without a mask epsilon_context holds everywhere. epsilon_object 0 attacks
    the background only. `prepare` (differentiable, for instance a
    normalisation) comes between image and model.

    Returns [n,c,h,w] f32, detached.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    check_fractions(epsilon_object=epsilon_object,
                    epsilon_context=epsilon_context)
    check_unit_tensor("images", images)
    if mask is not None:
        check_unit_tensor("masks", mask)
        _check_mask(mask, images)
    whole = (lambda x: model(prepare(x))) if prepare else model
    allowed = torch.full_like(images, epsilon_context)
    if mask is not None:
        allowed = epsilon_context + (epsilon_object - epsilon_context) * mask
    lowest = (images - allowed).clamp_(0, 1)
    highest = (images + allowed).clamp_(0, 1)
    x = images.detach()
    if random_start:
        x = torch.maximum(torch.minimum(
            x + (2 * torch.rand_like(x) - 1) * allowed, highest), lowest)
    for t in range(steps):
        g = gradient(whole, x, labels, loss)
        x = x + step_of(g, t, steps, epsilon_context, schedule)
        x = torch.maximum(torch.minimum(x, highest), lowest)
    return x.detach()


def worst_of_k(model: Callable[[Tensor], Tensor], candidates: Tensor,
               labels: Tensor, loss: Optional[Loss] = None
               ) -> Tuple[Tensor, Tensor]:
    """The candidate of each sample that the model finds hardest.

    candidates: [n,k,c,h,w]; labels [n]. A misclassified candidate beats a
    correct one, then the larger loss wins. Returns ([n,c,h,w], index [n]).
    """
    n, k = candidates.shape[:2]
    repeated = labels.repeat_interleave(k)
    with torch.no_grad():
        scores = model(candidates.flatten(0, 1))
        each = (functional.cross_entropy(scores, repeated, reduction="none")
                if loss is None else loss(scores, repeated))
        wrong = scores.argmax(1) != repeated
    worst = _worst(each.view(n, k), wrong.view(n, k))
    return candidates[torch.arange(n, device=worst.device), worst], worst


def _worst(losses: Tensor, wrong: Tensor) -> Tensor:
    hidden = losses.masked_fill(~wrong, float("-inf"))
    return torch.where(wrong.any(1), hidden.argmax(1), losses.argmax(1))
