"""Which C files a lint reads: those of the project's own folders."""
import pathlib

FOLDERS = ("common", "server", "client", "tests")


def c_files(root):
    """Paths of every .c and .h file below the project's folders, sorted."""
    root = pathlib.Path(root)
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.[ch]")):
            yield path


def finish(name, faults):
    """Prints the faults and exits: 0 when there are none."""
    for fault in faults:
        print(fault)
    print(f"{name}: {len(faults)} fault(s)")
    raise SystemExit(1 if faults else 0)
