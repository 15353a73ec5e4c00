"""Chains as clients see them: a trainer that reads on, ranks, one that comes
back, and somebody with curl have the same bytes, and reading on composes each
sample once. That the bytes are right, tests/golden shows."""
import hashlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "protocol")]
from daemon import Daemon, run_to_end  # noqa: E402
from test_sharing import COMPOSED, settled  # noqa: E402
from test_pastectl import read_png  # noqa: E402
import libpasted  # noqa: E402

AGAIN = "pasted_chain_samples_composed_again_total"
KEPT = "pasted_chain_bytes"
SLOTS, LENGTH, SIDE = 24, 8, 32
RECIPE = {"size": SIDE, "batch": SLOTS, "seed": 4,
          "graph": {"order": "mixed"},
          "chain": {"slots": SLOTS, "reset": 0.25, "max_length": LENGTH},
          "labels": {"tensors": ["label", "position", "mask", "plane",
                                 "context"]}}
N_STREAMS = 12


def url(daemon, stream):
    return f"pasted://127.0.0.1:{daemon.tcp}/{stream}?batch={SLOTS}"


class ChainTest(unittest.TestCase):
    """Streams that differ in their names alone keep nothing in common, so one
    daemon does for all."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        config = cls.folder / "pasted.json"
        streams = {f"s{i}": {"pool": "demo", "recipe": RECIPE}
                   for i in range(N_STREAMS)}
        streams["plain"] = {"pool": "demo", "recipe": {}}
        config.write_text(json.dumps({"pools": {"demo": {"demo": True}},
                                      "streams": streams}))
        cls.daemon = Daemon("--config", str(config))
        cls.daemon.start()
        cls.addClassCleanup(cls.daemon.close)
        cls.names = iter(f"s{i}" for i in range(N_STREAMS))

    def step(self, stream, step, batch, query=""):
        body = self.daemon.get(f"/v1/streams/{stream}/batches/{step}.npz"
                               f"?batch={batch}{query}").body
        return dict(np.load(io.BytesIO(body)))

    def plan(self, stream, position):
        path = f"/v1/streams/{stream}/samples/{position}.json"
        return self.daemon.get(path).json

    def pull(self, stream, n_steps, **options):
        client = libpasted.Client(url(self.daemon, stream), prefetch=4,
                                  **options)
        digests = []
        for _ in range(n_steps):
            status, position, data = client.next()
            self.assertEqual(status, libpasted.OK, client.error())
            digests.append((position, hashlib.sha256(data).hexdigest()))
        client.close()
        return digests

    def since(self, before):
        after = settled(self.daemon)
        return [after[key] - before[key] for key in (COMPOSED, AGAIN)]

    def test_a_trainer_that_reads_on_costs_one_paste_a_sample(self):
        before = settled(self.daemon)
        self.pull(next(self.names), 40)
        composed, again = self.since(before)
        self.assertGreaterEqual(composed, 40 * SLOTS)
        self.assertLessEqual(composed, 44 * SLOTS)
        self.assertEqual(again, 0)
        self.assertEqual(before[KEPT],
                         N_STREAMS * 4 * SLOTS * SIDE * SIDE * 3)

    def test_ranks_and_resuming_and_other_batches_have_the_same_bytes(self):
        name = next(self.names)
        whole = [self.step(name, s, 48) for s in range(8)]
        expected = {k: np.concatenate([w[k] for w in whole])
                    for k in whole[0]}
        for batch, world in ((12, 3), (96, 4), (24, 2), (192, 1)):
            name = next(self.names)
            for s in reversed(range(384 // batch)):
                for rank in range(world):
                    got = self.step(name, s, batch,
                                    f"&rank={rank}&world={world}")
                    n = batch // world
                    at = s * batch + rank * n
                    for k, v in got.items():
                        np.testing.assert_array_equal(
                            v, expected[k][at:at + n], k)

    def test_one_sample_by_itself_is_that_of_the_batch(self):
        whole = self.step(next(self.names), 30, SLOTS)
        name, before = next(self.names), settled(self.daemon)
        for i in range(0, SLOTS, 3):
            alone = self.step(name, 30 * SLOTS + i, 1)
            for k, v in whole.items():
                np.testing.assert_array_equal(alone[k][0], v[i], k)
        composed, again = self.since(before)
        self.assertLessEqual(composed, SLOTS // 3 * LENGTH)
        self.assertEqual(composed - again, SLOTS // 3)
        png = self.folder / "sample.png"
        png.write_bytes(self.daemon.get(
            f"/v1/streams/{name}/samples/{30 * SLOTS + 5}.png").body)
        np.testing.assert_array_equal(read_png(png), whole["image"][5])

    def test_libpasted_goes_on_where_it_was(self):
        whole = self.pull(next(self.names), 12)
        again = self.pull(next(self.names), 5, position=7 * SLOTS)
        self.assertEqual(again, whole[7:])

    def test_the_plan_names_the_parent_or_why_there_is_none(self):
        seen, name = set(), next(self.names)
        tensors = self.step(name, 0, 240)
        for p in range(0, 240, 5):
            plan = self.plan(name, p)
            chain = plan["chain"]
            seen.add(chain["begins"])
            self.assertEqual((chain["slot"], chain["round"]),
                             (p % SLOTS, p // SLOTS))
            self.assertEqual(chain["parent"] is None,
                             chain["begins"] is not None)
            self.assertEqual(plan["context"] == "given",
                             chain["begins"] is None)
            if chain["begins"] == "same_label":
                self.assertEqual(tensors["label"][p],
                                 tensors["label"][p - SLOTS])
            if chain["parent"] is not None:
                self.assert_pasted_on(tensors, p, chain["parent"])
        self.assertLessEqual({None, "first", "reset", "max_length"}, seen)

    def assert_pasted_on(self, t, p, parent):
        """Object plane, mask, context and composite: one equation."""
        self.assertEqual(parent, p - SLOTS)
        np.testing.assert_array_equal(t["mask"], t["plane"][..., 3])
        o = t["plane"][parent].astype(int)
        a = o[..., 3:] + (o[..., 3:] >> 7)
        d = t["context"][parent].astype(int)
        np.testing.assert_array_equal(
            t["context"][p], o[..., :3] + ((d * (256 - a) + 128) >> 8))

    def test_a_recipe_without_a_chain_tells_of_none(self):
        self.assertIsNone(self.plan("plain", 3)["chain"])

    def test_what_would_cost_too_much_is_refused_at_load(self):
        path = self.folder / "recipe.json"
        for recipe, sentence in (
                ({"size": 64, "chain": {"slots": 16384}},
                 "the streams' chains keep 769 MiB of composites"),
                ({"size": 512, "chain": {"slots": 5000}},
                 "/chain/slots: 5000 slots of 32 frames of 512 x 512 px")):
            path.write_text(json.dumps(recipe))
            status, _, log = run_to_end("--demo", "--recipe", str(path),
                                        "--batch-budget", "256M",
                                        "--http", "127.0.0.1:0",
                                        "--tcp", "127.0.0.1:0")
            self.assertNotEqual(status, 0)
            self.assertIn(sentence, log)


if __name__ == "__main__":
    unittest.main()
