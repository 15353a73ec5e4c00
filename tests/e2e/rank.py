"""One rank of a training run: reads its slices of an epoch through the Python
package and writes what it received, a line a step:

    CURSOR FIRST_POSITION DIGEST [POSITION,...]

Usage: rank.py URL RANK WORLD STEPS SECONDS_A_STEP FILE. Errors that leave the
client usable are counted and asked again, as a patient trainer would; the
counts are the last line."""
import hashlib
import json
import sys
import time

import pasted

PATIENT = (pasted.Timeout, pasted.Disconnected, pasted.Overloaded)


def digest(batch):
    h = hashlib.sha256()
    for name in batch:
        h.update(name.encode())
        h.update(batch[name].tobytes())
    return h.hexdigest()


def main(url, rank, world, steps, pause, path):
    faults = {}
    connect = dict(rank=rank, world=world, timeout=3,
                   connect_timeout_ms=1500, reconnect_timeout_ms=4000,
                   keepalive_ms=700)
    client = None
    done = 0
    with open(path, "w") as out:
        while done < int(steps):
            try:
                if client is None:
                    client = pasted.connect(url, **connect)
                batch = client.next()
            except PATIENT as error:
                name = type(error).__name__
                faults[name] = faults.get(name, 0) + 1
                time.sleep(0.05)
                continue
            positions = ",".join(map(str, batch["position"]))
            print(batch.cursor, batch.first_position, digest(batch),
                  positions, file=out, flush=True)
            done += 1
            time.sleep(float(pause))
        print(json.dumps(dict(faults, **client.stats)), file=out)


if __name__ == "__main__":
    main(*sys.argv[1:])
