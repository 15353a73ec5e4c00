"""HTTP against a real daemon on its demo pools: every route, HEAD, tags and
caching, problems, limits, and how often anything is composed."""
import concurrent.futures
import contextlib
import html.parser
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon, build_folder  # noqa: E402

S = "/v1/streams/default"
COMPOSED = "pasted_samples_composed_total"
TENSORS = {"image": "|u1", "label": "<i8", "object": "<i4",
           "background": "<i4", "position": "<i8", "box": "<f4",
           "visible": "<f4"}


def load_npz(answer):
    return dict(np.load(io.BytesIO(answer.body)))


SHARED = Daemon("--demo", "--seed", "11")


def setUpModule():
    SHARED.start()
    unittest.addModuleCleanup(SHARED.close)


class WithDaemon(unittest.TestCase):
    daemon = SHARED

    def get(self, path, status=200, **headers):
        answer = self.daemon.get(
            path, {k.replace("_", "-"): v for k, v in headers.items()})
        self.assertEqual(answer.status, status, answer.body[:300])
        self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
        if status != 304:
            self.assertEqual(int(answer.headers["content-length"]),
                             len(answer.body))
        return answer

    def problem(self, path, status, **headers):
        answer = self.get(path, status, **headers)
        self.assertEqual(answer.headers["content-type"],
                         "application/problem+json")
        self.assertLessEqual({"type", "title", "status", "detail", "instance"},
                             set(answer.json))
        self.assertEqual(answer.json["status"], status)
        self.assertEqual(answer.headers["cache-control"], "no-store")
        return answer

    def composed(self):
        return self.daemon.metrics()[COMPOSED]

    @property
    def fingerprint(self):
        return self.get(S).json["fingerprint"]


