"""One whole epoch over TCP by two ranks, on the demo pools and, where the real
images are at hand, on 43 pictograms and 80 photographs.

Shows the balance (every edge once, every aligned block of K each class once,
distinct classes on every background) and the contract (the same step has the
same bytes over HTTP, from a second daemon and after a restart)."""
import collections
import io
import json
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "protocol")]
from daemon import Daemon  # noqa: E402
import stdlib_client  # noqa: E402

SHARED = pathlib.Path(os.environ.get(
    "PASTED_SHARED", HERE.parents[1].parent / "shared"))
NUMPY = {"u8": "u1", "i32": "<i4", "i64": "<i8", "f32": "<f4", "f16": "<f2"}


def arrays(batch):
    """The tensors of a batch of the standard-library client as NumPy's."""
    return {name: np.frombuffer(t.data, NUMPY[t.dtype]).reshape(t.shape)
            for name, t in batch.tensors.items()}


def pull_epoch(daemon, global_batch, steps, world=2):
    """Every step of every rank: a list of [rank] dicts per step."""
    clients = []
    for rank in range(world):
        client = stdlib_client.Client("127.0.0.1", daemon.tcp)
        client.open("default", batch=global_batch, rank=rank, world=world)
        client.credit(steps)
        clients.append(client)
    epoch = [[arrays(client.next()) for client in clients]
             for _ in range(steps)]
    for client in clients:
        client.close()
    return epoch


