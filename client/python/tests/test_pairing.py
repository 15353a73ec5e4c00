"""What a trainer sees of the recipe's pairings: classes per background, from
the labels of served batches and from the server's own report."""
import json
import os

import pytest

import pasted
from daemon import Daemon  # tests/e2e

PAIRINGS = ("balanced", "independent", "correlated")


@pytest.fixture(scope="module")
def paired(tmp_path_factory):
    config = tmp_path_factory.mktemp("paired") / "config.json"
    config.write_text(json.dumps({
        "pools": {"demo": {"demo": True}},
        "streams": {pairing: {"pool": "demo", "recipe": {
            "size": 8, "graph": {"pairing": pairing, "order": "mixed"}}}
            for pairing in PAIRINGS}}))
    with Daemon("--config", os.fspath(config), "--workers", "1") as running:
        yield running


def classes_of_backgrounds(daemon, pairing, epochs):
    """{background: classes that were served on it}."""
    url = f"pasted://127.0.0.1:{daemon.tcp}/{pairing}"
    with pasted.connect(url) as client:
        batch = client.info["n_classes"]  # divides an epoch
        edges = client.info["edges_per_epoch"]
    seen = {}
    with pasted.Loader(url, batch=batch, tensors=["label", "background"],
                       steps=epochs * edges // batch,
                       framework="numpy") as loader:
        for label, background in loader:
            if pairing != "independent":
                assert sorted(label) == list(range(batch))
            for c, b in zip(label.tolist(), background.tolist()):
                seen.setdefault(b, set()).add(c)
    return seen


@pytest.mark.parametrize("pairing", PAIRINGS)
def test_classes_of_a_background_are_those_of_its_pairing(paired, pairing):
    seen = classes_of_backgrounds(paired, pairing, 3)
    counts = [len(classes) for classes in seen.values()]
    report = paired.get(f"/v1/streams/{pairing}/graph").json
    if pairing == "correlated":
        assert set(counts) == {1}
        assert len(set.union(*seen.values())) == 57  # of every class
        assert report["classes_per_background"] == [1, 1]
        assert report["class_pairs_never_met"] == 57 * 56 // 2
    else:
        assert sum(counts) / len(counts) > 8  # 12 served, some repeat
        assert report["classes_per_background"][1] >= 4
        assert report["class_pairs_never_met"] < 57 * 56 // 2
