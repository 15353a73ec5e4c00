"""What the training examples share: a daemon, its batches, a small CNN that is
fast on a CPU, the loop, its checkpoints and the one evaluation at the end.

Knows no task: train_digits.py and train_signs.py bring recipe, network and
defaults. Images come from a daemon only.
"""
from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import Any, Callable, Dict, List, Mapping, Optional

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

ROOT = pathlib.Path(__file__).resolve().parents[2]
try:
    import pasted
except ImportError:  # not installed: that of this checkout
    sys.path.insert(0, os.fspath(ROOT / "client" / "python"))
    import pasted
from pasted import robust  # noqa: E402

READY_SECONDS = 120
WARM_UP = 0.05        # of the run, in which the rate rises
AVERAGE_RAMP = 10     # the average forgets its first steps: (1 + t)/(10 + t)


# -- the daemon -------------------------------------------------------------

def _is_ready(ports: pathlib.Path) -> bool:
    if not ports.exists():
        return False
    port = json.loads(ports.read_text())["http"]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
            return True
    except OSError:
        return False


class Daemon:
    """A daemon of this build on free ports, for as long as the example runs.

    config: as of `pasted --config`, paths absolute. url is what clients open.
    """

    def __init__(self, config: Mapping[str, Any], program: str,
                 workers: int = 1) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pasted-")
        folder = pathlib.Path(self._folder.name)
        (folder / "config.json").write_text(json.dumps(config))
        self._log = open(folder / "log", "wb")
        self._process = subprocess.Popen(
            [program, "--config", os.fspath(folder / "config.json"),
             "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0",
             "--workers", str(workers),
             "--port-file", os.fspath(folder / "ports")],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        try:
            port = self._wait(folder)["tcp"]
        except BaseException:
            self.close()
            raise
        self.url = f"pasted://127.0.0.1:{port}/default"

    def _wait(self, folder: pathlib.Path) -> Dict[str, int]:
        """Until its pools are loaded; its ports."""
        end = time.monotonic() + READY_SECONDS
        while not _is_ready(folder / "ports"):
            if self._process.poll() is not None:
                raise SystemExit((folder / "log").read_text())
            if time.monotonic() > end:
                raise SystemExit("the daemon does not become ready")
            time.sleep(0.02)
        return json.loads((folder / "ports").read_text())

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far."""
        with open(f"/proc/{self._process.pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()
        self._folder.cleanup()


class Server:
    """A daemon that somebody else runs; its CPU time is not known here."""

    def __init__(self, url: str) -> None:
        self.url = url

    def cpu_seconds(self) -> Optional[float]:
        return None

    def close(self) -> None:
        pass


# -- batches ----------------------------------------------------------------

class Batches:
    """A stream's batches as torch tensors by name, with what was waited for
    them and a digest chain: digest = SHA-256(digest, bytes of the batch).

    Two runs saw the same batches in the same order exactly when their digests
    are equal.
    """

    def __init__(self, url: str, **options: Any) -> None:
        self.loader = pasted.Loader(url, tensors=None, **options)
        self._steps = iter(self.loader)
        self.waited = 0.0
        self.digest = bytes(32)

    def next(self) -> Dict[str, Tensor]:
        begin = time.perf_counter()
        batch = next(self._steps)
        self.waited += time.perf_counter() - begin
        chain = hashlib.sha256(self.digest)
        for name in ("image", "label"):
            chain.update(memoryview(batch[name].numpy()).cast("B"))
        self.digest = chain.digest()
        return batch

    def state_dict(self) -> Dict[str, Any]:
        return {"loader": self.loader.state_dict(), "waited": self.waited,
                "digest": self.digest}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.loader.load_state_dict(state["loader"])
        self.waited, self.digest = state["waited"], state["digest"]


# -- the network ------------------------------------------------------------

class Network(nn.Module):
    """Blocks of convolution, pooling, batch norm, ReLU; then two layers that
    are fully connected, written as convolutions.

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
        layers += [nn.Conv2d(before, head, size, bias=False),
                   nn.BatchNorm2d(head), nn.ReLU(inplace=True),
                   nn.Dropout(dropout), nn.Conv2d(head, classes, 1)]
        self.layers = nn.Sequential(*layers)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        images = images.contiguous(memory_format=torch.channels_last)
        return self.layers(images).flatten(1)


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


# -- the loop ---------------------------------------------------------------

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
        self.images = self.steps = 0
        self.loss = 0.0  # mean of the recent steps

    def _rate(self) -> float:
        t = min(1.0, self.images / self.args.images)
        if t < WARM_UP:
            return self.args.rate * (t + 1e-3) / WARM_UP
        return self.args.rate * (1 + math.cos(
            math.pi * (t - WARM_UP) / (1 - WARM_UP))) / 2

    def _loss(self, scores: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(
            scores, labels, label_smoothing=self.args.smoothing)

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
        images, labels, mask = self._inputs()
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        images = self.normalise(self._refine(images, labels, mask))
        self.optimizer.zero_grad(set_to_none=True)
        loss = self._loss(self.model(images), labels)
        loss.backward()
        self.optimizer.step()
        self.average.update(self.model)
        self.images += len(labels)
        self.steps += 1
        share = max(0.02, 1 / self.steps)
        self.loss += share * (loss.item() - self.loss)

    def state_dict(self) -> Dict[str, Any]:
        return {"model": self.model.state_dict(),
                "average": self.average.kept,
                "average_steps": self.average.steps,
                "optimizer": self.optimizer.state_dict(),
                "batches": self.batches.state_dict(),
                "images": self.images, "steps": self.steps,
                "loss": self.loss, "random": torch.get_rng_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.average.kept = state["average"]
        self.average.steps = state["average_steps"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.batches.load_state_dict(state["batches"])
        self.images, self.steps = state["images"], state["steps"]
        self.loss = state["loss"]
        torch.set_rng_state(state["random"])


def save(trainer: Trainer, path: pathlib.Path, seconds: float) -> None:
    """Whole or not at all."""
    beside = path.with_suffix(path.suffix + ".new")
    torch.save({"trainer": trainer.state_dict(), "seconds": seconds}, beside)
    os.replace(beside, path)


def evaluate(model: nn.Module, images: Tensor, labels: Tensor,
             normalise: Callable[[Tensor], Tensor]) -> Dict[str, Any]:
    """Accuracy in percent, of all and of each class, and the number of images.
    images: [n,c,h,w] u8."""
    model.eval()
    with torch.no_grad():
        found = torch.cat([model(normalise(part.float().div(255))).argmax(1)
                           for part in images.split(500)])
    right = (found == labels).float()
    each = {int(c): round(100 * right[labels == c].mean().item(), 1)
            for c in labels.unique()}
    return {"accuracy": round(100 * right.mean().item(), 2),
            "per_class": each, "evaluated": len(labels)}


def read_npz(path: str) -> tuple:
    """images [n,h,w] or [n,h,w,3] u8 and labels -> ([n,c,h,w] u8, [n] i64)."""
    with np.load(path) as data:
        images = torch.from_numpy(data["images"])
        labels = torch.from_numpy(data["labels"].astype(np.int64))
    images = (images.unsqueeze(1) if images.dim() == 3
              else images.permute(0, 3, 1, 2))
    return images.contiguous(), labels


# -- the command line -------------------------------------------------------

def arguments(description: str) -> argparse.ArgumentParser:
    """The options of every example; each sets its own defaults."""
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("--server", metavar="URL", help="a running daemon's stream instead of "
        "one started here")
    add("--daemon", metavar="PROGRAM", default=os.fspath(pathlib.Path(
        os.environ.get("PASTED_BUILD", ROOT / "build" / "release"))
        / "server" / "pasted"), help="the daemon to start")
    add("--workers", type=int, default=1, help="its composing threads")
    add("--objects", metavar="DIR", help="cut-outs instead of the demo's")
    add("--backgrounds", metavar="DIR", help="photographs; with --objects")
    add("--recipe", metavar="FILE", help="JSON; the example's own otherwise")
    add("--set", metavar="KEY=JSON", action="append", default=[],
        help="one key of the recipe, as /object/scale=[0.5,1]")
    add("--evaluate", metavar="NPZ", help="images and labels; looked at once, "
        "at the end")
    add("--seed", type=int, default=1, help="of stream and weights")
    add("--threads", type=int, default=1, help="of the trainer")
    add_training(add)
    add("--checkpoint", metavar="FILE", help="written at the end, and at "
        "Ctrl-C")
    add("--stop-after", metavar="STEPS", type=int, help="save and end there")
    add("--resume", action="store_true", help="continue from --checkpoint")
    add("--log", metavar="FILE", help="append the line of results")
    add("--quiet", action="store_true", help="no progress on standard error")
    return parser


def add_training(add: Callable) -> None:
    add("--images", type=int, default=100000, help="to train on")
    add("--batch", type=int, default=50, help="images a step, about")
    add("--rate", type=float, default=2e-3, help="highest learning rate")
    add("--weight-decay", type=float, default=1e-2)
    add("--average", type=float, default=0.998,
        help="decay of the average of the weights; 0: none")
    add("--smoothing", type=float, default=0.1, help="of labels")
    add("--dropout", type=float, default=0.0)
    add("--widths", type=int, nargs="+", default=[32, 64, 128])
    add("--head", type=int, default=256, help="width of the layer before last")
    add("--normalise", choices=sorted(NORMALISE), default="min-max")
    add("--pgd", metavar="STEPS", type=int, default=2, help="0: none")
    add("--epsilon-object", type=float, default=32 / 255)
    add("--epsilon-context", type=float, default=32 / 255)
    add("--schedule", choices=["paper", "sign"], default="paper")


def set_keys(recipe: Dict[str, Any], pairs: List[str]) -> None:
    """Carries out --set."""
    for pair in pairs:
        pointer, _, text = pair.partition("=")
        *folders, key = pointer.strip("/").split("/")
        place = recipe
        for name in folders:
            place = place.setdefault(name, {})
        place[key] = json.loads(text)


def start(args: argparse.Namespace, pool: Mapping[str, Any],
          recipe: Dict[str, Any]):
    """The daemon or the server that the arguments ask for."""
    if args.server:
        return Server(args.server)
    set_keys(recipe, args.set)
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
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    with pasted.connect(service.url) as client:
        info = client.info
    labels = torch.tensor([label_of(name) for name in info["classes"]])
    used = int((labels >= 0).sum())
    batches = Batches(service.url, layout="nchw", dtype="u8",
                      batch=args.batch * len(labels) // used)
    model = make_model(info, args)
    trainer = Trainer(model, batches, labels, args)
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
        model.load_state_dict(trainer.average.kept)
        results.update(evaluate(model, *read_npz(args.evaluate),
                                trainer.normalise))
    line = json.dumps(results)
    print(line, flush=True)
    if args.log:
        with open(args.log, "a") as f:
            f.write(line + "\n")
    batches.loader.close()
    return results


def train(trainer: Trainer, args: argparse.Namespace,
          seconds: float) -> tuple:
    """Steps until all images were seen, --stop-after or Ctrl-C. Returns the
    seconds of all runs together and whether all were seen."""
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
            "seconds": round(seconds, 1),
            "waiting_share": round(batches.waited / max(seconds, 1e-9), 4),
            "daemon_cpu_share": (None if daemon is None else
                                 round(daemon / (daemon + own), 4)),
            "cpu_seconds": round(own + (daemon or 0.0), 1),
            "digest": batches.digest.hex(),
            "fingerprint": batches.loader.client.info["fingerprint"]}
