"""clang-format decides the layout of every C file."""
import shutil
import subprocess
import sys

from sources import c_files


def main(root):
    if not shutil.which("clang-format"):
        print("skipped: clang-format is not installed")
        raise SystemExit(77)
    files = [str(path) for path in c_files(root)]
    done = subprocess.run(["clang-format", "--dry-run", "-Werror",
                           "--style=file"] + files, cwd=root)
    print(f"format: {len(files)} files")
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main(sys.argv[1])
