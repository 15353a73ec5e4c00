"""chain_digest: what it tells apart, and interrupted runs that end alike."""
import hashlib
import json
import os

import numpy as np
import pytest

import pasted
from daemon import Daemon  # tests/e2e

try:
    import torch
except ImportError:
    torch = None

IMAGE = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
LABEL = np.array([4, 9], np.int64)


def test_the_digest_is_what_its_description_says():
    text = (b"feed" b"\nimage |u1 [2,2,3]\n" + bytes(range(12))
            + b"\nlabel <i8 [2]\n" + LABEL.tobytes())
    assert (pasted.chain_digest("feed", {"label": LABEL, "image": IMAGE})
            == hashlib.sha256(text).hexdigest())


def test_order_of_steps_names_shapes_and_bytes_count():
    start = pasted.chain_digest("", [IMAGE, LABEL])
    one = pasted.chain_digest(start, [IMAGE])
    seen = {start, one, pasted.chain_digest("", [IMAGE]),
            pasted.chain_digest("", [LABEL, IMAGE]),
            pasted.chain_digest("", {"image": IMAGE, "label": LABEL}),
            pasted.chain_digest("", [IMAGE.reshape(3, 2, 2), LABEL]),
            pasted.chain_digest("", [IMAGE.astype(np.int32), LABEL]),
            pasted.chain_digest("", [IMAGE ^ 1, LABEL])}
    assert len(seen) == 8


def test_strides_do_not_count():
    turned = np.ascontiguousarray(IMAGE.transpose(2, 0, 1)).transpose(1, 2, 0)
    assert not turned.flags.c_contiguous
    assert (pasted.chain_digest("", [turned])
            == pasted.chain_digest("", [IMAGE]))
    assert len(pasted.chain_digest("", [np.zeros((0, 3), np.float32)])) == 64


@pytest.mark.skipif(torch is None, reason="torch is missing")
def test_tensors_give_the_digest_of_their_arrays():
    bits = np.array([0x3f80, 0xc000], np.uint16)  # 1 and -2 as bfloat16
    brain = torch.tensor([1, -2], dtype=torch.bfloat16)
    assert (pasted.chain_digest("", [torch.from_numpy(IMAGE.copy()), brain])
            == pasted.chain_digest("", [IMAGE, bits]))


def digests(loader, digest, steps):
    """Of so many steps, each as a loop would keep it."""
    out = []
    for batch in loader:
        digest = pasted.chain_digest(digest, batch)
        out.append(digest)
        if len(out) == steps:
            return out


@pytest.mark.parametrize("candidates", [1, 3])
def test_a_run_resumed_on_another_replica_ends_alike(url, candidates):
    options = {"tensors": None, "framework": "numpy", "candidates": candidates}
    with pasted.Loader(url, **options) as loader:
        whole = digests(loader, "", 20)
    with pasted.Loader(url, **options) as loader:
        begun = digests(loader, "", 11)
        kept = {"state": loader.state_dict(), "digest": begun[-1]}
    with Daemon("--demo", "--workers", "1") as replica:
        there = f"pasted://127.0.0.1:{replica.tcp}/default?batch=16"
        with pasted.Loader(there, **options) as loader:
            loader.load_state_dict(kept["state"])
            rest = digests(loader, kept["digest"], 9)
    assert begun + rest == whole
    assert len(set(whole)) == 20


@pytest.fixture(scope="module")
def chained(tmp_path_factory):
    """A stream whose contexts are earlier samples."""
    config = tmp_path_factory.mktemp("chained") / "config.json"
    config.write_text(json.dumps({
        "pools": {"demo": {"demo": True}},
        "streams": {"default": {"pool": "demo", "recipe": {
            "size": 32, "chain": {"slots": 24, "reset": 0.2}}}}}))
    with Daemon("--config", os.fspath(config), "--workers", "1") as running:
        yield f"pasted://127.0.0.1:{running.tcp}/default?batch=16"


@pytest.mark.parametrize("stream", ["url", "chained"])
def test_a_run_resumed_by_two_ranks_has_the_same_batches(request, stream):
    url = request.getfixturevalue(stream)
    options = {"tensors": None, "framework": "numpy"}
    with pasted.Loader(url, steps=12, **options) as loader:
        whole = digests(loader, "", 12)
    with pasted.Loader(url, steps=12, **options) as loader:
        digest = digests(loader, "", 5)[-1]
        state = loader.state_dict()
    ranks = [pasted.Loader(url, steps=12, rank=r, world=2, **options)
             for r in range(2)]
    for rank in ranks:
        rank.load_state_dict(state)
    for slices in zip(*ranks):
        digest = pasted.chain_digest(digest, {
            name: np.concatenate([s[name] for s in slices])
            for name in slices[0]})
    for rank in ranks:
        rank.close()
    assert digest == whole[-1]
