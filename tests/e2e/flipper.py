"""A proxy that damages what passes through it: each byte's bits flip with a small probability, in
either direction. Knows no protocol.

    with Flipper(port, to_client=1e-7) as f: connect to f.port"""
import random
import selectors
import socket
import threading


class Flipper:
    """to_client, to_server: the part of bytes that get one bit flipped."""

    def __init__(self, port, *, to_client=0.0, to_server=0.0, seed=1):
        self.target = ("127.0.0.1", port)
        self.rates = (to_server, to_client)
        self.random = random.Random(seed)
        self.flipped = self.connections = 0
        self.quiet = False  # True: damages no more
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.ends = []

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        for end in self.ends:
            end.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.target, 20)
            except OSError:
                return
            self.connections += 1
            self.ends += [client, server]
            threading.Thread(target=self.carry, args=(client, server), daemon=True).start()

    def carry(self, client, server):
        """Until one of both ends."""
        with selectors.DefaultSelector() as selector, client, server:
            try:
                selector.register(client, selectors.EVENT_READ, (server, self.rates[0]))
                selector.register(server, selectors.EVENT_READ, (client, self.rates[1]))
                while True:
                    for key, _ in selector.select():
                        data = bytearray(key.fileobj.recv(65536))
                        if not data:
                            return
                        to, rate = key.data
                        self.damage(data, rate)
                        to.sendall(data)
            except (OSError, ValueError):
                return

    def damage(self, data, rate):
        at = 0
        while rate > 0 and not self.quiet:
            at += int(self.random.expovariate(rate))
            if at >= len(data):
                return
            data[at] ^= 1 << self.random.randrange(8)
            self.flipped += 1
            at += 1
