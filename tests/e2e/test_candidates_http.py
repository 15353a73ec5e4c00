"""Candidates over HTTP: side by side in batches, one by one in plans, tags that
tell them apart. What they are, tests/unit and tests/golden show."""
import unittest

import numpy as np

from test_http import S, WithDaemon, load_npz, setUpModule  # noqa: F401


class Candidates(WithDaemon):
    def test_batches_hold_them_side_by_side(self):
        plain = load_npz(self.get(S + "/batches/3.npz?batch=8"))
        many = load_npz(self.get(S + "/batches/3.npz?batch=8&candidates=4"))
        np.testing.assert_array_equal(many["image"][::4], plain["image"])
        np.testing.assert_array_equal(many["label"], plain["label"].repeat(4))
        np.testing.assert_array_equal(many["candidate"],
                                      np.tile(np.arange(4), 8))
        self.assertEqual(len(np.unique(many["image"].reshape(32, -1),
                                       axis=0)), 32)
        for name in ("png", "safetensors", "json"):
            self.get(S + f"/batches/3.{name}?batch=8&candidates=4")

    def test_tags_differ_and_one_is_as_without(self):
        for path in ("/batches/3.npz", "/batches/3.png", "/samples/7.png"):
            tags = [self.get(S + path + query).headers["etag"] for query in
                    ("", "?candidates=1", "?candidates=2", "?candidates=3")]
            self.assertEqual(tags[0], tags[1])
            self.assertEqual(len(set(tags)), 3)

    def test_a_plan_is_of_one(self):
        plans = [self.get(S + f"/samples/7.json?candidate={j}").json
                 for j in range(4)]
        self.assertEqual([p["candidate"] for p in plans], [0, 1, 2, 3])
        self.assertEqual(plans[0], self.get(S + "/samples/7.json").json)
        for plan in plans[1:]:
            turn = plan["told"]["rotate_deg"] - plans[0]["told"]["rotate_deg"]
            self.assertLessEqual(abs(turn), 30)
            self.assertNotEqual(turn, 0)

    def test_beyond_the_limit(self):
        for query in ("?candidates=0", "?candidates=33", "?candidates=-1"):
            answer = self.problem(S + "/batches/3.npz" + query, 400)
            self.assertIn("candidates", answer.json["detail"])
        answer = self.problem(S + "/samples/7.json?candidate=32", 400)
        self.assertIn("candidate", answer.json["detail"])


if __name__ == "__main__":
    unittest.main()
