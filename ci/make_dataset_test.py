"""Goal: data sets are what readers expect. Method: the script run with a stand-in for apt-cache."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parent / "make_dataset"
INDEX = ("Package: zz\nVersion: 1\n\n"
         "Package: aa\nDescription: back\\slash\n a\ttab\n\n"
         "Package: zz\nVersion: 2\n\n")


class MakeDatasetTest(unittest.TestCase):

    def run_script(self, index, *arguments, status=0):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory)
            (path / "index").write_text(index, encoding="utf-8")
            fake = path / "apt-cache"
            fake.write_text(f"#!/bin/sh\ncat '{path}/index'\nexit {status}\n", encoding="utf-8")
            fake.chmod(0o755)
            return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True,
                                  env=dict(os.environ, PATH=f"{directory}:{os.environ['PATH']}"),
                                  check=False)

    def test_sorted_escaped_and_the_last_version_wins(self):
        done = self.run_script(INDEX)
        self.assertEqual(done.stdout.decode(),
                         "aa\tPackage: aa\\nDescription: back\\\\slash\\n a\\ttab\n"
                         "zz\tPackage: zz\\nVersion: 2\n")
        self.assertEqual(done.returncode, 0)

    def test_writes_a_file(self):
        with tempfile.TemporaryDirectory() as directory:
            out = pathlib.Path(directory) / "x.tsv"
            self.assertEqual(self.run_script(INDEX, str(out)).returncode, 0)
            self.assertEqual(len(out.read_bytes().splitlines()), 2)

    def test_errors_are_told(self):
        self.assertIn(b"empty", self.run_script("").stderr)
        self.assertIn(b"failed", self.run_script(INDEX, status=3).stderr)
        self.assertIn(b"No such file", self.run_script(INDEX, "/nowhere/x").stderr)
        self.assertEqual(self.run_script(INDEX, "a", "b").returncode, 2)


if __name__ == "__main__":
    unittest.main()
