"""pastectl against a real daemon: what it prints, what it writes (the same
bytes as over HTTP), how it exits."""
import io
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile
import zlib

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from daemon import Daemon, build_folder  # noqa: E402

PASTECTL = os.path.join(build_folder(), "client", "pastectl")
OK, FAILED, USAGE, NOTHING = 0, 1, 2, 3


def pastectl(*arguments):
    """Exit code, stdout, stderr."""
    done = subprocess.run([PASTECTL, *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=120)
    return done.returncode, done.stdout, done.stderr


def read_png(path):
    """Pixels [h, w, 3] of an 8-bit RGB PNG without interlace."""
    data = pathlib.Path(path).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed, width, height = 8, b"", 0, 0
    while at < len(data):
        n, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + n]
        if kind == b"IHDR":
            width, height, *form = struct.unpack(">IIBBBBB", body)
            assert form == [8, 2, 0, 0, 0], form
        if kind == b"IDAT":
            packed += body
        at += 12 + n
    rows = np.frombuffer(zlib.decompress(packed), np.uint8)
    rows = rows.reshape(height, 1 + 3 * width)
    out = np.zeros((height, width * 3 + 3), np.uint8)  # 3 zeros on the left
    for y in range(height):
        out[y, 3:] = unfilter(rows[y, 0], rows[y, 1:],
                              out[y - 1] if y else out[0] * 0)
    return out[:, 3:].reshape(height, width, 3)


