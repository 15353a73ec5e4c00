"""Keeps files at 500 lines, functions at 60, parameters at 7, lines at 100.

Relies on the layout that clang-format gives: a function's braces stand alone
in column 0."""
import re
import sys

from sources import c_files, finish

# A library's callback type fixes these signatures.
FOREIGN = {"http_request_handle"}  # libmicrohttpd's access handler
FILE_LINES, FUNCTION_LINES, PARAMETERS, LINE_COLUMNS = 500, 60, 7, 100


def functions(lines):
    """(first line, last line, signature) of each function, lines from 1."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            first = start - 1
            while first > 1 and lines[first - 2].strip() and \
                    not lines[first - 2].startswith(("}", "#", "/", " *")) \
                    and not lines[first - 2].rstrip().endswith((";", "*/")):
                first -= 1
            signature = " ".join(lines[first - 1:start - 1])
            yield first, number, signature
            start = None


def count_parameters(signature):
    inner = signature[signature.find("(") + 1:signature.rfind(")")]
    depth, commas = 0, 0
    for character in inner:
        depth += (character == "(") - (character == ")")
        commas += character == "," and depth == 0
    return commas + 1


def check(root):
    faults = []
    for path in c_files(root):
        relative = path.relative_to(root).as_posix()
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > FILE_LINES:
            faults.append(f"{relative}: {len(lines)} lines, the ceiling is "
                          f"{FILE_LINES}: split it")
        for number, line in enumerate(lines, 1):
            if len(line) > LINE_COLUMNS:
                faults.append(f"{relative}:{number}: {len(line)} columns")
        for first, last, signature in functions(lines):
            name = re.search(r"(\w+)\s*\(", signature)
            name = name.group(1) if name else "?"
            if last - first + 1 > FUNCTION_LINES:
                faults.append(f"{relative}:{first}: {name} has "
                              f"{last - first + 1} lines, the ceiling is "
                              f"{FUNCTION_LINES}")
            if count_parameters(signature) > PARAMETERS and \
                    name not in FOREIGN:
                faults.append(f"{relative}:{first}: {name} has more than "
                              f"{PARAMETERS} parameters")
    return faults


if __name__ == "__main__":
    finish("sizes", check(sys.argv[1]))
