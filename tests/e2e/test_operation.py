"""How the daemon is run: options, configuration files, exit codes, signals,
sockets and datagrams of systemd. On the demo pools and on files made here."""
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon, program, run_to_end  # noqa: E402
from held import sanitized  # noqa: E402
import libpasted  # noqa: E402


def png(width, height, pixel, alpha):
    """A PNG by the standard library: pixel(x, y) gives bytes."""
    def chunk(kind, data):
        body = kind + data
        return (struct.pack(">I", len(data)) + body +
                struct.pack(">I", zlib.crc32(body)))
    rows = b"".join(b"\0" + b"".join(pixel(x, y) for x in range(width))
                    for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 6 if alpha else 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def make_pools(folder, n_classes=5, n_backgrounds=4):
    """objects/CLASS/0.png and backgrounds/N.png below folder."""
    for c in range(n_classes):
        path = folder / "objects" / f"class-{c}"
        path.mkdir(parents=True)
        (path / "0.png").write_bytes(png(
            12, 12, lambda x, y: bytes((50 * c, 255 - 20 * x, 10 * y, 255)),
            True))
    (folder / "backgrounds").mkdir()
    for b in range(n_backgrounds):
        (folder / "backgrounds" / f"{b}.png").write_bytes(png(
            40, 30, lambda x, y: bytes((x * 5, y * 7, 60 * b)), False))
    return ["--objects", str(folder / "objects"),
            "--backgrounds", str(folder / "backgrounds")]


class WithFolder(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def write(self, name, content):
        path = self.folder / name
        path.write_text(content if isinstance(content, str)
                        else json.dumps(content))
        return str(path)

    def refused(self, code, words, *arguments):
        got, out, err = run_to_end(*arguments)
        self.assertEqual((got, out), (code, ""), err)
        for word in words if isinstance(words, tuple) else (words,):
            self.assertIn(word, err)


class Options(WithFolder):
    def test_help_and_version_need_nothing_else(self):
        code, out, _ = run_to_end("--help")
        self.assertEqual(code, 0)
        for option in ("--objects", "--http", "--memory-limit", "--matte"):
            self.assertIn(option, out)
        code, out, _ = run_to_end("--version")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"^pasted \d+\.\d+\.\d+ \(engine \d+\)\n$")

    def test_mistakes_of_usage_end_with_64(self):
        for words, arguments in (
                ("--demo, or", []),
                ('"--nonsense"', ["--nonsense"]),
                ('"demo"', ["demo"]),
                ("--http wants", ["--demo", "--http"]),
                ("--http", ["--demo", "--http", "nowhere"]),
                ("--http", ["--demo", "--http", "example.org:1"]),
                ("--workers", ["--demo", "--workers", "257"]),
                ("--memory-limit", ["--demo", "--memory-limit", "3X"]),
                ("--matte", ["--demo", "--matte", "green"]),
                ("belongs into the file",
                 ["--config", self.write("c.json", {
                     "pools": {"p": {"demo": True}}, "streams": {"s": {}}}),
                  "--demo"])):
            self.refused(64, words, *arguments)

    def test_mistakes_of_configuration_end_with_78(self):
        for words, arguments in (
                (("--recipe: ", '"nothing"', "no preset"),
                 ["--demo", "--recipe", "nothing"]),
                (("--recipe: ./nothing.json: No such file",),
                 ["--demo", "--recipe", "./nothing.json"]),
                ("No such file", ["--config", "/nothing.json"]),
                ("list.json: /: an object is wanted",
                 ["--config", self.write("list.json", [])]),
                ("either the demo", ["--demo", "--objects", "x"]),
                ("both objects", ["--objects", "x"]),
                ("other machines", ["--demo", "--http", "0.0.0.0:0"]),
                ("other machines", ["--demo", "--tcp", "[::]:0"]),
                ("", ["--demo", "--http", "127.0.0.1:0", "--tcp",
                      "127.0.0.1:0", "--token-file", "/nothing"]),
                ("", ["--objects", "/nothing", "--backgrounds", "/nothing",
                      "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0"])):
            self.refused(78, words, *arguments)

    def test_an_unknown_table_of_kernels_is_refused(self):
        code, _, err = run_to_end("--demo", env={"PASTED_CPU": "abacus"})
        self.assertEqual(code, 78, err)
        for word in ('"abacus"', "reference"):
            self.assertIn(word, err)
        code, _, err = run_to_end("--demo", "--check",
                                  env={"PASTED_CPU": "reference"})
        self.assertEqual(code, 0, err)

    def test_a_taken_port_ends_with_69(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            address = "127.0.0.1:%d" % s.getsockname()[1]
            self.refused(69, "in use", "--demo", "--http", address,
                         "--tcp", "127.0.0.1:0")
            self.refused(69, "in use", "--demo", "--http", "127.0.0.1:0",
                         "--tcp", address)

    def test_check_reads_everything_and_loads_nothing(self):
        recipe = self.write("r.json", {"size": 32})
        code, out, _ = run_to_end("--objects", "/not/there", "--backgrounds",
                                  "/not/there", "--recipe", recipe, "--check")
        self.assertEqual(code, 0, out)
        self.refused(78, ("r.json", "/size"), "--demo", "--check", "--recipe",
                     self.write("r.json", {"size": -1}))


class Configuration(WithFolder):
    def test_several_pools_and_streams(self):
        make_pools(self.folder)
        config = self.write("pasted.json", {
            "http": "127.0.0.1:0", "tcp": "127.0.0.1:0", "workers": 2,
            "batch_budget": "64M",
            "pools": {"a": {"objects": "objects",
                            "backgrounds": "backgrounds",
                            "classes": [f"class-{i}" for i in (2, 0, 1, 4, 3)]},
                      "b": {"objects": "objects", "backgrounds": "backgrounds",
                            "max_side": 20}},
            "streams": {
                "one": {"pool": "a", "recipe": {"size": 32}, "seed": 5},
                "two": {"pool": "b", "recipe": "recipe.json",
                        "seed": "18446744073709551615"}}})
        self.write("recipe.json", {
            "size": [24, 48], "graph": {"objects_per_background": 2}})
        with Daemon("--config", config, "--log-level", "debug") as d:
            listed = d.get("/v1/streams").json["streams"]
            self.assertEqual([s["name"] for s in listed], ["one", "two"])
            one = d.get("/v1/streams/one").json
            two = d.get("/v1/streams/two").json
            self.assertEqual(one["classes"][0], "class-2")
            self.assertEqual((one["size"], one["seed"]), ([32, 32], 5))
            self.assertEqual(two["size"], [24, 48])
            self.assertEqual(two["seed_text"], "18446744073709551615")
            self.assertEqual(
                [p["name"] for p in d.get("/v1/pools").json["pools"]],
                ["a", "b"])
            for name in ("one", "two"):
                self.assertEqual(
                    d.get(f"/v1/streams/{name}/samples/0.png").status, 200)

    def test_mistakes_are_pointed_at(self):
        good = {"pools": {"p": {"demo": True}}, "streams": {"s": {}}}
        self.write("r.json", {"object": {"scal": 1}})
        for pointer, change in (
                ("/pools/p", {"pools": {"p": {"demos": True}}}),
                ("/pools/p/demo", {"pools": {"p": {"demo": 1}}}),
                ("/pools/p/matte", {"pools": {"p": {"matte": "x"}}}),
                ("/pools", {"pools": {}}),
                ("/streams", {"streams": []}),
                ("/streams/s/pool", {"streams": {"s": {"pool": "q"}}}),
                ("/streams/s/recipe/object/scale",
                 {"streams": {"s": {"recipe": {"object": {"scale": "x"}}}}}),
                (("/streams/s/recipe: ", '"x"', "no preset"),
                 {"streams": {"s": {"recipe": "x"}}}),
                (("/streams/s/recipe: ", "r.json: /object/scal: unknown key"),
                 {"streams": {"s": {"recipe": "r.json"}}}),
                ("/streams/a b", {"streams": {"a b": {}}}),
                ("/http", {"http": "x"}),
                ("/workers", {"workers": -1}),
                ("unknown key", {"htpp": "127.0.0.1:1"})):
            path = self.write("c.json", {**good, **change})
            self.refused(78, pointer, "--config", path, "--check")
        self.refused(78, "line 1", "--config", self.write("c.json", "{"))
        self.refused(78, "duplicate", "--config", self.write(
            "c.json", '{"http": "127.0.0.1:0", "http": "127.0.0.1:0"}'))

    def test_skipped_files_are_named(self):
        arguments = make_pools(self.folder)
        (self.folder / "backgrounds" / "bad.png").write_bytes(b"not a png")
        with Daemon(*arguments) as d:
            pool, = d.get("/v1/pools").json["pools"]
            self.assertEqual(pool["backgrounds_skipped"], 1)
            self.assertIn("bad.png", pool["skipped"][0]["path"])
            self.assertTrue(pool["skipped"][0]["reason"])
            self.assertIn("bad.png", d.log)
            skipped = 'pasted_pool_skipped_files{pool="backgrounds"}'
            self.assertEqual(d.metrics()[skipped], 1)
        self.refused(78, "bad.png", *arguments, "--strict", "--http",
                     "127.0.0.1:0", "--tcp", "127.0.0.1:0")

    def test_memory_limit_is_checked_before_decoding(self):
        self.refused(78, "", *make_pools(self.folder), "--memory-limit", "1K",
                     "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0")


class Signals(WithFolder):
    def test_each_signal_ends_with_0(self):
        arguments = make_pools(self.folder)
        for number in (signal.SIGTERM, signal.SIGINT):
            with Daemon(*arguments) as d:
                begin = time.monotonic()
                d.signal(number)
                self.assertEqual(d.wait(), 0, d.log)
                self.assertLess(time.monotonic() - begin, 3)
                self.assertIn("stopped", d.log)

    def test_sigterm_while_loading_ends_with_0_at_once(self):
        with Daemon("--demo", ready=False) as d:
            self.assertEqual(d.get("/livez").status, 200)
            loading = d.get("/readyz")
            if loading.status == 200:
                self.skipTest("the demo pools were drawn too fast")
            self.assertEqual(loading.status, 503)
            self.assertEqual(loading.json["detail"], "loading")
            self.assertIn("retry-after", loading.headers)
            self.assertEqual(d.get("/v1/streams").status, 503)
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", d.tcp), 5).close()
            begin = time.monotonic()
            self.assertEqual(d.stop(), 0, d.log)
            self.assertLess(time.monotonic() - begin, 3)

    def test_requests_under_way_are_answered_before_the_end(self):
        arguments = make_pools(self.folder)
        with Daemon(*arguments, "--workers", "1", "--grace", "60") as d:
            answers = []

            def ask(i):
                answers.append(d.get(
                    f"/v1/streams/default/batches/{i}.npz?batch=300"))

            threads = [threading.Thread(target=ask, args=(i,))
                       for i in range(3)]
            for t in threads:
                t.start()
            while d.metrics()["pasted_worker_queue_jobs"] == 0 and not answers:
                pass
            d.signal(signal.SIGTERM)
            for t in threads:
                t.join()
            self.assertEqual(d.wait(), 0, d.log)
            self.assertEqual([a.status for a in answers], [200] * 3)

    def test_an_idle_session_holds_it_for_the_grace_only(self):
        with Daemon(*make_pools(self.folder), "--grace", "1") as d:
            with socket.create_connection(("127.0.0.1", d.tcp)):
                time.sleep(0.2)
                begin = time.monotonic()
                self.assertEqual(d.stop(), 0, d.log)
                self.assertLess(time.monotonic() - begin, 5)

    def test_readyz_says_stopping_and_a_second_signal_ends_at_once(self):
        with Daemon(*make_pools(self.folder), "--grace", "60") as d:
            hold = socket.create_connection(("127.0.0.1", d.http))
            hold.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            time.sleep(0.3)
            d.signal(signal.SIGTERM)
            time.sleep(0.3)
            answer = d.get("/readyz")
            self.assertEqual((answer.status, answer.json["detail"]),
                             (503, "stopping"))
            self.assertEqual(d.get("/livez").status, 200)
            d.signal(signal.SIGTERM)
            self.assertEqual(d.wait(5), 128 + signal.SIGTERM)
            hold.close()


class Systemd(WithFolder):
    def test_datagrams_tell_how_it_stands(self):
        path = str(self.folder / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(path)
            s.settimeout(30)
            env = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000"}
            with Daemon(*make_pools(self.folder), env=env) as d:
                time.sleep(0.5)
                d.stop()
            s.setblocking(False)
            seen = []
            while True:
                try:
                    seen.append(s.recv(4096).decode())
                except BlockingIOError:
                    break
        text = "\n".join(seen)
        self.assertIn("READY=1", text)
        self.assertIn("STATUS=serving 1 streams", text)
        self.assertGreaterEqual(seen.count("WATCHDOG=1"), 3)
        self.assertTrue(seen[-1].startswith("STOPPING=1"))

    def listener(self, name):
        """What systemd would listen on."""
        if name != "unix":
            return socket.create_server(("127.0.0.1", 0))
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(self.folder / "pasted.sock"))
        server.listen()
        return server

    def activate(self, names, arguments):
        """Starts the daemon as systemd would, with sockets from fd 3 on."""
        servers = [self.listener(name) for name in names]
        ports = [s.getsockname()[1] for s in servers]
        port_file = str(self.folder / "ports.json")
        pid = os.fork()
        if pid == 0:
            for i, s in enumerate(servers):
                os.dup2(os.dup(s.fileno()), 20 + i)
            for i in range(len(servers)):
                os.dup2(20 + i, 3 + i)
            os.environ.update(
                LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(names)),
                LISTEN_FDNAMES=":".join(names))
            os.execv(program(), [program(), *arguments, "--port-file",
                                 port_file])
        for s in servers:
            s.close()
        self.addCleanup(lambda: os.waitpid(pid, 0))
        self.addCleanup(lambda: os.kill(pid, signal.SIGTERM))
        end = time.monotonic() + 60
        while not os.path.exists(port_file) and time.monotonic() < end:
            time.sleep(0.02)
        return ports, json.loads(pathlib.Path(port_file).read_text())

    def test_inherited_sockets_are_used_by_name(self):
        ports, told = self.activate(["tcp", "http"], make_pools(self.folder))
        self.assertEqual(told, {"tcp": ports[0], "http": ports[1]})
        d = Daemon()
        d.http = ports[1]
        end = time.monotonic() + 60
        while not d.is_ready() and time.monotonic() < end:
            time.sleep(0.05)
        self.assertTrue(d.is_ready())
        socket.create_connection(("127.0.0.1", ports[0])).close()

    def test_an_inherited_socket_without_connections_is_refused(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            run = f'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@" 3<&{s.fileno()}'
            done = subprocess.run(
                ["sh", "-c", run, program(), "--demo", "--tcp", "127.0.0.1:0"],
                pass_fds=[s.fileno()], capture_output=True, text=True,
                timeout=60)
        self.assertGreater(done.returncode, 0)
        self.assertIn("the inherited HTTP socket: ", done.stderr)

    def start_with_fds(self, redirections, n=1, names=""):
        """What a daemon says that the environment promises n descriptors, of which a shell gives it
        these."""
        run = (f'export LISTEN_PID=$$ LISTEN_FDS={n} LISTEN_FDNAMES={names}; '
               f'exec "$0" "$@" {redirections}')
        done = subprocess.run(["sh", "-c", run, program(), "--demo", "--http", "127.0.0.1:0",
                               "--tcp", "127.0.0.1:0", "--port-file", "/dev/stderr"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 78, done.stderr)
        return done.stderr

    def test_a_promised_descriptor_that_does_not_listen_is_named(self):
        """It was said to be a socket that other machines can reach; and descriptors of the
        daemon's own stood in its place."""
        for redirections in ("3<&-", "3</dev/null"):
            log = self.start_with_fds(redirections, 3)
            self.assertIn("the inherited HTTP socket: LISTEN_FDS=3 says that it is descriptor 3, "
                          "which is no socket; start with systemd's socket units, or without "
                          "LISTEN_FDS and LISTEN_PID", log)
        log = self.start_with_fds("", 16, ":".join(["tcp"] * 16))
        self.assertIn("the inherited TCP socket: LISTEN_FDS=16 says that it is descriptor 18, "
                      "which is not open", log)

    def test_a_promised_socket_of_another_kind_is_refused(self):
        for name, option, why in (("unix", "127.0.0.1:0", "is no Unix socket"),
                                  ("tcp", "pasted.sock", "is a Unix socket")):
            family = socket.AF_INET if name == "unix" else socket.AF_UNIX
            with socket.socket(family) as s:
                s.bind(("127.0.0.1", 0) if name == "unix" else str(self.folder / option))
                s.listen()
                run = (f'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES={name} '
                       f'exec "$0" "$@" 3<&{s.fileno()}')
                done = subprocess.run(
                    ["sh", "-c", run, program(), "--demo", "--http", "127.0.0.1:0", "--tcp",
                     "127.0.0.1:0"], pass_fds=[s.fileno()], capture_output=True, text=True,
                    timeout=60)
            self.assertEqual(done.returncode, 78, done.stderr)
            self.assertIn(f"descriptor 3, which {why}", done.stderr)

    @unittest.skipIf(sanitized(), "ctypes cannot load a sanitized library")
    def test_an_inherited_unix_socket_offers_memory(self):
        path = self.folder / "pasted.sock"
        self.activate(["http", "tcp", "unix"], make_pools(self.folder))
        client = libpasted.Client(f"pasted+unix://{path}", batch=4)
        self.addCleanup(client.close)
        self.assertEqual(client.next()[0], libpasted.OK, client.error())
        self.assertGreater(client.stats().mapped, 0)


if __name__ == "__main__":
    unittest.main()