def unfilter(kind, row, above):
    """One row; above has three zeros on its left."""
    line = [0, 0, 0] + row.tolist()
    up = above.tolist()
    for x in range(3, len(line)):
        a, b, c = line[x - 3], up[x], up[x - 3]
        near = min((abs(b - c), 0, a), (abs(a - c), 1, b),
                   (abs(a + b - 2 * c), 2, c))[2]
        line[x] = (line[x] + (0, a, b, (a + b) // 2, near)[kind]) & 255
    return line[3:]


class Pastectl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon("--demo")
        cls.daemon.start()
        cls.addClassCleanup(cls.daemon.close)
        cls.server = ("--server", f"127.0.0.1:{cls.daemon.tcp}")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_ok(self, *arguments):
        code, out, err = pastectl(*self.server, *arguments)
        self.assertEqual(code, OK, err)
        return out

    def http_npz(self, step, **query):
        query = "&".join(f"{k}={v}" for k, v in query.items())
        answer = self.daemon.get(
            f"/v1/streams/default/batches/{step}.npz?{query}")
        self.assertEqual(answer.status, 200)
        return np.load(io.BytesIO(answer.body))

    def test_status_shows_what_http_says(self):
        info = self.daemon.get("/v1/streams/default").json
        out = self.run_ok("status")
        self.assertIn("stream default", out)
        self.assertIn(info["fingerprint"], out)
        self.assertIn(f"{info['edges_per_epoch']} samples", out)
        self.assertIn(f"in {len(info['classes'])} classes", out)
        self.assertEqual(self.run_ok("status", "--quiet"), "")

    def test_npz_has_the_bytes_of_http(self):
        path = self.folder / "three.npz"
        self.run_ok("pull", "--steps", 3, "--batch", 20, "--out", path)
        self.assertIsNone(zipfile.ZipFile(path).testzip())
        ours = np.load(path)
        theirs = [self.http_npz(step, batch=20) for step in range(3)]
        self.assertEqual(set(ours), set(theirs[0]))
        for name in ours:
            whole = np.concatenate([t[name] for t in theirs])
            self.assertEqual(ours[name].dtype, whole.dtype, name)
            self.assertEqual(ours[name].tobytes(), whole.tobytes(), name)
            self.assertEqual(ours[name].shape, whole.shape, name)
        self.assertEqual(os.listdir(self.folder), ["three.npz"])

    def test_ranks_share_a_step(self):
        parts = []
        for rank in range(2):
            path = self.folder / f"{rank}.npz"
            self.run_ok("pull", "--batch", 20, "--rank", rank, "--world", 2,
                        "--from", 20, "--out", path)
            parts.append(np.load(path))
        whole = self.http_npz(1, batch=20)
        for name in whole:
            both = np.concatenate([p[name] for p in parts])
            self.assertEqual(both.tobytes(), whole[name].tobytes(), name)

    def test_png_folder_holds_every_sample(self):
        self.run_ok("pull", "--batch", 6, "--from", 30, "--out",
                    self.folder / "samples")
        names = sorted(os.listdir(self.folder / "samples"))
        whole = self.http_npz(5, batch=6)
        classes = self.daemon.get("/v1/streams/default").json["classes"]
        for i, name in enumerate(names):
            label = classes[whole["label"][i]]
            self.assertEqual(name, f"{30 + i:012d}_{label}.png")
            pixels = read_png(self.folder / "samples" / name)
            self.assertTrue((pixels == whole["image"][i]).all())
        self.assertEqual(len(names), 6)

    def test_npz_folder_has_a_file_for_each_step(self):
        self.run_ok("pull", "--batch", 6, "--steps", 2, "--format", "npz",
                    "--out", self.folder / "steps")
        self.assertEqual(sorted(os.listdir(self.folder / "steps")),
                         ["000000000000.npz", "000000000006.npz"])

    def test_preview_is_a_grid_of_the_batch(self):
        path = self.folder / "grid.png"
        self.run_ok("preview", "--batch", 6, "--columns", 3, "--out", path)
        image = self.http_npz(0, batch=6)["image"]
        _, h, w, _ = image.shape
        grid = read_png(path)
        self.assertEqual(grid.shape, (2 * (h + 2) + 2, 3 * (w + 2) + 2, 3))
        for i in range(6):
            top, left = 2 + i // 3 * (h + 2), 2 + i % 3 * (w + 2)
            cell = grid[top:top + h, left:left + w]
            self.assertTrue((cell == image[i]).all())

    def test_layout_and_dtype_are_the_callers(self):
        path = self.folder / "f32.npz"
        self.run_ok("pull", "--batch", 6, "--dtype", "f32", "--layout",
                    "nchw", "--checksum", "crc32", "--out", path)
        ours = np.load(path)["image"]
        theirs = self.http_npz(0, batch=6)["image"]
        self.assertEqual(ours.dtype, np.float32)
        self.assertEqual(ours.shape, theirs.transpose(0, 3, 1, 2).shape)

    def test_recipe_ops_prints_the_whole_table(self):
        out = self.run_ok("recipe", "ops")
        text = self.run_ok("recipe", "ops", "--json")
        self.assertEqual(text.encode(), self.daemon.get("/v1/operations").body)
        operations = json.loads(text)["operations"]
        heads = [line for line in out.splitlines() if line[:1].strip()]
        self.assertEqual(heads, [o["name"] for o in operations])
        self.assertLessEqual(max(map(len, out.splitlines())), 80)
        for one in operations:
            own = self.run_ok("recipe", "ops", one["name"])
            self.assertIn(own, out)
            words = " ".join(own.split())
            self.assertIn(one["text"], words)
            self.assertIn(one["like"] or "", words)
            for v in one["values"]:
                unit = v["unit"] + ", " if v["unit"] else ""
                self.assertIn(
                    f"{v['name']} {unit}{v['min']:g} .. {v['max']:g}, default "
                    f"{json.dumps(v['default'])}. {v['text']}", words)

    def test_recipe_list_and_show(self):
        out = self.run_ok("recipe", "list")
        presets = json.loads(self.run_ok("recipe", "list", "--json"))
        for preset in presets["presets"]:
            self.assertIn(preset["name"], out)
            self.assertIn(preset["source"], " ".join(out.split()))
            text = self.run_ok("recipe", "show", preset["name"])
            path = f"/v1/presets/{preset['name']}"
            self.assertEqual(text.encode(), self.daemon.get(path).body)

    def test_what_show_prints_is_the_same_recipe(self):
        text = self.run_ok("recipe", "show", "jin-rinard-signs")
        path = self.folder / "recipe.json"
        path.write_text(text, encoding="utf-8")
        with Daemon("--demo", "--recipe", str(path)) as own, \
                Daemon("--demo", "--recipe", "jin-rinard-signs") as named:
            a, b = (d.get("/v1/streams/default").json for d in (own, named))
        self.assertEqual(a["fingerprint"], b["fingerprint"])
        self.assertEqual(a["recipe"], b["recipe"])

    def test_recipe_goes_to_the_next_server(self):
        servers = f"127.0.0.1:1,127.0.0.1:{self.daemon.tcp}"
        code, out, err = pastectl("recipe", "--server", servers, "list")
        self.assertEqual(code, OK, err)
        self.assertIn("bench", out)

    def test_bench_prints_every_way(self):
        out = self.run_ok("bench", "--seconds", 1, "--batch", 8)
        for row in ("stream", "memcpy", "raw loopback socket", "raw, woken per MB"):
            self.assertRegex(out, rf"(?m)^{row} +\d+ +[\d.]+ +[\d.]+\.\.")
        self.assertRegex(out, r"(?m)^first batch [\d.]+ ms after")

    def test_the_example_ends_with_its_state(self):
        info = self.daemon.get("/v1/streams/default").json
        done = subprocess.run(
            [os.path.join(build_folder(), "tests", "pull_batches"),
             f"pasted://127.0.0.1:{self.daemon.tcp}/default?batch=60", "5"],
            text=True, stdout=subprocess.PIPE, check=True, timeout=60)
        state = json.loads(done.stdout.split("state ")[1])
        self.assertEqual(state, {"stream": "default", "position": 300,
                                 "fingerprint": info["fingerprint"]})

    def test_exit_codes(self):
        cases = [
            (USAGE, []),
            (USAGE, ["nonsense"]),
            (USAGE, ["status", "--nonsense"]),
            (USAGE, ["status", "more"]),
            (USAGE, ["pull"]),
            (USAGE, ["pull", "--steps", "0", "--out", "x.npz"]),
            (USAGE, ["pull", "--format", "png", "--out", "x.npz"]),
            (USAGE, [*self.server, "pull", "--rank", 2, "--world", 2,
                     "--out", self.folder / "x.npz"]),
            (NOTHING, ["--server", "127.0.0.1:1", "status"]),
            (NOTHING, [*self.server, "--stream", "nobody", "status"]),
            (FAILED, [*self.server, "pull", "--out", "/nowhere/x.npz"]),
            (FAILED, [*self.server, "--fingerprint", "0" * 64, "status"]),
            (USAGE, [*self.server, "preview", "--out", self.folder / "x.jpg"]),
            (OK, ["--server", f"pasted://127.0.0.1:{self.daemon.tcp}", "status",
                  "--quiet"]),
            (USAGE, ["--server", "pasted://127.0.0.1/default", "status"]),
            (USAGE, ["recipe"]),
            (USAGE, ["recipe", "nonsense"]),
            (USAGE, ["recipe", "show"]),
            (USAGE, ["recipe", "list", "more"]),
            (USAGE, ["recipe", "show", "one", "two"]),
            (USAGE, ["recipe", "show", "x" * 300]),
            (NOTHING, ["--server", "127.0.0.1:1", "recipe", "ops"]),
            (NOTHING, [*self.server, "recipe", "show", "no such"]),
            (NOTHING, [*self.server, "recipe", "ops", "no such"]),
            (OK, ["--help"]),
            (OK, ["pull", "--help"]),
            (OK, ["--version"]),
        ]
        for wanted, arguments in cases:
            code, _, err = pastectl(*arguments)
            self.assertEqual(code, wanted, f"{arguments}: {err}")
            self.assertEqual(bool(err), wanted != OK, arguments)
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_refused_option_is_named_as_it_was_given(self):
        for option, value in (("--from", "1e3"), ("--timeout", "x"),
                              ("--server", ""), ("--batch", "3x"),
                              ("--batch", " 3"), ("--rank", "1.5"),
                              ("--world", "-1"), ("--world", "0"),
                              ("--prefetch", "+2"), ("--candidates", "33"),
                              ("--replay", "0x3"), ("--steps", "1.5"),
                              ("--steps", "1e2"), ("--dtype", "f31"),
                              ("--feedback", "1"), ("--checksum", "crc"),
                              ("--ring", "yes"), ("--fingerprint", "x")):
            code, out, err = pastectl("pull", "--out", self.folder / "x.npz",
                                      option, value)
            self.assertEqual((code, out), (USAGE, ""), f"{option}: {err}")
            self.assertRegex(err, f"^pastectl: {option}(: | takes )")
        for command, option in (("preview", "--columns"),
                                ("preview", "--position"),
                                ("bench", "--seconds")):
            code, _, err = pastectl(command, "--out", self.folder / "x.png",
                                    option, "3x") if command == "preview" \
                else pastectl(command, option, "3x")
            self.assertEqual(code, USAGE, err)
            self.assertRegex(err, f"^pastectl: {option}(: | takes )")

    def test_the_port_of_http_is_guessed(self):
        code, _, err = pastectl("--server", f"127.0.0.1:{self.daemon.http}",
                                "status")
        self.assertEqual(code, NOTHING, err)
        self.assertIn("is it the port of HTTP?", err)

    def test_help_names_every_command(self):
        out = pastectl("--help")[1]
        for command in ("status", "pull", "preview", "recipe", "bench"):
            self.assertIn(command, out)
            self.assertIn("--server", pastectl(command, "--help")[1])


class Tokens(unittest.TestCase):
    def test_a_token_file_opens_the_door(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "tokens"
            path.write_text("a-token-of-twenty-four-letters\n",
                            encoding="utf-8")
            path.chmod(0o600)
            with Daemon("--demo", "--token-file", str(path)) as daemon:
                server = ("--server", f"127.0.0.1:{daemon.tcp}")
                code, _, err = pastectl(*server, "status")
                self.assertEqual(code, FAILED, err)
                self.assertIn("token", err)
                code, out, err = pastectl(*server, "--token-file", path,
                                          "status")
                self.assertEqual(code, OK, err)
                self.assertIn("stream default", out)


if __name__ == "__main__":
    unittest.main(verbosity=2)
