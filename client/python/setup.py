"""Builds libpasted into the package, so that `pip install` needs no other
step. Everything else is in pyproject.toml."""
import pathlib
import platform

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


# Sources of one instruction set, with flags of their own: as
# common/CMakeLists.txt. The library asks the CPU before it calls them.
OF_X86 = {"checksum_clmul.c": ["-mpclmul"], "checksum_v3.c": ["-mavx2"],
          "checksum_v4.c": ["-mavx512f"]}


def is_built(path):
    return (path.name not in OF_X86
            or platform.machine() in ("x86_64", "AMD64", "amd64"))


class BuildLibrary(build_ext):
    """A plain shared library: it needs no Python.h and has no init."""

    def build_extension(self, ext):
        # Sources outside this folder are named here only: a list of files
        # for the package may not hold absolute paths.
        folders = ROOT / "client" / "lib", ROOT / "common"
        if not folders[0].is_dir():
            raise SystemExit("pasted's C sources are not beside "
                             "client/python: install from a whole checkout")
        ext.sources = sorted(str(p) for f in folders for p in f.glob("*.c")
                             if is_built(p))
        self.add_flags()
        version = self.distribution.get_version()  # of pyproject.toml
        ext.define_macros.append(("PASTED_CLIENT_VERSION", f'"{version}"'))
        super().build_extension(ext)

    def add_flags(self):
        """To the files of OF_X86; setuptools knows one list for all."""
        compile_one = self.compiler._compile

        def with_flags(obj, src, ext, cc_args, extra, pp_opts):
            more = OF_X86.get(pathlib.Path(src).name, [])
            compile_one(obj, src, ext, cc_args, extra + more, pp_opts)

        self.compiler._compile = with_flags

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
