"""Goal: kill.py and what it rests on cannot report a kill that was none, or hide a survivor.

Method: patches against small files, and shell scripts in the simulator's place.
"""

import contextlib
import io
import json
import os
import pathlib
import tempfile
import unittest

from tests.mutants import apply_patch
from tests.mutants import kill
from tests.mutants import patch_file

STORY = ("# name: x\n# group: WAL\n# source: S (#1)\n# mechanism: first\n#   and second\n"
         "# expected: batch torn\n")
ORIGINAL = "".join(f"line {i}\n" for i in range(1, 11))
DIFF = """--- a/engine/a.cc
+++ b/engine/a.cc
@@ -4,3 +4,3 @@
 line 4
-line 5
+line five
 line 6
"""


class PatchFileTest(unittest.TestCase):

    def test_story_and_files(self):
        story = patch_file.parse(STORY + DIFF)
        self.assertEqual(story, {"name": "x", "group": "WAL", "source": "S (#1)",
                                 "mechanism": "first and second", "expected": "batch torn",
                                 "files": ["engine/a.cc"]})

    def test_what_lacks_is_named(self):
        for text, reason in ((DIFF, "lacks: name"), (STORY, "no file"),
                             ("# name: a\n# name: b\n", "twice"), ("# who: me\n", "expected one"),
                             (STORY.replace("WAL", "walls") + DIFF, "group: expected"),
                             (STORY + "+++ engine/a.cc\n", "b/PATH")):
            with self.subTest(reason=reason):
                with self.assertRaisesRegex(patch_file.PatchError, reason):
                    patch_file.parse(text)

    def test_patches_of_this_directory(self):
        for path in sorted(pathlib.Path("tests/mutants").rglob("*.patch")):
            with self.subTest(patch=path.name):
                story = patch_file.parse(path.read_text(encoding="utf-8"))
                self.assertEqual(story["name"], path.stem)


class ApplyPatchTest(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(directory.name)
        os.mkdir("engine")
        pathlib.Path("engine/a.cc").write_text(ORIGINAL)
        pathlib.Path("engine/b.cc").write_text(ORIGINAL)

    def apply(self, text, files=("engine/a.cc",)):
        pathlib.Path("x.patch").write_text(STORY + text)
        return apply_patch.apply("x.patch", list(files), "out")

    def test_applies_to_a_copy(self):
        self.assertIsNone(self.apply(DIFF))
        self.assertIn("line five", pathlib.Path("out/engine/a.cc").read_text())
        self.assertEqual(pathlib.Path("engine/a.cc").read_text(), ORIGINAL)

    def test_lines_may_have_moved(self):
        pathlib.Path("engine/a.cc").write_text("more\n" * 20 + ORIGINAL)
        self.assertIsNone(self.apply(DIFF))

    def test_changed_context_is_refused(self):
        pathlib.Path("engine/a.cc").write_text(ORIGINAL.replace("line 4", "line IV"))
        self.assertIn("does not apply", self.apply(DIFF))
        self.assertFalse(os.path.exists("out"))

    def test_a_patch_applied_before_is_refused(self):
        pathlib.Path("engine/a.cc").write_text(ORIGINAL.replace("line 5", "line five"))
        self.assertIn("does not apply", self.apply(DIFF))

    def test_units_and_patch_must_agree(self):
        self.assertIn("does not change engine/b.cc",
                      self.apply(DIFF, ("engine/a.cc", "engine/b.cc")))
        self.assertIn("does not apply", self.apply(DIFF, ("engine/b.cc",)))
        self.assertIn("none of the units: engine/new.cc", self.apply(
            DIFF + "--- /dev/null\n+++ b/engine/new.cc\n@@ -0,0 +1 @@\n+x\n"))


class KillTest(unittest.TestCase):

    def run_kill(self, script, *arguments):
        with tempfile.TemporaryDirectory() as directory:
            simulator = pathlib.Path(directory) / "sim"
            simulator.write_text("#!/bin/sh\n" + script)
            simulator.chmod(0o755)
            patch = pathlib.Path(directory) / "x.patch"
            patch.write_text(STORY + DIFF)
            kind = arguments or (f"--patch={patch}",)
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                status = kill.main(["--seeds=5", *kind, str(simulator)])
        return status, output.getvalue()

    @staticmethod
    def figures(seeds, *findings):
        found = [{"seed": seed, "class": "batch torn", "message": "m"} for seed in findings]
        return "echo seed line; echo '" + json.dumps(
            {"seeds": seeds, "failures": len(found), "findings": found}) + "'\n"

    def test_a_finding_kills(self):
        status, output = self.run_kill(self.figures(3, 3) + "exit 1\n")
        self.assertEqual(status, 0)
        self.assertRegex(output, r"mutant x: killed after 3 seeds, [\d.]+ s, at seed 3: batch torn")

    def test_a_survivor_fails(self):
        status, output = self.run_kill(self.figures(5))
        self.assertEqual(status, 1)
        self.assertIn("survived 5 seeds", output)

    def test_a_control_must_survive(self):
        self.assertEqual(self.run_kill(self.figures(5), "--control")[0], 0)
        self.assertEqual(self.run_kill(self.figures(2, 2) + "exit 1\n", "--control")[0], 1)

    def test_no_work_is_no_kill(self):
        for script in ("exit 2\n", "exit 1\n", "kill -ABRT $$\n", self.figures(5) + "exit 1\n",
                       self.figures(3, 3), self.figures(4), self.figures(3, 3) + "exit 2\n",
                       self.figures(0), "echo '{}'\n"):
            with self.subTest(script=script):
                status, output = self.run_kill(script)
                self.assertEqual(status, 1)
                self.assertIn("FAILED", output)
                self.assertEqual(self.run_kill(script, "--control")[0], 1)

    def test_it_runs_the_general_workload(self):
        script = 'test "$1 $2 $3 $4" = "run --seed=1 --runs=5 --json" || exit 2\n'
        self.assertEqual(self.run_kill(script + self.figures(3, 3) + "exit 1\n")[0], 0)


if __name__ == "__main__":
    unittest.main()
