"""Starts a real daemon for a test and stops it again.

    with Daemon("--demo") as d:
        d.get("/v1/streams")            # -> Answer
        socket.create_connection(("127.0.0.1", d.tcp))

Does not know the protocols beyond HTTP GET. Ports are free ones; the log is
kept in memory and printed when a test fails to start or stop its daemon.
PASTED_BUILD names the build directory."""
import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

READY_S = float(os.environ.get("PASTED_READY_S", "120"))


class Answer:
    """Status, headers (lower case) and body of one HTTP answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {k.lower(): v for k, v in headers}
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


def build_folder():
    return os.environ.get("PASTED_BUILD", "build/release")


def program():
    return os.path.join(build_folder(), "server", "pasted")


class Daemon:
    """A daemon on free ports of 127.0.0.1; a context manager.

    http, tcp: its ports. log: what it wrote to standard error so far.
    ready=False returns as soon as the ports are known, while pools load."""

    def __init__(self, *arguments, ready=True, env=None, ports=None):
        self.arguments = list(arguments)
        self.wait_for_ready = ready
        self.env = dict(os.environ, **(env or {}))
        self.ports = ports or {"http": 0, "tcp": 0}
        self.process = None
        self.http = self.tcp = 0
        self._lines = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.close()

    @property
    def log(self):
        return "".join(self._lines)

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        self._folder = tempfile.TemporaryDirectory(prefix="pasted-")
        port_file = os.path.join(self._folder.name, "ports.json")
        command = [program(), *self.arguments, "--port-file", port_file]
        for name in ("http", "tcp"):
            if f"--{name}" not in self.arguments:
                command += [f"--{name}", f"127.0.0.1:{self.ports[name]}"]
        self.process = subprocess.Popen(
            command, env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        try:
            self._wait(lambda: os.path.exists(port_file), "listen")
            with open(port_file) as f:
                known = json.load(f)
            self.http, self.tcp = known["http"], known["tcp"]
            if self.wait_for_ready:
                self._wait(self.is_ready, "be ready")
        except BaseException:
            self.close()
            raise

    def _read_log(self):
        for line in self.process.stderr:
            self._lines.append(line.decode(errors="replace"))

    def _wait(self, condition, what):
        end = time.monotonic() + READY_S
        while not condition():
            if self.process.poll() is not None:
                self._reader.join(5)
                raise RuntimeError(f"the daemon ended with "
                                   f"{self.process.returncode}:\n{self.log}")
            if time.monotonic() > end:
                raise RuntimeError(f"the daemon did not {what}:\n{self.log}")
            time.sleep(0.02)

    def is_ready(self):
        try:
            return self.get("/readyz").status == 200
        except OSError:
            return False

    def request(self, method, path, headers=None, body=None, timeout=60):
        """One request on a connection of its own."""
        c = http.client.HTTPConnection("127.0.0.1", self.http, timeout=timeout)
        try:
            c.request(method, path, body=body, headers=headers or {})
            r = c.getresponse()
            return Answer(r.status, r.getheaders(), r.read())
        finally:
            c.close()

    def get(self, path, headers=None, timeout=60):
        return self.request("GET", path, headers=headers, timeout=timeout)

    def metrics(self, headers=None):
        """Every sample of /metrics by its full name."""
        text = self.get("/metrics", headers=headers).body.decode()
        found = re.findall(r"^([a-z][^ ]*) (\S+)$", text, re.MULTILINE)
        return {name: float(value) for name, value in found}

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=30):
        """The exit code, once it has ended."""
        code = self.process.wait(timeout)
        self._reader.join(5)
        return code

    def stop(self, timeout=30):
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self):
        """SIGKILL, as a crash would."""
        self.process.kill()
        self.process.wait()

    def close(self):
        """Ends the daemon however it stands. Sanitizer reports and crashes
        are errors even where the test forgot to look."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise RuntimeError(f"the daemon did not stop:\n{self.log}")
        self._reader.join(5)
        self.process.stderr.close()
        self._folder.cleanup()
        for word in ("Sanitizer", "runtime error:", "Assertion"):
            if word in self.log:
                raise RuntimeError(f"the daemon reported:\n{self.log}")


def run_to_end(*arguments, env=None, timeout=60):
    """A daemon that should not stay: (exit code, standard output, error)."""
    done = subprocess.run([program(), *arguments], timeout=timeout,
                          env=dict(os.environ, **(env or {})),
                          stdin=subprocess.DEVNULL, capture_output=True)
    return done.returncode, done.stdout.decode(), done.stderr.decode()
