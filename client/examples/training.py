"""What the training examples share: the loop, its checkpoints and the run as a
whole (options.py: the command line; evaluation.py; source.py: daemon and
batches; network.py).

Knows no task: train_digits.py and train_signs.py bring recipe, network and
defaults. Images come from a daemon only.
"""
from __future__ import annotations

import argparse
import json
import math
import os
import pathlib
import resource
import signal
import sys
import time
from typing import Any, Callable, Dict, Mapping, Optional

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from evaluation import check_npz, evaluate, read_npz
from network import NORMALISE, Average, keep_memory
from options import set_keys
from source import Batches, Daemon, Server, pasted
from pasted import robust

WARM_UP = 0.05        # of the run, in which the rate rises


# -- the loop ---------------------------------------------------------------

class Feedback:
    """Uploads what the network confuses, every so many steps, so that the
    recipe's distractors are of the class that an object is taken for.

    labels: as Trainer's; counts are by class of the stream.
    """

    def __init__(self, batches: Batches, labels: Tensor, every: int) -> None:
        self.batches, self.every, self.steps = batches, every, 0
        self.table: Optional[np.ndarray] = None
        self._task = labels
        self._stream = torch.zeros(int(labels.max()) + 1, dtype=torch.int64)
        self._stream[labels[labels >= 0]] = torch.nonzero(
            labels >= 0).squeeze(1)
        self._confusion = pasted.Confusion(len(labels))

    def add(self, truth: Tensor, predicted: Tensor) -> None:
        """Classes of the task, [n] each: those of a step."""
        self._confusion.add(self._stream[truth].numpy(),
                            self._stream[predicted].numpy())
        self.steps += 1
        if self.steps % self.every == 0:
            self._upload(self._confusion.weights())
            self._confusion.reset()

    def _upload(self, table: np.ndarray) -> None:
        drawn = (self._task >= 0).numpy()
        table = table * drawn  # no class that the task does not have
        table[~drawn] = 1
        self.batches.loader.feedback(table)
        self.table = table

    def state_dict(self) -> Dict[str, Any]:
        """Of tensors: since 2.6 torch.load takes no NumPy arrays."""
        table = None if self.table is None else torch.tensor(self.table)
        return {"steps": self.steps, "table": table,
                "counts": torch.tensor(self._confusion.counts)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.steps, counts = state["steps"], state["counts"].numpy()
        truth, predicted = np.nonzero(counts)
        times = counts[truth, predicted]
        self._confusion.reset()
        self._confusion.add(np.repeat(truth, times),
                            np.repeat(predicted, times))
        if state["table"] is not None:
            self.table = state["table"].numpy()
            self.batches.loader.feedback(self.table)


class Trainer:
    """Trains a network on Batches, a step at a time; can be saved and resumed
    between any two steps.

    labels: [classes of the stream] i64, the task's class of each, -1 for
    those that the task does not have; such samples are dropped.
    """

    def __init__(self, model: nn.Module, batches: Batches, labels: Tensor,
                 args: argparse.Namespace) -> None:
        self.model, self.batches, self.labels = model, batches, labels
        self.args = args
        self.normalise = NORMALISE[args.normalise]
        self.average = Average(model, args.average)
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=args.rate,
            weight_decay=args.weight_decay)
        self.feedback = (Feedback(batches, labels, args.feedback)
                         if args.feedback else None)
        self.images = self.steps = 0
        self.loss = self.first_loss = 0.0  # mean of recent steps; of step 0

    def _rate(self) -> float:
        t = min(1.0, self.images / self.args.images)
        if t < WARM_UP:
            return self.args.rate * (t + 1e-3) / WARM_UP
        return self.args.rate * (1 + math.cos(
            math.pi * (t - WARM_UP) / (1 - WARM_UP))) / 2

    def _loss(self, scores: Tensor, labels: Tensor) -> Tensor:
        """Of scores [n,classes], or [members,n,classes]: each learns alone."""
        if scores.dim() == 3:
            labels = labels.repeat(len(scores))
            scores = scores.flatten(0, 1)
        return functional.cross_entropy(
            scores, labels, label_smoothing=self.args.smoothing)

    def _hardest(self, images: Tensor, labels: Tensor,
                 mask: Optional[Tensor]) -> tuple:
        """The worst of each sample's candidates: [n*k,...] to [n,...]."""
        k = self.args.candidates
        if k < 2:
            return images, labels, mask
        labels = labels[::k]
        self.model.eval()
        images, index = robust.worst_of_k(
            lambda x: self.model(self.normalise(x)),
            images.unflatten(0, (-1, k)), labels)
        self.model.train()
        if mask is not None:
            mask = mask.unflatten(0, (-1, k))[torch.arange(len(index)), index]
        return images, labels, mask

    def _refine(self, images: Tensor, labels: Tensor,
                mask: Optional[Tensor]) -> Tensor:
        args = self.args
        if not args.pgd:
            return images
        self.model.eval()
        harder = robust.pgd(
            self.model, images, labels, mask=mask, steps=args.pgd,
            epsilon_object=args.epsilon_object,
            epsilon_context=args.epsilon_context, schedule=args.schedule,
            prepare=self.normalise)
        self.model.train()
        return harder

    def _inputs(self) -> tuple:
        batch = self.batches.next()
        images = batch["image"].float().div_(255)
        labels = self.labels[batch["label"]]
        mask = batch.get("mask")
        mask = None if mask is None else mask.unsqueeze(1).float().div_(255)
        if bool((labels < 0).any()):
            kept = labels >= 0
            images, labels = images[kept], labels[kept]
            mask = None if mask is None else mask[kept]
        return images, labels, mask

    def step(self) -> None:
        images, labels, mask = self._hardest(*self._inputs())
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        images = self.normalise(self._refine(images, labels, mask))
        self.optimizer.zero_grad(set_to_none=True)
        scores = self.model(images)
        loss = self._loss(scores, labels)
        loss.backward()
        self.optimizer.step()
        self.average.update(self.model)
        if self.feedback:
            self.feedback.add(labels, scores.view(
                -1, *scores.shape[-2:]).mean(0).argmax(1))
        self.images += len(labels)
        self.steps += 1
        if self.steps == 1:
            self.first_loss = loss.item()
        share = max(0.02, 1 / self.steps)
        self.loss += share * (loss.item() - self.loss)

    def state_dict(self) -> Dict[str, Any]:
        feedback = self.feedback.state_dict() if self.feedback else None
        return {"feedback": feedback, "model": self.model.state_dict(),
                "average": self.average.kept,
                "average_steps": self.average.steps,
                "optimizer": self.optimizer.state_dict(),
                "batches": self.batches.state_dict(),
                "images": self.images, "steps": self.steps,
                "loss": self.loss, "first_loss": self.first_loss,
                "random": torch.get_rng_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.average.kept = state["average"]
        self.average.steps = state["average_steps"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.batches.load_state_dict(state["batches"])
        if self.feedback:
            self.feedback.load_state_dict(state["feedback"])
        self.images, self.steps = state["images"], state["steps"]
        self.loss, self.first_loss = state["loss"], state["first_loss"]
        torch.set_rng_state(state["random"])


def save(trainer: Trainer, path: pathlib.Path, seconds: float) -> None:
    """Whole or not at all."""
    beside = path.with_suffix(path.suffix + ".new")
    torch.save({"trainer": trainer.state_dict(), "seconds": seconds}, beside)
    os.replace(beside, path)


def start(args: argparse.Namespace, pool: Mapping[str, Any],
          recipe: Dict[str, Any]):
    """The daemon or the server that the arguments ask for."""
    if args.server:
        return Server(args.server)
    try:
        set_keys(recipe, args.set)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    return Daemon({"pools": {"default": dict(pool)},
                   "streams": {"default": {"pool": "default",
                                           "recipe": recipe,
                                           "seed": args.seed}}},
                  args.daemon, args.workers)


def run(args: argparse.Namespace, service, make_model: Callable,
        label_of: Callable[[str], int]) -> Dict[str, Any]:
    """Trains, evaluates once, prints the line of results and returns it.

    make_model(info, args) gives the network; label_of maps the name of a
    stream's class to the task's number, -1 where it has none.
    """
    with pasted.connect(service.url) as client:
        info = client.info
    labels = torch.tensor([label_of(name) for name in info["classes"]])
    used = int((labels >= 0).sum())
    if used == 0:
        raise SystemExit(f"stream {info['stream']} has no class of this task")
    prepare(args, info, int(labels.max()) + 1)
    options = {"candidates": args.candidates} if args.candidates > 1 else {}
    batches = Batches(service.url, layout="nchw", dtype="u8",
                      batch=args.batch * len(labels) // used, **options)
    return fit(args, service, Trainer(make_model(info, args), batches, labels,
                                      args))


def prepare(args: argparse.Namespace, info: Mapping[str, Any],
            n_classes: int) -> None:
    """Before a network is made: what would fail after hours fails now;
    signals, threads, seed. info: as evaluation.check_npz's."""
    if args.evaluate:
        check_npz(args.evaluate, info, n_classes)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    keep_memory()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)


def fit(args: argparse.Namespace, service, trainer: Trainer
        ) -> Dict[str, Any]:
    """What run does, of a trainer that was made."""
    seconds = 0.0
    if args.resume:
        saved = torch.load(args.checkpoint)
        trainer.load_state_dict(saved["trainer"])
        seconds = saved["seconds"]
    seconds, ended = train(trainer, args, seconds)
    if args.checkpoint:
        save(trainer, pathlib.Path(args.checkpoint), seconds)
    results = report(trainer, args, service, seconds)
    if ended and args.evaluate:
        trainer.model.load_state_dict(trainer.average.kept)
        results.update(evaluate(trainer.model, *read_npz(args.evaluate),
                                trainer.normalise, args.views))
    line = json.dumps(results)
    print(line, flush=True)
    if args.log:
        with open(args.log, "a") as f:
            f.write(line + "\n")
    trainer.batches.close()
    return results


def train(trainer: Trainer, args: argparse.Namespace,
          seconds: float) -> tuple:
    """Steps until all images were seen, --stop-after, Ctrl-C or SIGTERM.
    Returns the seconds of all runs together and whether all were seen."""
    begin = time.monotonic() - seconds
    trainer.model.train()
    try:
        while trainer.images < args.images:
            if args.stop_after and trainer.steps >= args.stop_after:
                break
            trainer.step()
            if not args.quiet and trainer.steps % 200 == 0:
                print(f"{trainer.images} images, loss {trainer.loss:.3f}, "
                      f"{time.monotonic() - begin:.0f} s", file=sys.stderr)
    except KeyboardInterrupt:
        pass
    return time.monotonic() - begin, trainer.images >= args.images


def report(trainer: Trainer, args: argparse.Namespace, service,
           seconds: float) -> Dict[str, Any]:
    daemon = service.cpu_seconds()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    own = usage.ru_utime + usage.ru_stime
    batches = trainer.batches
    return {"seed": args.seed, "images": trainer.images,
            "steps": trainer.steps, "loss": round(trainer.loss, 4),
            "first_loss": round(trainer.first_loss, 4),
            "seconds": round(seconds, 1),
            "waiting_share": round(batches.waited / max(seconds, 1e-9), 4),
            "daemon_cpu_share": (None if daemon is None else
                                 round(daemon / (daemon + own), 4)),
            "cpu_seconds": round(own + (daemon or 0.0), 1),
            "digest": batches.digest,
            "fingerprint": batches.fingerprint}
