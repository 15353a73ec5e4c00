"""Frames through single operations of the daemon's code, by the program that
the first argument of the command line names (apply_operation.c)."""
import subprocess
import sys

import numpy as np

APPLY = sys.argv[1]


def apply_all(requests):
    """[(name, p, [h, w, 3])] -> frames"""
    text = b"".join(
        f"{name} {f.shape[1]} {f.shape[0]} {' '.join(map(str, p))}\n".encode()
        + np.ascontiguousarray(f, np.uint8).tobytes()
        for name, p, f in requests)
    out = subprocess.run([APPLY], input=text, stdout=subprocess.PIPE,
                         check=True).stdout
    frames, at = [], 0
    for _, _, f in requests:
        frames.append(np.frombuffer(out, np.uint8, f.size, at)
                      .reshape(f.shape))
        at += f.size
    assert at == len(out)
    return frames
