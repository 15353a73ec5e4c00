"""Feedback tables over HTTP: uploaded, read back, named by batches and samples,
refused when they are bad; the server lives on and its memory is bounded.

Does not test the binary protocol (test_feedback.py)."""
import hashlib
import io
import json
import pathlib
import struct
import tempfile
import time
import unittest

import numpy as np

from daemon import Daemon

CONFIG = {
    "pools": {"demo": {"demo": True}},
    "streams": {
        "default": {"pool": "demo", "recipe": {
            "size": 24, "distractor": {"probability": 1},
            "labels": {"tensors": ["label", "distractor", "position"]}}},
        "chained": {"pool": "demo", "recipe": {
            "size": 24, "batch": 32, "distractor": {"probability": 1},
            "chain": {"slots": 8},
            "labels": {"tensors": ["label", "distractor", "position"]}}},
        "plain": {"pool": "demo"}}}
S = "/v1/streams/default"


def digest_of(weights):
    n = len(weights)
    flat = np.asarray(weights, "<u2").tobytes()
    return hashlib.sha256(struct.pack("<I", n) + flat).hexdigest()


class FeedbackTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(cls.folder.name, "config.json")
        path.write_text(json.dumps(CONFIG))
        cls.daemon = Daemon("--config", str(path))
        cls.daemon.start()
        stream = cls.daemon.get(S).json
        cls.classes = stream["classes"]
        cls.n = len(cls.classes)

    @classmethod
    def tearDownClass(cls):
        cls.daemon.close()
        cls.folder.cleanup()

    def put(self, body, status=200, path="/v1/feedback"):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        answer = self.daemon.request("PUT", path, body=body)
        self.assertEqual(answer.status, status, answer.body[:300])
        return answer

    def table(self, step=1):
        """Class c is always confused with class c + step."""
        return np.roll(np.eye(self.n, dtype=int), step, axis=1).tolist()

    def upload(self, weights):
        return self.put({"stream": "default",
                         "weights": weights}).json["feedback"]

    def labels(self, query=""):
        answer = self.daemon.get(f"{S}/batches/3.npz{query}")
        self.assertEqual(answer.status, 200, answer.body[:300])
        with np.load(io.BytesIO(answer.body)) as batch:
            return batch["label"], batch["distractor"], answer.body

    def metric(self, name):
        for line in self.daemon.get("/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        self.fail(name)

    def test_a_table_is_named_by_its_digest_and_reads_back(self):
        weights = np.arange(1, self.n ** 2 + 1).reshape(self.n, self.n)
        digest = self.upload(weights.tolist())
        self.assertEqual(digest, digest_of(weights))
        self.assertEqual(self.upload(weights.tolist()), digest)
        answer = self.daemon.get(f"/v1/feedback/{digest}")
        self.assertEqual(answer.json, {"feedback": digest, "n_classes": self.n,
                                       "weights": weights.tolist()})
        again = self.daemon.get(f"/v1/feedback/{digest}", headers={
            "If-None-Match": answer.headers["etag"]})
        self.assertEqual((again.status, again.body), (304, b""))
        listed = self.daemon.get("/v1/feedback").json["feedback"]
        self.assertIn(digest, [one["feedback"] for one in listed])

    def test_other_numbers_are_scaled_row_by_row(self):
        weights = np.full((self.n, self.n), 0.5)
        weights[:, 0] = 1e-9
        weights[:, 1] = 0
        digest = self.upload(weights.tolist())
        row = [1, 0] + [65535] * (self.n - 2)
        self.assertEqual(digest, digest_of([row] * self.n))

    def test_the_table_decides_the_class(self):
        label, other, _ = self.labels()
        self.assertTrue(np.all(label != other))
        plain = label
        for step in (1, 2):
            digest = self.upload(self.table(step))
            label, other, body = self.labels(f"?feedback={digest}")
            np.testing.assert_array_equal(label, plain)
            np.testing.assert_array_equal(other, (label + step) % self.n)
            self.assertEqual(body, self.labels(f"?feedback={digest}")[2])

    def test_chains_are_drawn_with_the_table_too(self):
        digests = [self.upload(self.table(step)) for step in (1, 2)]

        def image(step, digest, slice_):
            answer = self.daemon.get(
                f"/v1/streams/chained/batches/{step}.npz?feedback={digest}"
                f"&rank={slice_[0]}&world={slice_[1]}")
            self.assertEqual(answer.status, 200, answer.body[:300])
            with np.load(io.BytesIO(answer.body)) as batch:
                np.testing.assert_array_equal(
                    batch["distractor"],
                    (batch["label"] + 1 + digests.index(digest)) % self.n)
                return batch["image"]
        # A later step at once; then slices of all before it, in order.
        late = [image(5, digest, (0, 1)) for digest in digests]
        self.assertTrue(np.any(late[0] != late[1]))
        for step in range(6):
            for digest, whole in zip(digests, late):
                slices = [image(step, digest, (r, 4)) for r in range(4)]
                if step == 5:
                    np.testing.assert_array_equal(np.concatenate(slices),
                                                  whole)

    def test_entity_tags_tell_tables_apart(self):
        digests = [self.upload(self.table(step)) for step in (1, 2)]
        for path in (f"{S}/samples/5.png", f"{S}/samples/5.json",
                     f"{S}/batches/0.npz"):
            tags = {self.daemon.get(path + query).headers["etag"]
                    for query in ("", f"?feedback={digests[0]}",
                                  f"?feedback={digests[1]}")}
            self.assertEqual(len(tags), 3, path)

    def test_the_plan_shows_the_distractor(self):
        digest = self.upload(self.table())
        plan = self.daemon.get(f"{S}/samples/9.json?feedback={digest}").json
        self.assertEqual(plan["distractor"]["class_id"],
                         (plan["label"] + 1) % self.n)

    def test_an_unknown_digest_is_an_error_of_its_own(self):
        for path in (f"{S}/batches/0.npz?feedback={'0' * 64}",
                     f"{S}/samples/0.json?feedback={'0' * 64}",
                     "/v1/feedback/" + "0" * 64):
            answer = self.daemon.get(path)
            self.assertEqual((answer.status, answer.json["code"]),
                             (404, "unknown_feedback"), path)

    def test_a_stream_without_distractors_refuses_a_table(self):
        digest = self.upload(self.table())
        answer = self.daemon.get(
            f"/v1/streams/plain/batches/0.npz?feedback={digest}")
        self.assertEqual(answer.status, 400)
        self.assertIn("/distractor/probability", answer.json["detail"])

    def refuse(self, weights, *words, status=400):
        answer = self.put({"stream": "default", "weights": weights}, status)
        for word in words:
            self.assertIn(word, answer.json["detail"])

    def test_bad_tables_are_refused_by_name(self):
        good = self.table()
        third = self.classes[3]
        for bad in (-1, -1e-300):
            rows = [list(row) for row in good]
            rows[3][2] = bad
            self.refuse(rows, third, self.classes[2])
        rows = [list(row) for row in good]
        rows[3] = [0] * self.n
        self.refuse(rows, third, "zeros")
        rows[3] = ["1"] * self.n
        self.refuse(rows, "/weights/3/0", "number")
        rows[3] = [1] * (self.n - 1)
        self.refuse(rows, "/weights/3", third)
        self.refuse(good[:-1], "classes")
        self.refuse(good + good, "classes")
        self.refuse("x", "/weights")
        self.refuse([], "classes")

    def test_what_is_no_table_is_refused(self):
        text = json.dumps({"stream": "default", "weights": self.table()})
        for body in (b"", b"{", b"[]", b"null", b"\0", b"\xff" * 9,
                     text.replace("0", "NaN", 1).encode(),
                     text.replace("0", "1e999", 1).encode(),
                     b'{"stream": "default"}', b'{"stream": 3, "weights": []}',
                     text.replace("{", '{"more": 1, ', 1).encode()):
            self.put(body, 400)
        self.put({"stream": "nowhere", "weights": []}, 404)

    def test_bodies_are_bounded(self):
        long = self.daemon.request(
            "PUT", "/v1/feedback", headers={"Content-Length": "1048577"})
        self.assertEqual(long.status, 413)
        self.put(b"{}", 413, path="/v1/streams")
        for method in ("POST", "PUT", "GET"):  # contexts of a refined chain
            answer = self.daemon.request(
                method, "/v1/streams/chained/batches/1.npz", body=b"\0" * 9)
            self.assertEqual(answer.status, 413)
            self.assertRegex(answer.json["detail"],
                             "refined chains.* binary protocol only")
        answer = self.daemon.get("/v1/streams/chained/batches/1.npz?contexts=x")
        self.assertEqual(answer.status, 400)
        answer = self.daemon.request("GET", "/v1/feedback", body=b"{}")
        self.assertEqual(answer.status, 413)
        answer = self.daemon.request("POST", "/v1/feedback")
        self.assertEqual((answer.status, answer.headers["allow"]),
                         (405, "GET, HEAD, PUT"))
        chunked = self.daemon.request(
            "PUT", "/v1/feedback", headers={"Transfer-Encoding": "chunked"})
        self.assertEqual(chunked.status, 411)

    def test_many_uploads_take_bounded_memory(self):
        refusals = 'pasted_feedback_uploads_total{answer="refused"}'
        before = self.metric(refusals)
        for i in range(300):
            self.upload((np.eye(self.n, dtype=int) + i + 1).tolist())
        self.assertEqual(self.metric("pasted_feedback_tables"), 256)
        self.assertLessEqual(self.metric("pasted_feedback_bytes"), 64 << 20)
        self.assertGreater(self.metric("pasted_feedback_evictions_total"), 40)
        self.refuse(np.zeros((self.n, self.n)).tolist())
        self.assertEqual(self.metric(refusals), before + 1)

    def test_the_description_says_so(self):
        paths = self.daemon.get("/openapi.json").json["paths"]
        self.assertIn("put", paths["/v1/feedback"])
        self.assertIn("get", paths["/v1/feedback/{feedback}"])
        names = [p["name"] for p in
                 paths["/v1/streams/{stream}/batches/{step}.npz"]["get"][
                     "parameters"]]
        self.assertIn("feedback", names)


class Limits(unittest.TestCase):
    """What the configuration says of tables."""

    def daemon(self, **limits):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name, "config.json")
        path.write_text(json.dumps({**CONFIG, **limits}))
        daemon = Daemon("--config", str(path))
        daemon.start()
        self.addCleanup(daemon.close)
        return daemon

    def put(self, daemon, number):
        n = len(daemon.get(S).json["classes"])
        weights = (np.eye(n, dtype=int) + number).tolist()
        return daemon.request("PUT", "/v1/feedback", body=json.dumps(
            {"stream": "default", "weights": weights}).encode())

    def test_a_table_goes_when_its_time_is_over(self):
        """By a timer: no request is made that asks for tables meanwhile."""
        daemon = self.daemon(feedback_lifetime=2)
        self.assertEqual(self.put(daemon, 1).status, 200)
        self.assertEqual(daemon.metrics()["pasted_feedback_tables"], 1)
        time.sleep(3.5)
        self.assertEqual(daemon.get("/v1/feedback").json, {"feedback": []})
        metrics = daemon.metrics()
        self.assertEqual((metrics["pasted_feedback_tables"],
                          metrics["pasted_feedback_bytes"]), (0, 0))

    def test_number_and_classes(self):
        daemon = self.daemon(feedback_tables=2, feedback_classes=57)
        for number in range(1, 6):
            self.assertEqual(self.put(daemon, number).status, 200)
        self.assertEqual(daemon.metrics()["pasted_feedback_tables"], 2)
        daemon = self.daemon(feedback_classes=56)
        refused = self.put(daemon, 1)
        self.assertEqual(refused.status, 413, refused.body)
        self.assertIn("at most 56 classes", refused.json["detail"])


if __name__ == "__main__":
    unittest.main()
