"""What libpasted promises to those who link it, checked on the built library:
the header is C99 and C++, the exported symbols are the map's, an installed
copy is found by pkg-config and by CMake, and README's snippet compiles.

Needs the environment PASTED_BUILD and PASTED_LIBDIR. Exit code 77 is a skip.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.getcwd()
BUILD = os.environ["PASTED_BUILD"]
LIBRARY = f"{BUILD}/client/lib/libpasted.so.0"
EXAMPLE = f"{ROOT}/client/examples/pull_batches.c"


def run(*command, **more):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}")
    return done.stdout


def skip(why):
    print("skip:", why)
    sys.exit(77)


def need(program):
    if shutil.which(program) is None:
        skip(f"no {program} here")


def compiles(compiler, suffix, *flags):
    """The header alone, twice, and one use of every kind of thing in it."""
    source = """
        #include <pasted.h>
        #include <pasted.h>
        int main(void) {
            struct pasted_info info;
            struct pasted_tensor t;
            pasted_batch *b = 0;
            pasted_client *c = pasted_create();
            enum pasted_status s = PASTED_OK;
            (void)t; (void)s;
            if (pasted_open(c, 0) != PASTED_OK ||
                pasted_info(c, &info, sizeof info) != PASTED_OK ||
                pasted_next(c, &b) != PASTED_OK)
                return 1;
            pasted_batch_release(b);
            pasted_destroy(c);
            return 0;
        }"""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/use.{suffix}"
        with open(path, "w", encoding="utf-8") as out:
            out.write(source)
        run(compiler, *flags, "-Wall", "-Wextra", "-Wpedantic", "-Werror",
            f"-I{ROOT}/client/include", "-fsyntax-only", path)


def c99():
    need("cc")
    compiles("cc", "c", "-std=c99", "-Wstrict-prototypes")


def cplusplus():
    need("g++")
    for standard in ("c++98", "c++17"):
        flags = ["-Wno-long-long"] if standard == "c++98" else []
        compiles("g++", "cc", f"-std={standard}", *flags)


def symbols():
    need("nm")
    with open(f"{ROOT}/client/lib/pasted.map", encoding="utf-8") as text:
        version, body = re.search(r"(\w+) \{\s*global:(.*?)local:",
                                  text.read(), re.S).groups()
    wanted = {f"{name}@@{version}" for name in re.findall(r"\w+", body)}
    found = set()
    for line in run("nm", "-D", "--defined-only", LIBRARY).splitlines():
        kind, name = line.split()[-2:]
        if kind != "A":
            found.add(name)
    if found != wanted:
        sys.exit(f"only in the library: {sorted(found - wanted)}\n"
                 f"only in the map: {sorted(wanted - found)}")
    declared = set()
    for name in ("pasted.h", "pasted_robust.h"):
        with open(f"{ROOT}/client/include/{name}", encoding="utf-8") as text:
            declared.update(re.findall(r"\b(pasted_\w+)\(\w[^;{]*\);",
                                       re.sub(r"/\*.*?\*/", "", text.read(),
                                              flags=re.S)))
    named = {name.split("@")[0] for name in wanted}
    if declared != named:
        sys.exit(f"header and map differ: {sorted(declared ^ named)}")


def needed():
    """libc and pthreads (one library since glibc 2.34) and nothing else."""
    need("readelf")
    names = re.findall(r"\(NEEDED\).*\[(.*?)\]",
                       run("readelf", "-d", LIBRARY))
    allowed = {"libc.so.6", "libpthread.so.0"}
    if not set(names) <= allowed:
        sys.exit(f"libpasted needs {names}")
    if "libpasted.so.0" not in run("readelf", "-d", LIBRARY):
        sys.exit("no soname libpasted.so.0")


CMAKE = """
cmake_minimum_required(VERSION 3.16)
project(user LANGUAGES C)
find_package(pasted REQUIRED)
add_executable(user %s)
target_link_libraries(user pasted::pasted)
"""


def installed():
    for program in ("cmake", "pkg-config", "cc"):
        need(program)
    with tempfile.TemporaryDirectory() as prefix:
        run("cmake", "--install", BUILD, "--component", "client",
            "--prefix", prefix)
        lib = f"{prefix}/{os.environ['PASTED_LIBDIR']}"
        paths = dict(os.environ, PKG_CONFIG_PATH=f"{lib}/pkgconfig")
        flags = run("pkg-config", "--cflags", "--libs", "pasted",
                    env=paths).split()
        run("cc", "-Werror", EXAMPLE, "-o", f"{prefix}/user", *flags)
        run(f"{prefix}/bin/pastectl", "--version")
        os.mkdir(f"{prefix}/project")
        with open(f"{prefix}/project/CMakeLists.txt", "w",
                  encoding="utf-8") as text:
            text.write(CMAKE % EXAMPLE)
        run("cmake", "-S", f"{prefix}/project", "-B", f"{prefix}/build",
            f"-DCMAKE_PREFIX_PATH={prefix}")
        run("cmake", "--build", f"{prefix}/build")


def readme():
    """The snippet in client/README.md is the example, word for word."""
    with open(f"{ROOT}/client/README.md", encoding="utf-8") as text:
        snippet = re.search(r"```c\n(.*?)```", text.read(), re.S).group(1)
    with open(EXAMPLE, encoding="utf-8") as text:
        if snippet not in text.read():
            sys.exit("client/README.md does not quote pull_batches.c")


if __name__ == "__main__":
    {f.__name__: f for f in (c99, cplusplus, symbols, needed, installed,
                             readme)}[sys.argv[1]]()
