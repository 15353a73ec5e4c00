"""Loader: passes, checkpoints, ranks; with torch where it is installed."""
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

import pasted

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="torch is missing")


def images(loader):
    return [np.asarray(image) for image, _ in loader]


def test_a_pass_has_its_steps_and_the_next_goes_on(url):
    with pasted.Loader(url, steps=3, framework="numpy") as loader:
        first, second = images(loader), images(loader)
        assert len(first) == len(second) == 3
    with pasted.connect(url) as client:
        for image in first + second:
            np.testing.assert_array_equal(image, client.next()["image"])


def test_an_epoch_sees_every_pair_once(url):
    with pasted.connect(url) as client:
        edges = client.info["edges_per_epoch"]
    batch = max(n for n in range(1, 65) if edges % n == 0)
    with pasted.Loader(url + f"&batch={batch}", steps="epoch",
                       tensors=["object", "background"],
                       framework="numpy") as loader:
        pairs = [pair for o, b in loader for pair in zip(o, b)]
    assert len(pairs) == len(set(pairs)) == edges


def test_a_checkpoint_counts_consumed_steps_and_finishes_the_pass(url):
    with pasted.Loader(url, steps=5, framework="numpy") as loader:
        whole = images(loader)
        rest_of_run = images(loader)
    with pasted.Loader(url, steps=5, framework="numpy") as loader:
        for i, _ in enumerate(loader):
            if i == 1:
                state = loader.state_dict()
                break
    assert state["position"] == 2 * 16
    loader = pasted.Loader(url, steps=5, framework="numpy")
    loader.load_state_dict(state)
    assert loader.state_dict() == state
    with loader:
        resumed = images(loader) + images(loader)
    for a, b in zip(whole[2:] + rest_of_run, resumed, strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_is_no_state_is_refused_by_its_place(url):
    with pasted.Loader(url, framework="numpy") as loader:
        good = loader.state_dict()
        for bad, why in ((None, "NoneType"), ({}, "'stream'"),
                         ({k: good[k] for k in ("stream", "fingerprint")},
                          "'position'")):
            for reader in (loader, loader.client):
                with pytest.raises(pasted.BadArgument, match=why):
                    reader.load_state_dict(bad)
        loader.load_state_dict(good)


def test_ranks_share_the_batch(url):
    parts = []
    for rank in range(2):
        with pasted.Loader(url, steps=2, rank=rank, world=2,
                           framework="numpy") as loader:
            parts.append(images(loader))
    with pasted.Loader(url, steps=2, framework="numpy") as loader:
        for whole, a, b in zip(images(loader), *parts):
            np.testing.assert_array_equal(whole, np.concatenate([a, b]))


def test_views_are_read_only_and_outlive_the_loader(url):
    with pasted.Loader(url, steps=4, framework="numpy", copy=False) as loader:
        views = images(loader)
    with pasted.Loader(url, steps=4, framework="numpy") as loader:
        for view, image in zip(views, images(loader), strict=True):
            np.testing.assert_array_equal(view, image)
            assert image.flags.writeable and not view.flags.writeable


def test_none_for_tensors_yields_them_all(url):
    with pasted.Loader(url, tensors=None, steps=1,
                       framework="numpy") as loader:
        (batch,) = loader
    assert list(batch)[-1] == "image" and "visible" in batch


@pytest.mark.parametrize("wrong", [
    {"steps": 0}, {"steps": "epochs"}, {"framework": "jax"}, {"rank": 1},
    {"slots": 0}, {"slots": "16"}, {"tensors": "image"},
    {"framework": "numpy", "pin_memory": True},
    pytest.param({"framework": "torch", "copy": False}, marks=needs_torch)])
def test_wrong_arguments_are_refused_at_once(url, wrong):
    with pytest.raises(ValueError, match=list(wrong)[-1]):
        pasted.Loader(url, **wrong)


RANK = """
import sys, torch, pasted
url, store, rank = sys.argv[1:]
torch.distributed.init_process_group(
    "gloo", init_method="file://" + store, rank=int(rank), world_size=2)
with pasted.Loader(url, steps=1) as loader:
    ((image, _),) = loader
    info = loader.client.info
print(info["rank"], info["world"], pasted.chain_digest("", [image]))
torch.distributed.barrier()
"""


@needs_torch
def test_rank_and_world_are_those_of_torch_distributed(url, tmp_path):
    ranks = [subprocess.Popen(
        [sys.executable, "-c", RANK, url, os.fspath(tmp_path / "store"), r],
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)),
        stdout=subprocess.PIPE, text=True) for r in "01"]
    with pasted.connect(url) as client:
        image = client.next()["image"]
    for r, process in enumerate(ranks):
        out, _ = process.communicate(timeout=120)
        own = pasted.chain_digest("", [image[8 * r:8 * r + 8]])
        assert out.split() == [str(r), "2", own]


@needs_torch
def test_torch_tensors_own_their_memory(url):
    with pasted.Loader(url, steps=1) as loader:
        ((image, label),) = loader
    assert image.dtype == torch.uint8 and label.dtype == torch.int64
    image.add_(1)


@needs_torch
def test_pinned_tensors_are_the_same_or_a_warning_says_why(url):
    with pasted.Loader(url, steps=1) as loader:
        ((image, label),) = loader
    has_cuda = torch.cuda.is_available()
    with warnings.catch_warnings(record=True) as said, \
            pasted.Loader(url, steps=2, pin_memory=True) as loader:
        warnings.simplefilter("always")
        (pinned, labels), _ = loader
    assert torch.equal(pinned, image) and torch.equal(labels, label)
    assert pinned.is_pinned() == has_cuda
    assert [str(w.message)[:11] for w in said] == (
        [] if has_cuda else ["pin_memory:"])


@needs_torch
def test_torch_has_bfloat16(url):
    with pasted.Loader(url, dtype="bf16", steps=1) as loader:
        ((brain, _),) = loader
    with pasted.Loader(url, dtype="f32", steps=1) as loader:
        ((single, _),) = loader
    assert brain.dtype == torch.bfloat16
    assert torch.equal(brain, single.to(torch.bfloat16))


@needs_torch
def test_dataloader_without_workers_gives_the_same(url):
    with pasted.Loader(url, steps=2) as loader:
        direct = images(loader)
    with pasted.Loader(url, steps=2) as loader:
        through = images(torch.utils.data.DataLoader(
            loader, batch_size=None, num_workers=0))
    for a, b in zip(direct, through, strict=True):
        np.testing.assert_array_equal(a, b)


@needs_torch
def test_dataloader_with_workers_is_refused_with_the_reason(url):
    loader = torch.utils.data.DataLoader(pasted.Loader(url, steps=2),
                                         batch_size=None, num_workers=2)
    with pytest.raises(RuntimeError, match="num_workers=0"):
        next(iter(loader))
