"""One member of a group as a process of its own: tells on standard output what
it got and what became of its acknowledgements, a line each:

    GOT step delivery digest
    ACK step status

    group_member.py URL GROUP [hold|KEY=VALUE...]

hold: waits for a line on standard input before each acknowledgement."""
import hashlib
import random
import sys
import time

import libpasted


def say(*words):
    print(*words, flush=True)


def main():
    url, group, *rest = sys.argv[1:]
    hold = "hold" in rest
    options = dict(word.split("=", 1) for word in rest if "=" in word)
    pause_s = float(options.pop("pause", "0"))
    client = libpasted.Client(url, group=group, **options)
    while True:
        status, _, data = client.next()
        if status != libpasted.OK:
            break
        step = client.lease.step
        say("GOT", step, client.lease.delivery,
            hashlib.sha256(data).hexdigest())
        if hold:
            sys.stdin.readline()
        time.sleep(random.random() * pause_s)
        say("ACK", step, client.ack())
    say("END", status)
    client.close()
    sys.exit(status != libpasted.ENDED)


if __name__ == "__main__":
    main()
