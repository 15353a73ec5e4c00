"""Builds libpasted into the package, so that `pip install` needs no other
step. Everything else is in pyproject.toml."""
import pathlib

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


class BuildLibrary(build_ext):
    """A plain shared library: it needs no Python.h and has no init."""

    def build_extension(self, ext):
        # Sources outside this folder are named here only: a list of files
        # for the package may not hold absolute paths.
        folders = ROOT / "client" / "lib", ROOT / "common"
        if not folders[0].is_dir():
            raise SystemExit("pasted's C sources are not beside "
                             "client/python: install from a whole checkout")
        ext.sources = sorted(str(p) for f in folders for p in f.glob("*.c"))
        version = self.distribution.get_version()  # of pyproject.toml
        ext.define_macros.append(("PASTED_CLIENT_VERSION", f'"{version}"'))
        super().build_extension(ext)

    def get_export_symbols(self, ext):
        return []


setup(
    cmdclass={"build_ext": BuildLibrary},
    ext_modules=[Extension(
        "pasted._libpasted",
        sources=[],
        include_dirs=[str(ROOT), str(ROOT / "client" / "include")],
        define_macros=[("_GNU_SOURCE", None)],
        extra_compile_args=["-std=c17", "-O3", "-fvisibility=hidden"],
        extra_link_args=["-pthread", "-Wl,--version-script="
                         + str(ROOT / "client" / "lib" / "pasted.map")],
    )])
