"""The Python of README.md runs as it stands, on a real daemon."""
import json
import os
import pathlib
import re

import pytest

from daemon import Daemon  # tests/e2e

README = pathlib.Path(__file__).resolve().parents[1] / "README.md"
TEXT = README.read_text("utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", TEXT, re.S)
RECIPE = re.search(r"(?m)^    (\{\"labels\".*\})$", TEXT)[1]


@pytest.fixture(scope="module")
def hard(tmp_path_factory):
    config = tmp_path_factory.mktemp("readme") / "config.json"
    config.write_text(json.dumps({
        "pools": {"demo": {"demo": True}},
        "streams": {"default": {"pool": "demo",
                                "recipe": json.loads(RECIPE)}}}))
    with Daemon("--config", os.fspath(config), "--workers", "1") as running:
        yield running


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_a_snippet_runs(hard, number):
    text = SNIPPETS[number].replace(
        "127.0.0.1:7700", f"127.0.0.1:{hard.tcp}")
    if "import torch" in text:
        pytest.importorskip("torch")
    exec(compile(text, f"README.md, snippet {number}", "exec"), {})


def test_there_are_snippets():
    assert sum("127.0.0.1:7700" in text for text in SNIPPETS) >= 5
    assert any("hand_on" in text for text in SNIPPETS)