class Routes(WithDaemon):
    def test_health_answers_in_plain_text(self):
        for path, text in (("/livez", b"ok\n"), ("/healthz", b"ok\n"),
                           ("/readyz", b"ready\n")):
            answer = self.get(path)
            self.assertEqual(answer.body, text)
            self.assertEqual(answer.headers["cache-control"], "no-store")

    def test_streams_are_listed_and_described(self):
        listed = self.get("/v1/streams").json["streams"]
        self.assertEqual([s["name"] for s in listed], ["default"])
        s = self.get(listed[0]["href"]).json
        self.assertRegex(s["fingerprint"], "^[0-9a-f]{64}$")
        self.assertEqual(s["seed"], 11)
        self.assertEqual(s["seed_text"], "11")
        self.assertEqual(s["edges_per_epoch"] % len(s["classes"]), 0)
        self.assertGreaterEqual(
            s["edges_per_epoch"],
            s["backgrounds"] * s["objects_per_background"])
        self.assertGreaterEqual(s["objects"], 30)
        self.assertGreaterEqual(s["backgrounds"], 50)
        self.assertEqual(len(s["size"]), 2)
        self.assertEqual(s["recipe"]["seed"], 11)
        self.assertEqual((s["dtype"], s["layout"]), ("u8", "nhwc"))
        self.assertGreater(s["batch"], 0)

    def test_pools_say_what_was_loaded(self):
        stream = self.get(S).json
        pool, = self.get("/v1/pools").json["pools"]
        self.assertEqual(pool["objects"], stream["objects"])
        self.assertEqual(pool["backgrounds"], stream["backgrounds"])
        self.assertEqual(pool["digest"], stream["catalog"])
        self.assertEqual([c["name"] for c in pool["classes"]],
                         stream["classes"])
        self.assertEqual(pool["skipped"], [])

    def test_graph_is_balanced_and_says_how_it_knows(self):
        stream = self.get(S).json
        for epoch in (0, 3):
            g = self.get(f"{S}/graph?epoch={epoch}").json
            self.assertEqual(g["epoch"], epoch)
            self.assertEqual(g["edges"], stream["edges_per_epoch"])
            self.assertEqual(g["duplicate_edges"], 0)
            low, high = g["object_degree"]
            self.assertLessEqual(high - low, 1)
            self.assertIn("every edge", g["counted"])

    def test_sample_has_image_and_plan(self):
        png = self.get(f"{S}/samples/5.png")
        self.assertEqual(png.headers["content-type"], "image/png")
        self.assertEqual(png.body[:8], b"\x89PNG\r\n\x1a\n")
        plan = self.get(f"{S}/samples/5.json").json
        self.assertEqual(plan["position"], 5)
        self.assertEqual(plan["stream"], "default")
        self.assertEqual(len(plan["box"]), 4)

    def test_plan_and_batch_agree_on_box_and_label(self):
        z = load_npz(self.get(f"{S}/batches/0.npz?batch=8"))
        for i in range(8):
            plan = self.get(f"{S}/samples/{i}.json").json
            self.assertEqual(plan["box"], z["box"][i].tolist())
            self.assertEqual(plan["label"], z["label"][i])
            self.assertEqual(plan["object"], z["object"][i])
            self.assertEqual(plan["background"], z["background"][i])

    def test_npz_has_the_promised_members(self):
        z = load_npz(self.get(f"{S}/batches/1.npz?batch=6"))
        self.assertEqual({k: v.dtype.str for k, v in z.items()}, TENSORS)
        height, width = self.get(S).json["size"]
        self.assertEqual(z["image"].shape, (6, height, width, 3))
        self.assertEqual(z["box"].shape, (6, 4))
        for name in ("label", "object", "background", "position", "visible"):
            self.assertEqual(z[name].shape, (6,))
        self.assertEqual(z["position"].tolist(), list(range(6, 12)))

    def test_batch_json_holds_the_same_labels(self):
        z = load_npz(self.get(f"{S}/batches/2.npz?batch=4"))
        j = self.get(f"{S}/batches/2.json?batch=4").json
        for name in set(TENSORS) - {"image"}:
            np.testing.assert_array_equal(np.array(j[name], z[name].dtype),
                                          z[name])

    def test_ranks_share_a_step_without_gap_or_overlap(self):
        whole = load_npz(self.get(f"{S}/batches/3.npz?batch=12"))
        parts = [load_npz(self.get(
            f"{S}/batches/3.npz?batch=12&world=3&rank={r}")) for r in range(3)]
        for name in TENSORS:
            np.testing.assert_array_equal(
                np.concatenate([p[name] for p in parts]), whole[name])

    def test_default_batch_is_the_recipes(self):
        batch = self.get(S).json["batch"]
        z = load_npz(self.get(f"{S}/batches/1.npz"))
        self.assertEqual(z["position"].tolist(), list(range(batch, 2 * batch)))

    def test_page_is_self_contained(self):
        page = self.get("/")
        policy = page.headers["content-security-policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertIn("img-src 'self'", policy)
        self.assertNotIn("unsafe", policy)
        text = page.body.decode()
        self.assertNotIn("<script", text)
        self.assertIn(self.fingerprint, text)
        self.assertIn(f"curl http://127.0.0.1:{self.daemon.http}{S}", text)
        html.parser.HTMLParser().feed(text)
        for link in re.findall(r'(?:src|href)="([^"]*)"', text):
            self.get(link.replace("&amp;", "&"))

    def test_page_shows_what_the_batch_budget_allows_of_large_samples(self):
        with Daemon("--demo", "--recipe", "copy-paste",
                    "--batch-budget", "256M") as daemon:
            text = daemon.get("/").body.decode()
            preview, = re.findall(r'<img [^>]*src="([^"]*)"', text)
            answer = daemon.get(preview.replace("&amp;", "&"))
            self.assertEqual(answer.status, 200, answer.body[:300])
            self.assertLess(len(answer.body), 16 << 20)

    def test_readyz_says_more_when_asked(self):
        for path in ("/readyz?verbose", "/readyz?verbose=1"):
            lines = self.get(path).body.decode().splitlines()
            self.assertEqual((lines[0], lines[-1]), ("loop ok", "ready"))
            self.assertIn("pools ok: 1 streams", lines)
        self.assertEqual(self.get("/readyz?verbose=0").body, b"ready\n")
        self.get("/readyz?verbose=2", 400)
        self.get("/livez?verbose", 400)

    def test_metrics_pass_promtool(self):
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed (package prometheus)")
        answer = self.get("/metrics")
        self.assertIn("version=0.0.4", answer.headers["content-type"])
        done = subprocess.run(["promtool", "check", "metrics"],
                              input=answer.body, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr.decode())

    def test_openapi_describes_what_is_served(self):
        api = self.get("/openapi.json").json
        self.assertEqual(api["openapi"], "3.1.0")
        known = {"stream": "default", "position": "0", "step": "0",
                 "preset": "bench", "group": "told"}
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([os.path.join(build_folder(), "client", "pastectl"),
                            "pull", "--group", "told", "--batch", "4",
                            "--server", f"127.0.0.1:{self.daemon.tcp}",
                            "--quiet", "--out", f"{folder}/told.npz"],
                           check=True, timeout=60)
        n = len(self.get(S).json["classes"])
        table = {"stream": "default", "weights": [[1] * n] * n}
        known["feedback"] = self.daemon.request(
            "PUT", "/v1/feedback", body=json.dumps(table)).json["feedback"]
        operations = set()
        for pattern, item in api["paths"].items():
            self.assertEqual(set(item) - {"get", "head"},
                             {"put"} if pattern == "/v1/feedback" else set())
            path = pattern.format(**known)
            if not path.endswith(".mask.png"):  # of recipes that name a mask
                answer = self.get(path)
                content = item["get"]["responses"]["200"]["content"]
                self.assertEqual([answer.headers["content-type"]],
                                 list(content))
            operations.add(item["get"]["operationId"])
            for p in item["get"]["parameters"]:
                if p["in"] == "path":
                    self.assertIn("{" + p["name"] + "}", pattern)
        self.assertEqual(len(operations), len(api["paths"]))


class Caching(WithDaemon):
    heavy = ["samples/7.png", "samples/7.json", "batches/7.png?batch=4",
             "batches/7.npz?batch=4", "batches/7.json?batch=4",
             "batches/7.safetensors?batch=4",
             "graph?epoch=2"]

    def test_head_and_304_compose_nothing(self):
        before = self.composed()
        tags = {}
        for path in self.heavy:
            head = self.daemon.request("HEAD", f"{S}/{path}")
            self.assertEqual((head.status, head.body), (200, b""), path)
            tags[path] = head.headers["etag"]
        for path, tag in tags.items():
            self.get(f"{S}/{path}", 304, If_None_Match=tag)
            self.get(f"{S}/{path}", 304, If_None_Match=f'"x", W/{tag}')
        self.assertEqual(self.composed(), before)
        self.assertEqual(len(set(tags.values())), len(tags))
        for path, tag in tags.items():
            self.assertEqual(self.get(f"{S}/{path}").headers["etag"], tag)
        self.assertGreater(self.composed(), before)

    def test_head_of_npz_knows_the_length(self):
        head = self.daemon.request("HEAD", f"{S}/batches/9.npz?batch=4")
        got = self.get(f"{S}/batches/9.npz?batch=4")
        self.assertEqual(head.headers["content-length"],
                         got.headers["content-length"])

    def test_head_works_on_every_route(self):
        for path in ("/", "/livez", "/readyz", "/metrics", "/openapi.json",
                     "/v1/streams", S, "/v1/pools", "/v1/operations",
                     "/v1/presets", "/v1/presets/bench"):
            head = self.daemon.request("HEAD", path)
            self.assertEqual((head.status, head.body), (200, b""), path)
            self.assertIn("content-length", head.headers)

    def test_only_a_pinned_url_is_immutable(self):
        for path in self.heavy:
            url = f"{S}/{path}{'&' if '?' in path else '?'}"
            self.assertEqual(self.get(url[:-1]).headers["cache-control"],
                             "no-cache")
            pinned = self.get(f"{url}fingerprint={self.fingerprint}")
            self.assertIn("immutable", pinned.headers["cache-control"])
            p = self.problem(f"{url}fingerprint={'0' * 64}", 409)
            self.assertIn(self.fingerprint, p.json["detail"])

    def test_json_documents_have_tags_too(self):
        for path in ("/v1/streams", S, "/v1/pools", "/openapi.json",
                     "/v1/operations", "/v1/presets/bench"):
            tag = self.get(path).headers["etag"]
            self.assertEqual(self.get(path, 304, If_None_Match=tag).body, b"")

    def test_tags_differ_by_slice_and_format(self):
        paths = ["batches/1.npz?batch=4", "batches/1.npz?batch=8",
                 "batches/2.npz?batch=4", "batches/1.png?batch=4",
                 "batches/1.npz?batch=8&world=2&rank=1", "samples/4.png"]
        tags = {self.daemon.request("HEAD", f"{S}/{p}").headers["etag"]
                for p in paths}
        self.assertEqual(len(tags), len(paths))
        # ... but not by how the same positions are named.
        same = [self.daemon.request("HEAD", f"{S}/{p}").headers["etag"]
                for p in ("batches/1.npz?batch=4",
                          "batches/0.npz?batch=8&world=2&rank=1")]
        self.assertEqual(same[0], same[1])

    def test_two_clients_on_one_step_compose_it_once(self):
        before = self.composed()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            path = f"{S}/batches/40.npz?batch=32"
            bodies = {a.body for a in pool.map(self.daemon.get, [path] * 8)}
        self.assertEqual(len(bodies), 1)
        self.assertEqual(self.composed() - before, 32)


class SameBytes(WithDaemon):
    def test_another_daemon_serves_the_same_bytes(self):
        paths = [f"{S}/batches/5.npz?batch=16", f"{S}/batches/5.png?batch=16",
                 f"{S}/samples/81.png", f"{S}/samples/81.json"]
        mine = [self.get(p) for p in paths]
        with Daemon("--demo", "--seed", "11", "--workers", "3") as other:
            theirs = [other.get(p) for p in paths]
        for path, a, b in zip(paths, mine, theirs):
            self.assertEqual(a.headers["etag"], b.headers["etag"], path)
            self.assertEqual(a.body, b.body, path)


class Problems(WithDaemon):
    def test_404_says_what_exists(self):
        self.assertIn(f"{S.replace('default', '{stream}')}/graph",
                      self.problem("/v1/nothing", 404).json["paths"])
        p = self.problem("/v1/streams/nope", 404)
        self.assertEqual(p.json["streams"], ["default"])
        self.assertEqual(p.json["instance"], "/v1/streams/nope")

    def test_405_says_what_is_allowed(self):
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer = self.daemon.request(method, S)
            self.assertEqual(answer.status, 405, method)
            self.assertEqual(answer.headers["allow"], "GET, HEAD")

    def test_bodies_are_refused(self):
        for method in ("GET", "POST"):
            answer = self.daemon.request(method, S, body=b"x" * 10)
            self.assertEqual(answer.status, 413, method)
        self.get("/livez")

    def test_parameters_are_read_strictly(self):
        for query in ("unknown=1", "batch=0", "batch=-1", "batch=", "batch",
                      "batch=1e3", "batch=+4", "batch=04", "batch=4&batch=4",
                      "batch=99999999999999999999", "batch=4&world=3",
                      "batch=4&world=2&rank=2", "world=0", "epoch=1",
                      "fingerprint=abc", "batch=4%00", "BATCH=4"):
            self.problem(f"{S}/batches/0.npz?{query}", 400)
        for path in ("batches/x.npz", "batches/-1.npz", "batches/01.npz",
                     "samples/9223372036854775808.png",
                     "batches/9223372036854775807.npz",
                     "graph?epoch=9223372036854775807"):
            self.problem(f"{S}/{path}", 400)
        self.problem("/livez?x=1", 400)
        self.problem(f"{S}%00/x", 400)

    def test_the_limit_is_of_the_slice_not_of_the_step(self):
        whole = load_npz(self.get(f"{S}/batches/5.npz?batch=4"))
        part = load_npz(self.get(
            f"{S}/batches/0.npz?batch=4194304&world=1048576&rank=5"))
        for name, tensor in whole.items():
            self.assertTrue((part[name] == tensor).all(), name)
        self.problem(f"{S}/batches/0.npz?batch=4194304&world=2", 413)
        self.problem(f"{S}/batches/0.npz?batch=4294967295", 413)
        self.problem(f"{S}/batches/0.npz?batch=4294967296", 400)

    def test_the_last_positions_can_be_asked_for(self):
        last = (2 ** 63 - 1) // 4 - 1
        z = load_npz(self.get(f"{S}/batches/{last}.npz?batch=4"))
        self.assertEqual(z["position"][0], last * 4)

    def test_too_large_a_batch_is_refused_in_time(self):
        answer = self.daemon.get(f"{S}/batches/0.npz?batch=65536")
        self.assertIn(answer.status, (200, 413))

    def test_long_uri(self):
        self.problem("/" + "a" * 4000, 414)

    def test_headers_are_bounded(self):
        answer = self.daemon.get("/livez", {"X-Long": "a" * 40000})
        self.assertEqual(answer.status, 431)


class Tokens(unittest.TestCase):
    def test_token_opens_all_but_health(self):
        with tempfile.NamedTemporaryFile("w", suffix=".tokens") as f:
            f.write("# tokens\nfirst-token-0123456789\nsecond-token-012345\n")
            f.flush()
            with Daemon("--demo", "--token-file", f.name) as d:
                for path in ("/livez", "/readyz", "/healthz"):
                    self.assertEqual(d.get(path).status, 200)
                for path in ("/", "/metrics", "/v1/streams", S, "/v1/pools",
                             "/openapi.json", f"{S}/samples/0.png"):
                    refused = d.get(path)
                    self.assertEqual(refused.status, 401, path)
                    self.assertIn("Bearer",
                                  refused.headers["www-authenticate"])
                    for token in ("first-token-0123456789",
                                  "second-token-012345"):
                        ok = d.get(path, {"Authorization": "Bearer " + token})
                        self.assertEqual(ok.status, 200, path)
                for wrong in ("Bearer first-token-012345678", "Bearer ",
                              "Basic first-token-0123456789", "Bearer x"):
                    answer = d.get(S, {"Authorization": wrong})
                    self.assertEqual(answer.status, 401)
                self.assertNotIn("first-token", d.log)


class Limits(WithDaemon):
    def raw(self, data):
        s = socket.create_connection(("127.0.0.1", self.daemon.http), 60)
        s.sendall(data)
        return s

    def test_pipelined_requests_are_answered_in_order(self):
        paths = [f"{S}/samples/{i}.json" for i in (3, 1, 2)]
        with self.raw("".join(
                f"GET {p} HTTP/1.1\r\nHost: x\r\n\r\n" for p in paths
                ).encode() + b"GET /livez HTTP/1.1\r\nHost: x\r\n"
                             b"Connection: close\r\n\r\n") as s:
            data = b""
            while chunk := s.recv(65536):
                data += chunk
        found = re.findall(rb'"position": (\d+)', data)
        self.assertEqual(found, [b"3", b"1", b"2"])

    def test_rubbish_is_refused_and_the_daemon_lives(self):
        for data in (b"\x00" * 100, b"GET\r\n\r\n", b"x" * 20000,
                     b"GET / HTTP/9.9\r\n\r\n",
                     b"GET http:// HTTP/1.1\r\nHost: \r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: x\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"):
            # What is no end of a request is waited for; then we leave.
            with self.raw(data) as s, contextlib.suppress(OSError):
                s.settimeout(0.5)
                while s.recv(65536):
                    pass
        self.get("/livez")

    def test_clients_that_leave_in_the_middle_leave_nothing(self):
        for i in range(40):
            s = self.raw(f"GET {S}/batches/{i}.npz?batch=64 HTTP/1.1\r\n"
                         "Host: x\r\n\r\n".encode())
            if i % 2:
                s.recv(100)
            s.close()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            m = self.daemon.metrics()
            if (m['pasted_connections{transport="http"}'] <= 1
                    and m["pasted_worker_queue_jobs"] == 0):
                return
            time.sleep(0.1)
        self.fail(json.dumps(m, indent=1))

    def test_many_connections_at_once(self):
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            paths = [f"{S}/samples/{i % 20}.png" for i in range(256)]
            answers = list(pool.map(self.daemon.get, paths))
        self.assertEqual({a.status for a in answers}, {200})


if __name__ == "__main__":
    unittest.main()
