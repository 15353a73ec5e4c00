"""Runs dump_samples and reads what it wrote: batch, plans, source images.
Recomputes nothing."""
import json
import pathlib
import struct
import subprocess

import numpy as np

DTYPES = {1: "<u1", 2: "<i4", 3: "<i8", 4: "<f4", 5: "<f2",
          6: "<u2"}  # bf16 as its bits


def read_tensors(payload):
    """BATCH payload of PROTOCOL.md -> name -> array."""
    n_tensors, = struct.unpack_from("<H", payload, 12)
    tensors = {}
    for i in range(n_tensors):
        name, dtype, n_dims, *rest = struct.unpack_from("<16sBB6x4QQQ",
                                                        payload, 32 + 72 * i)
        shape, offset, n_bytes = rest[:n_dims], rest[4], rest[5]
        data = np.frombuffer(payload[offset:offset + n_bytes], DTYPES[dtype])
        tensors[name.rstrip(b"\0").decode()] = data.reshape(shape)
    return tensors


class Dump:
    """What `program` writes into folder for n samples of a recipe, with k
    candidates of each."""

    def __init__(self, program, source, folder, recipe, first, n, k=1):
        self.folder = pathlib.Path(folder)
        path = self.folder / "recipe.json"
        path.write_text(json.dumps(recipe))
        subprocess.run([program, source, path, str(first), str(n), folder,
                        str(k)],
                       check=True)
        self.tensors = read_tensors((self.folder / "batch.bin").read_bytes())
        self.plans = [json.loads((self.folder / f"plan-{i}.json").read_text())
                      for i in range(n * k)]
        self.sizes = json.loads((self.folder / "images.json").read_text())

    def image(self, kind, number, channels, ending):
        w, h = self.sizes[kind + "s"][str(number)]
        raw = (self.folder / f"{kind}-{number}.{ending}").read_bytes()
        return np.frombuffer(raw, np.uint8).reshape(h, w, channels)

    def sources(self, plan):
        """The straight object and the background of a plan, and the straight
        distractor, or None."""
        other = plan["distractor"]
        return (self.image("object", plan["object"], 4, "rgba"),
                self.image("background", plan["background"], 3, "rgb"),
                self.image("object", other["object"], 4, "rgba")
                if other else None)
