"""A daemon on this machine and one on 64-bit ARM are replicas of each other:
the same fingerprint, the same bytes of batches. Knows no golden digest.

    python3 tests/aarch64/replicas.py BUILD_FOLDER BUILD_FOLDER"""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from daemon import Daemon  # noqa: E402

FORMATS = ("npz", "png")
STEPS = (0, 1, 1000003)  # of the first epoch, and far from it


def answers(folder, recipe):
    """What the daemon of a build folder sends, by path."""
    os.environ["PASTED_BUILD"] = folder
    found = {}
    with Daemon("--demo", "--recipe", recipe) as d:
        stream = d.get("/v1/streams/default")
        assert stream.status == 200, stream.body
        found["fingerprint"] = stream.json["fingerprint"]
        for step in STEPS:
            for form in FORMATS:
                path = f"/v1/streams/default/batches/{step}.{form}?batch=64"
                answer = d.get(path)
                assert answer.status == 200, (path, answer.body)
                found[path] = answer.body
    return found


def main(one, other):
    for recipe in ("default", "jin-rinard-signs", "jin-rinard-digits"):
        want, got = answers(one, recipe), answers(other, recipe)
        different = [path for path in want if want[path] != got[path]]
        if different:
            sys.exit(f"{recipe}: not the same: {' '.join(different)}")
        n_bytes = sum(len(body) for body in want.values())
        print(f"{recipe}: {len(want)} answers are the same, {n_bytes} bytes, "
              f"fingerprint {want['fingerprint'][:16]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