class EpochOnDemoPools(unittest.TestCase):
    """The assertions; EpochOnPhotographs repeats them on real images."""

    def arguments(self, folder):
        recipe = folder / "recipe.json"
        recipe.write_text(json.dumps(
            {"size": 64, "seed": 7, "graph": {"objects_per_background": 4}}))
        return ["--demo", "--recipe", str(recipe)]

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.args = self.arguments(self.folder)

    def info(self, daemon):
        return json.loads(daemon.get("/v1/streams/default").body)

    def check_sizes(self, info):
        self.assertGreaterEqual(len(info["classes"]), 30)
        self.assertGreaterEqual(info["backgrounds"], 50)

    def flatten(self, epoch, name):
        return np.concatenate([part[name] for step in epoch for part in step])

    def check_balance(self, epoch, info):
        n_classes, n_edges = len(info["classes"]), info["edges_per_epoch"]
        label, thing, ground = (self.flatten(epoch, name) for name in
                                ("label", "object", "background"))
        position = self.flatten(epoch, "position")
        self.assertTrue((position == np.arange(len(position))).all())
        edges = set(zip(thing[:n_edges].tolist(), ground[:n_edges].tolist()))
        self.assertEqual(len(edges), n_edges, "an edge arrived twice")
        for first in range(0, n_edges, n_classes):
            self.assertEqual(len(set(label[first:first + n_classes].tolist())),
                             n_classes, f"block at {first}")
        degree = np.bincount(ground[:n_edges], minlength=info["backgrounds"])
        per = info["objects_per_background"]
        self.assertEqual(len(degree), info["backgrounds"])
        self.assertTrue(((degree == per) | (degree == per + 1)).all())
        self.assertEqual(degree.sum(), n_edges)
        degree = np.bincount(thing[:n_edges], minlength=info["objects"])
        self.assertLessEqual(degree.max() - degree.min(), 1)
        seen = collections.defaultdict(list)
        for at in range(n_edges):
            seen[ground[at]].append(label[at])
        for classes in seen.values():
            self.assertEqual(len(classes), len(set(classes)))

    def check_same(self, daemon, epoch, step, global_batch, what):
        for rank in range(2):
            answer = daemon.get(f"/v1/streams/default/batches/{step}.npz"
                                f"?rank={rank}&world=2&batch={global_batch}")
            self.assertEqual(answer.status, 200, answer.body[:300])
            served = np.load(io.BytesIO(answer.body))
            self.assertEqual(set(served.files), set(epoch[step][rank]), what)
            for name in served.files:
                mine = epoch[step][rank][name]
                self.assertEqual(served[name].dtype, mine.dtype, name)
                self.assertEqual(served[name].tobytes(), mine.tobytes(),
                                 f"{name} {what}")

    def test_two_ranks_pull_an_epoch_that_is_balanced_and_repeatable(self):
        with Daemon(*self.args) as daemon:
            info = self.info(daemon)
            self.check_sizes(info)
            global_batch = 2 * len(info["classes"])
            steps = -(-info["edges_per_epoch"] // global_batch)
            epoch = pull_epoch(daemon, global_batch, steps)
            self.check_balance(epoch, info)
            image = epoch[0][0]["image"]
            self.assertEqual(image.shape, (global_batch // 2, 64, 64, 3))
            self.assertGreater(len(np.unique(image)), 100)
            self.check_same(daemon, epoch, steps - 1, global_batch, "by HTTP")
            with Daemon(*self.args) as second:
                self.assertEqual(self.info(second)["fingerprint"],
                                 info["fingerprint"])
                self.check_same(second, epoch, 1, global_batch, "elsewhere")
        with Daemon(*self.args) as daemon:
            self.check_same(daemon, epoch, 2, global_batch, "after restart")
            again = pull_epoch(daemon, global_batch, 3)
            for step in range(3):
                for rank in range(2):
                    for name, tensor in epoch[step][rank].items():
                        self.assertEqual(again[step][rank][name].tobytes(),
                                         tensor.tobytes(), name)


@unittest.skipUnless((SHARED / "data" / "signs" / "pictograms").is_dir(),
                     "the real images are not here (PASTED_SHARED)")
class EpochOnPhotographs(EpochOnDemoPools):
    """43 pictograms with the corner matte on 80 photographs, dB = 4, G = 86."""

    def arguments(self, folder):
        data = SHARED / "data"
        for name in ("cc0_photos", "debian_photos", "kodak"):
            (folder / "backgrounds").mkdir(exist_ok=True)
            (folder / "backgrounds" / name).symlink_to(
                data / "backgrounds" / name)
        return ["--objects", str(data / "signs" / "pictograms"), "--matte",
                "corners", "--backgrounds", str(folder / "backgrounds"),
                *super().arguments(folder)[1:]]

    def check_sizes(self, info):
        self.assertEqual(info["classes"], [str(c) for c in range(43)])
        self.assertEqual((info["objects"], info["backgrounds"]), (43, 80))


class EveryEdgeOfAScene(EpochOnDemoPools):
    """Three epochs of the same scenes, balanced each."""
    test_two_ranks_pull_an_epoch_that_is_balanced_and_repeatable = None

    def arguments(self, folder):
        recipe = folder / "recipe.json"
        recipe.write_text(json.dumps(
            {"size": 64, "seed": 7, "graph": {"objects_per_background": 4},
             "object": {"edge": {"every": ["motion", "hard", "feather"]},
                        "stroke": [-1, 2], "match": [0, 0.5]}}))
        return ["--demo", "--recipe", str(recipe)]

    def test_three_epochs_show_the_same_scenes_with_other_edges(self):
        with Daemon(*self.args) as daemon:
            info = self.info(daemon)
            n = info["edges_per_epoch"]
            batch = len(info["classes"])
            epochs = pull_epoch(daemon, batch, 4 * n // batch, world=1)
            pairs = self.flatten(epochs, "object"), self.flatten(
                epochs, "background")
            for name in ("object", "background", "label", "visible"):
                of = self.flatten(epochs, name).reshape(4, n)
                self.assertTrue((of[0] == of[1:3]).all(), name)
                self.assertFalse((of[0] == of[3]).all(), name)
            for e in range(4):
                edges = {(a[e * n + i], b[e * n + i]) for a, b in [pairs]
                         for i in range(n)}
                self.assertEqual(len(edges), n)
            image = self.flatten(epochs, "image")
            image = image.reshape(4, n, *image.shape[1:]).astype(int)
            for e in (1, 2):
                self.assertFalse((image[0] == image[e]).all())
                # Corners are context: the same but for a few large objects.
                same = (image[0, :, 0, 0] == image[e, :, 0, 0]).all(axis=-1)
                self.assertGreater(same.mean(), 0.9)
            for name, p in (("motion", 5), ("hard", n + 5),
                            ("feather", 2 * n + 5), ("motion", 3 * n + 5)):
                plan = json.loads(daemon.get(
                    f"/v1/streams/default/samples/{p}.json").body)
                self.assertEqual((plan["position"], plan["edge"]), (p, name))
                self.assertEqual(plan["scene"], p // n // 3 * n + p % n)


def main():
    program = unittest.main(verbosity=2, exit=False)
    result = program.result
    if result.wasSuccessful() and len(result.skipped) == result.testsRun:
        print(f"skipped: {result.skipped[0][1]}")
        sys.exit(77)
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    main()
