"""Keeps the tree tidy: the fixed top level, a comment that opens each C file,
no unfinished marks, no private paths, no generated or binary strangers."""
import pathlib
import re
import subprocess
import sys

from sources import c_files, finish

TOP = {"server", "client", "common", "tests", "systemd", "docker",
       "CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE"}
MARKS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
PRIVATE = re.compile(r"(/wo" r"rk/|/tmp/ba" r"sh_jobs|/ro" r"ot/|/ho" r"me/)")
MAX_FILE_BYTES = 200_000


def tracked(root):
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=root, text=True,
                             capture_output=True)
    if listing.returncode != 0:
        return None
    return [name for name in listing.stdout.split("\0") if name]


def check_file(root, name, faults):
    path = root / name
    if not path.is_file():
        return
    if path.stat().st_size > MAX_FILE_BYTES:
        faults.append(f"{name}: larger than {MAX_FILE_BYTES} bytes")
    data = path.read_bytes()
    if name.startswith("tests/fuzz/corpus/") or b"\0" in data:
        return
    for number, line in enumerate(data.decode("utf-8").splitlines(), 1):
        if MARKS.search(line):
            faults.append(f"{name}:{number}: unfinished mark")
        if PRIVATE.search(line):
            faults.append(f"{name}:{number}: path of a private machine")


def check(root):
    root = pathlib.Path(root)
    faults = []
    names = tracked(root)
    if names is None:
        print("not a git checkout: only the C files are read")
        names = [p.relative_to(root).as_posix() for p in c_files(root)]
    for top in sorted({name.split("/")[0] for name in names}):
        if top not in TOP and not top.startswith("."):
            faults.append(f"{top}: does not belong to the top level")
    for name in names:
        check_file(root, name, faults)
    for path in c_files(root):
        if not path.read_text(encoding="utf-8").startswith("/*"):
            faults.append(f"{path.relative_to(root)}:1: must open with a "
                          "comment on what the file does")
    return faults


if __name__ == "__main__":
    finish("tree", check(sys.argv[1]))
