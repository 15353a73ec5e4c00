"""Feedback through libpasted and Python: tables made of confusion, used from the
next batch on, named by saved states, uploaded again wherever a server has not
got them; the same bytes from every replica.

Does not test the protocol itself (tests/protocol) nor HTTP."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

from daemon import Daemon, build_folder
from test_operation import png

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("PASTED_LIBRARY", os.path.abspath(
    os.path.join(build_folder(), "client", "lib", "libpasted.so.0")))
sys.path.insert(0, os.fspath(ROOT / "client" / "python"))

import pasted  # noqa: E402

CONFIG = {
    "pools": {"demo": {"demo": True}},
    "streams": {
        "default": {"pool": "demo", "recipe": {
            "size": 24, "batch": 32, "distractor": {"probability": 1},
            "labels": {"tensors": ["label", "distractor", "position"]}}},
        "plain": {"pool": "demo", "recipe": {"size": 8}}}}


def url_of(*daemons, stream="default", more=""):
    hosts = ",".join(f"127.0.0.1:{d.tcp}" for d in daemons)
    return f"pasted://{hosts}/{stream}?reconnect_timeout_ms=20000{more}"


class FeedbackTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(cls.folder.name, "config.json")
        path.write_text(json.dumps(CONFIG))
        cls.config = ("--config", str(path), "--workers", "1")
        cls.a = Daemon(*cls.config)
        cls.a.start()
        with pasted.connect(url_of(cls.a)) as client:
            cls.n = client.info["n_classes"]

    @classmethod
    def tearDownClass(cls):
        cls.a.close()
        cls.folder.cleanup()

    def table(self, step):
        """Class c is always confused with class c + step."""
        return np.roll(np.eye(self.n), step, axis=1)

    def check(self, batch, step):
        np.testing.assert_array_equal(
            batch["distractor"], (batch["label"] + step) % self.n)

    def test_a_table_is_used_from_the_next_batch_on(self):
        with pasted.connect(url_of(self.a)) as client:
            plain = [client.next() for _ in range(2)]
            self.assertNotIn("feedback", client.state_dict())
            digest = client.feedback(self.table(3))
            self.assertEqual(len(digest), 64)
            batch = client.next()
            self.assertEqual(batch.cursor, plain[-1].cursor + 32)
            self.check(batch, 3)
            self.assertEqual(client.state_dict()["feedback"], digest)
            again = client.pull(plain[0].cursor)
            np.testing.assert_array_equal(again["label"], plain[0]["label"])
            self.check(again, 3)
            self.assertEqual(client.feedback(self.table(3)), digest)
            self.assertIsNone(client.feedback(None))
            last = client.pull(plain[0].cursor)
            np.testing.assert_array_equal(last["image"], plain[0]["image"])

    def test_bad_tables_change_nothing(self):
        with pasted.connect(url_of(self.a)) as client:
            digest = client.feedback(self.table(1))
            at = client.position
            for row, what in ((-1, "-1"), (np.nan, "nan"), (np.inf, "inf")):
                bad = self.table(1)
                bad[4, 2] = row
                with self.assertRaisesRegex(pasted.BadArgument,
                                            f"class 4.*class 2.*{what}"):
                    client.feedback(bad)
            bad = self.table(1)
            bad[5] = 0
            with self.assertRaisesRegex(pasted.BadArgument, "class 5.*zeros"):
                client.feedback(bad)
            for shape in ((3, 4), (self.n - 1, self.n - 1), (9,), (1025, 1025)):
                with self.assertRaises(pasted.PastedError):
                    client.feedback(np.ones(shape))
            self.assertEqual(client.position, at)
            self.assertEqual(client.state_dict()["feedback"], digest)
            self.check(client.next(), 1)

    def test_a_stream_without_distractors_refuses(self):
        with pasted.connect(url_of(self.a, stream="plain")) as client:
            before = client.next()
            with self.assertRaisesRegex(pasted.BadArgument, "distractor"):
                client.feedback(self.table(1))
            self.assertEqual(client.next().cursor, before.cursor + 64)

    def test_a_saved_state_names_its_table(self):
        with pasted.connect(url_of(self.a)) as client:
            client.feedback(self.table(2))
            client.next()
            state = json.loads(json.dumps(client.state_dict()))
            expected = client.next()
            client.feedback(self.table(5))
            self.check(client.next(), 5)
            client.load_state_dict(state)  # an open client goes back
            np.testing.assert_array_equal(client.next()["image"],
                                          expected["image"])
        with pasted.connect(url_of(self.a), state=state) as client:
            self.assertEqual(client.state_dict(), state)
            np.testing.assert_array_equal(client.next()["image"],
                                          expected["image"])

    def test_another_server_gets_the_table_again(self):
        with pasted.connect(url_of(self.a)) as client:
            client.feedback(self.table(2))
            state = client.state_dict()
            expected = client.next()
        with Daemon(*self.config) as other:
            with self.assertRaises(pasted.UnknownFeedback):
                pasted.connect(url_of(other), state=state)
            with self.assertRaises(pasted.UnknownFeedback):
                pasted.connect(url_of(other), state=state,
                               feedback=self.table(7))
            with pasted.connect(url_of(other), state=state,
                                feedback=self.table(2)) as client:
                self.assertEqual(client.state_dict(), state)
                np.testing.assert_array_equal(client.next()["image"],
                                              expected["image"])
            with pasted.connect(url_of(other),
                                feedback=state["feedback"]) as client:
                self.check(client.next(), 2)

    def test_failing_over_uploads_again_and_gives_the_same_bytes(self):
        table = self.table(4)
        with pasted.connect(url_of(self.a), feedback=table) as client:
            expected = [client.next() for _ in range(8)]
        with Daemon(*self.config) as first, Daemon(*self.config) as second:
            with pasted.connect(url_of(first, second)) as client:
                client.feedback(table)
                got = [client.next() for _ in range(3)]
                self.assertEqual(
                    second.get("/v1/feedback").json["feedback"], [])
                first.process.kill()
                first.process.wait()
                got += [client.next() for _ in range(5)]
                self.assertGreaterEqual(client.stats["reconnects"], 1)
            listed = second.get("/v1/feedback").json["feedback"]
            self.assertEqual(len(listed), 1)
        for one, two in zip(expected, got):
            self.assertEqual(one.cursor, two.cursor)
            for name in one:
                np.testing.assert_array_equal(one[name], two[name], name)

    def test_a_loader_takes_and_saves_a_table(self):
        def loader(**options):
            return pasted.Loader(url_of(self.a), framework="numpy",
                                 tensors=("label", "distractor"), steps=2,
                                 **options)
        with loader() as first:
            for label, other in first:
                self.assertTrue(np.all(label != other))
            digest = first.feedback(self.table(5))
            for label, other in first:
                self.check({"label": label, "distractor": other}, 5)
            state = first.state_dict()
            self.assertEqual(state["feedback"], digest)
            expected = list(first)
        for more in ({}, {"feedback": self.table(5)}):
            with loader(**more) as second:
                second.load_state_dict(state)
                for one, two in zip(expected, second):
                    np.testing.assert_array_equal(one[1], two[1])

    def pastectl(self, *arguments):
        return subprocess.run(
            [os.path.join(build_folder(), "client", "pastectl"), *arguments,
             "--server", f"127.0.0.1:{self.a.tcp}"], capture_output=True,
            text=True, timeout=60)

    def test_pastectl_uploads_and_names_a_table(self):
        table = pathlib.Path(self.folder.name, "table.txt")
        np.savetxt(table, self.table(6), delimiter=",")
        done = self.pastectl("feedback", "put", str(table))
        self.assertEqual(done.returncode, 0, done.stderr)
        out = pathlib.Path(self.folder.name, "batch.npz")
        pulled = self.pastectl("pull", "--feedback", done.stdout.strip(),
                               "--out", str(out), "--quiet")
        self.assertEqual(pulled.returncode, 0, pulled.stderr)
        with np.load(out) as batch:
            self.check(batch, 6)
        unknown = self.pastectl("pull", "--feedback", "0" * 64, "--out",
                                str(out))
        self.assertEqual(unknown.returncode, 3)  # no such table
        self.assertIn("feedback", unknown.stderr)
        for text, why in (("1 2 x", "number 3"), ("1 2 3", "3 numbers"),
                          ("-1 " * self.n ** 2, "-1"), ("", "0 numbers")):
            table.write_text(text)
            bad = self.pastectl("feedback", "put", str(table))
            self.assertIn(bad.returncode, (1, 2), bad.stderr)
            self.assertIn(why, bad.stderr)
        table.write_text("1 2\n\n3 x")
        self.assertIn("line 3: number 4",
                      self.pastectl("feedback", "put", str(table)).stderr)
        self.assertIn("Is a directory", self.pastectl(
            "feedback", "put", self.folder.name).stderr)
        self.assertEqual(self.pastectl("feedback").returncode, 2)

    def test_pastectl_lists_and_shows_tables(self):
        with pasted.connect(url_of(self.a)) as client:
            digest = client.feedback(self.table(9))
            listed = self.pastectl("feedback", "list")
            self.assertRegex(listed.stdout, f"(?m)^{digest}  {self.n} "
                             "classes, in use$")
        shown = self.pastectl("feedback", "show", digest)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        np.testing.assert_array_equal(
            np.loadtxt(shown.stdout.splitlines()), self.table(9))
        table = pathlib.Path(self.folder.name, "shown.txt")
        table.write_text(shown.stdout)
        again = self.pastectl("feedback", "put", str(table))
        self.assertEqual(again.stdout.strip(), digest)
        self.assertRegex(self.pastectl("feedback", "list").stdout,
                         f"(?m)^{digest}  .*, unused for [0-9]+ s$")
        for words, path in ((["list"], ""), (["show", digest], f"/{digest}")):
            told = self.pastectl("feedback", *words, "--json")
            ours, theirs = (json.loads(told.stdout),
                            self.a.get(f"/v1/feedback{path}").json)
            for one in (*ours["feedback"], *theirs["feedback"]):
                if not path:
                    one.pop("unused_seconds")
            self.assertEqual(ours, theirs)
        for unknown in ("0" * 64, "x", digest[:-1], digest + "0"):
            done = self.pastectl("feedback", "show", unknown)
            self.assertEqual((done.returncode, done.stdout), (3, ""))
            self.assertIn("no feedback table", done.stderr)
        for usage in (["list", "more"], ["show"], ["nonsense"]):
            self.assertEqual(self.pastectl("feedback", *usage).returncode, 2)

    def test_a_table_longer_than_a_reply_is_had_by_http(self):
        n = 450
        folder = pathlib.Path(self.folder.name, "many")
        spot = png(2, 2, lambda x, y: b"\xff" * 4, True)
        for c in range(n):
            path = folder / "objects" / f"{c:03}"
            path.mkdir(parents=True)
            (path / "0.png").write_bytes(spot)
        (folder / "backgrounds").mkdir()
        (folder / "backgrounds" / "0.png").write_bytes(
            png(8, 8, lambda x, y: b"\0" * 3, False))
        recipe = folder / "recipe.json"
        recipe.write_text(json.dumps(
            {"size": 8, "distractor": {"probability": 1}}))
        with Daemon("--objects", str(folder / "objects"), "--backgrounds",
                    str(folder / "backgrounds"), "--recipe", str(recipe),
                    "--workers", "1") as daemon, \
                pasted.connect(url_of(daemon)) as client:
            digest = client.feedback(np.full((n, n), 60000))
            with self.assertRaisesRegex(pasted.PastedError, "HTTP has it"):
                client.ask(f"feedback {digest}")
            self.assertIn(digest, json.dumps(client.ask("feedback")))
            client.next()  # it is still open
            told = daemon.get(f"/v1/feedback/{digest}")
            self.assertEqual(told.status, 200)
            self.assertGreater(len(told.body), 1 << 20)

    def test_confusion_becomes_a_table(self):
        confusion = pasted.Confusion(self.n)
        confusion.add([0, 0, 0, 1, 1, 2], [0, 1, 1, 1, 2, 2])
        counts = confusion.counts
        self.assertEqual((counts[0, 1], counts[1, 2], counts[2, 2]), (2, 1, 1))
        weights = confusion.weights(0)
        self.assertEqual(weights[0].tolist(), [0, 2] + [0] * (self.n - 2))
        self.assertEqual(weights[2].tolist(), [1, 1, 0] + [1] * (self.n - 3))
        smooth = confusion.weights(0.5)
        self.assertEqual((smooth[0, 1], smooth[0, 2], smooth[0, 0]),
                         (2.5, 0.5, 0))
        for bad in ([-1], [self.n]):
            with self.assertRaises(pasted.BadArgument):
                confusion.add([0, bad[0]], [0, 1])
        self.assertEqual(confusion.counts[0, 0], 1)
        for bad in (-1, np.nan, np.inf):
            with self.assertRaises(pasted.BadArgument):
                confusion.weights(bad)
        for n in (0, 1025):
            with self.assertRaises(pasted.BadArgument):
                pasted.Confusion(n)
        with pasted.connect(url_of(self.a), feedback=weights) as client:
            batch = client.next()
            self.assertTrue(np.all(batch["distractor"] != batch["label"]))
            zeros = batch["label"] == 0
            self.assertTrue(np.all(batch["distractor"][zeros] == 1))
        confusion.reset()
        self.assertEqual(confusion.counts.sum(), 0)


if __name__ == "__main__":
    unittest.main()
