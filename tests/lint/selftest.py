"""Shows that each lint can fail: small broken trees must be refused."""
import pathlib
import tempfile

import layers
import sizes
import tree

OPENING = "/* Does one thing. */\n"
BROKEN = [
    (layers, "server/graph/a.c", OPENING + '#include "server/tcp/tcp.h"\n'),
    (layers, "server/graph/a.c", OPENING + "#include <jansson.h>\n"),
    (layers, "server/attic/a.c", OPENING),
    (layers, "client/lib/a.c", OPENING + '#include "server/base/mem.h"\n'),
    (sizes, "common/a.c", OPENING + "int a;\n" * 500),
    (sizes, "common/a.c", OPENING + "int f(void)\n{\n" + ";\n" * 60 + "}\n"),
    (sizes, "common/a.c",
     OPENING + "int f(int a, int b, int c, int d, int e,\n      int g, int h,"
     " int i)\n{\n}\n"),
    (sizes, "common/a.c", OPENING + "/* " + "x" * 120 + " */\n"),
    (tree, "common/a.c", "int a;\n"),
    (tree, "common/a.c", OPENING + "/* TO" + "DO: later */\n"),
    (tree, "common/a.c", OPENING + '#define A "/wo' + 'rk/main"\n'),
]
SOUND = OPENING + '#include "common/error.h"\n\nint f(int a)\n{\n}\n'


def run(lint, name, text):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        return lint.check(folder)


def main():
    for lint in (layers, sizes, tree):
        assert run(lint, "server/base/a.c", SOUND) == [], lint.__name__
    for lint, name, text in BROKEN:
        assert run(lint, name, text), (lint.__name__, name, text[:80])
    print(f"selftest: {len(BROKEN)} broken trees were refused")


if __name__ == "__main__":
    main()
