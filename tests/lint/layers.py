"""Keeps the one direction of dependencies: a file includes its own folder and
lower levels only, and each third-party header stays in its fenced folders."""
import re
import sys

from sources import c_files, finish

# The house from the ground up (server/ARCHITECTURE.md). Folders of one level
# do not see each other.
LEVELS = [
    ["common"],
    ["server/base"],
    ["server/pixel"],
    ["server/pixel/operation"],
    ["server/pool", "server/graph"],
    ["server/recipe"],
    ["server/plan"],
    ["server/compose"],
    ["server/serve", "server/encode", "server/groups"],
    ["server/tcp", "server/http"],
    ["server/daemon"],
]
CLIENT = {"client/include": ["common"],
          "client/lib": ["common", "client/include"],
          "client/cli": ["common", "client/include"],
          "client/examples": ["client/include"]}
# header prefix -> folders that may include it (tests may include anything)
FENCES = {
    "uv.h": ["server/base", "server/tcp", "server/http", "server/daemon"],
    "microhttpd.h": ["server/http"],
    "png.h": ["server/pool", "server/encode", "client/cli"],
    "turbojpeg.h": ["server/pool"],
    "zlib.h": ["server/encode"],
    "xxhash.h": ["common"],
    "nettle/": ["server/base"],
    "jansson.h": ["server/pool", "server/recipe", "server/plan",
                  "server/encode", "server/groups", "server/http",
                  "server/daemon"],
    "math.h": ["client/examples"],  # which decide no byte
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def allowed_folders(folder):
    if folder in CLIENT:
        return CLIENT[folder] + [folder]
    seen = []
    for level in LEVELS:
        if folder in level:
            return seen + [folder]
        seen += level
    return None


def check(root):
    faults = []
    for path in c_files(root):
        relative = path.relative_to(root).as_posix()
        folder = relative.rsplit("/", 1)[0]
        if folder.startswith("tests"):
            continue
        allowed = allowed_folders(folder)
        if allowed is None:
            faults.append(f"{relative}:1: folder {folder} has no level; add "
                          "it to LEVELS in tests/lint/layers.py")
            continue
        text = path.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            where = f"{relative}:{number}"
            kind, name = found.groups()
            if kind == '"':
                target = name.rsplit("/", 1)[0] if "/" in name else folder
                if name == "pasted.h":
                    target = "client/include"
                if target not in allowed:
                    faults.append(f"{where}: {folder} may not include {name}")
            for prefix, folders in FENCES.items():
                if name.startswith(prefix) and folder not in folders:
                    faults.append(f"{where}: <{name}> is fenced to "
                                  f"{', '.join(folders) or 'nobody'}")
    return faults


if __name__ == "__main__":
    finish("layers", check(sys.argv[1]))
