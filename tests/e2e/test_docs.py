"""What README says is true: its C snippet compiles, its curl lines answer 200,
and every relative link of every document leads to a file."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))
from daemon import Daemon  # noqa: E402

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def documents():
    return [p for p in sorted(ROOT.rglob("*.md"))
            if "build" not in p.relative_to(ROOT).parts]


class Documents(unittest.TestCase):
    def test_links_lead_to_files(self):
        for document in documents():
            text = document.read_text(encoding="utf-8")
            for target in LINK.findall(text):
                if "://" in target:
                    continue
                self.assertTrue((document.parent / target).exists(),
                                f"{document.relative_to(ROOT)}: {target}")

    def test_the_c_snippet_of_the_readme_compiles(self):
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        snippets = re.findall(r"```c\n(.*?)```", text, re.DOTALL)
        self.assertTrue(snippets)
        compiler = shutil.which("cc")
        for snippet in snippets:
            with tempfile.TemporaryDirectory() as folder:
                source = pathlib.Path(folder) / "snippet.c"
                source.write_text(snippet, encoding="utf-8")
                subprocess.run([compiler, "-std=c99", "-Wall", "-Wextra",
                                "-Werror", "-fsyntax-only",
                                f"-I{ROOT / 'client' / 'include'}",
                                str(source)], check=True)

    def test_the_curl_lines_of_the_readme_answer(self):
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        lines = [line.strip() for line in text.splitlines()
                 if line.strip().startswith("curl ")]
        self.assertGreaterEqual(len(lines), 5)
        with Daemon("--demo") as daemon:
            for line in lines:
                path = re.search(r"http://127\.0\.0\.1:7780([^ ']*)", line)
                answer = daemon.get(path.group(1))
                self.assertEqual(answer.status, 200, line)
                self.assertGreater(len(answer.body), 100, line)


if __name__ == "__main__":
    unittest.main(verbosity=2)
