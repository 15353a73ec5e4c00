"""Hosts of a test: network namespaces joined by a bridge, so that links can be
cut, slowed and made to lose packets as between machines.

    with Hosts("a", "b") as hosts:
        hosts.popen("a", ["command"])     # runs there
        hosts.address("a")                # 10.213.0.1
        hosts.cut("a"); hosts.mend("a")

Needs root, iproute2 and iptables; Hosts.missing() says what is not there."""
import os
import shutil
import subprocess
import uuid


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


class Hosts:
    """One namespace a name, and one more that holds the bridge."""

    def __init__(self, *names):
        self.names = names
        self.tag = "p" + uuid.uuid4().hex[:5]
        self._made = []

    @staticmethod
    def missing():
        """Why hosts cannot be made here, or None."""
        for tool in ("ip", "iptables", "tc"):
            if shutil.which(tool) is None:
                return f"{tool} is not installed"
        probe = "p" + uuid.uuid4().hex[:8]
        try:
            ip("netns", "add", probe)
            ip("-n", probe, "link", "add", "b0", "type", "bridge")
            ip("-n", probe, "link", "add", "v0", "type", "veth", "peer",
               "name", "v1")
        except subprocess.CalledProcessError as error:
            return "no network namespaces: " + error.stderr.decode().strip()
        finally:
            subprocess.run(["ip", "netns", "del", probe], capture_output=True)
        return None

    def namespace(self, name):
        return f"{self.tag}-{name}"

    def address(self, name):
        return f"10.213.0.{self.names.index(name) + 1}"

    def __enter__(self):
        try:
            self._make("hub")
            self._in("hub", "link", "add", "bridge", "type", "bridge")
            self._in("hub", "link", "set", "bridge", "up")
            for name in self.names:
                self._join(name)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception):
        self.close()

    def _make(self, name):
        ip("netns", "add", self.namespace(name))
        self._made.append(name)
        self._in(name, "link", "set", "lo", "up")

    def _in(self, name, *arguments):
        ip("-n", self.namespace(name), *arguments)

    def _join(self, name):
        self._make(name)
        self._in("hub", "link", "add", f"to-{name}", "type", "veth", "peer",
                 "name", "eth0", "netns", self.namespace(name))
        self._in("hub", "link", "set", f"to-{name}", "master", "bridge", "up")
        self._in(name, "address", "add", self.address(name) + "/24", "dev",
                 "eth0")
        self._in(name, "link", "set", "eth0", "up")

    def close(self):
        for name in reversed(self._made):
            subprocess.run(["ip", "netns", "del", self.namespace(name)],
                           capture_output=True)
        self._made = []

    def popen(self, name, command, **options):
        """subprocess.Popen of the command in that host."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self.namespace(name), *command],
            stdin=subprocess.DEVNULL, **options)

    def run(self, name, *command):
        subprocess.run(["ip", "netns", "exec", self.namespace(name), *command],
                       check=True, capture_output=True,
                       env=dict(os.environ, LC_ALL="C"))

    # -- what can happen to the link of a host ----------------------------

    def cut(self, name):
        """Packets vanish both ways; nobody is told."""
        self.run(name, "iptables", "-A", "INPUT", "-i", "eth0", "-j", "DROP")
        self.run(name, "iptables", "-A", "OUTPUT", "-o", "eth0", "-j", "DROP")

    def lose(self, name, fraction):
        """That part of the packets vanishes, both ways."""
        for chain, way in (("INPUT", "-i"), ("OUTPUT", "-o")):
            self.run(name, "iptables", "-A", chain, way, "eth0", "-m",
                     "statistic", "--mode", "random", "--probability",
                     str(fraction), "-j", "DROP")

    def slow(self, name, rate):
        """What the host sends is held to a rate ("1mbit"), with the delay of
        the queue before it."""
        self.run(name, "tc", "qdisc", "add", "dev", "eth0", "root", "tbf",
                 "rate", rate, "burst", "4kb", "latency", "400ms")

    def unplug(self, name):
        """The link is down: the host itself notices."""
        self._in("hub", "link", "set", f"to-{name}", "down")

    def mend(self, name):
        """Undoes all of the above."""
        self.run(name, "iptables", "-F")
        self._in("hub", "link", "set", f"to-{name}", "up")
        subprocess.run(["ip", "netns", "exec", self.namespace(name), "tc",
                        "qdisc", "del", "dev", "eth0", "root"],
                       capture_output=True)
