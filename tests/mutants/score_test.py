"""Goal: what `score` reports is what happened: no kill without a finding, no mutant dropped or
built of anything but its patch, and each error told by its cause.

Method: a program of two sources in the simulator's place, built by the commands of a kit as Bazel
leaves it; shell scripts where a simulator is to misbehave.
"""

import contextlib
import io
import json
import os
import pathlib
import subprocess
import tempfile
import threading
import types
import unittest

from tests.mutants import mutant_builder
from tests.mutants import score
from tests.mutants import seed_runs
from tests.mutants import shrunk

STORY = "# name: %s\n# group: WAL\n# source: S (#1)\n# mechanism: m\n# expected: wrong data\n"

LIMIT_H = "#pragma once\ninline int Limit() { return 5; }\nint Twice(int n);\n"
TWICE_CC = '#include "lib/limit.h"\nint Twice(int n) { return 2 * n; }\n'
# Fails at the first seed whose double is not what it must be.
MAIN_CC = r'''
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include "lib/middle.h"
int main(int argc, char** argv) {
  unsigned seed = 0, runs = 0;
  for (int i = 1; i < argc; ++i) {
    std::sscanf(argv[i], "--seed=%u", &seed);
    std::sscanf(argv[i], "--runs=%u", &runs);
  }
  for (unsigned i = 0; i < runs; ++i) {
    const int n = seed + i;
    if (Twice(n) != n + n || Limit() != 5) {
      std::printf("{\"seeds\":%u,\"failures\":1,\"findings\":[{\"seed\":%d,"
                  "\"class\":\"wrong data\",\"message\":\"m\",\"plan\":\"p\"}]}\n", i + 1, n);
      return 1;
    }
  }
  std::printf("{\"seeds\":%u,\"failures\":0,\"findings\":[]}\n", runs);
}
'''


def diff(path, old, new, line=1):
    return f"--- a/{path}\n+++ b/{path}\n@@ -{line} +{line} @@\n-{old}\n+{new}\n"


TWICE_FROM_60 = diff("lib/twice.cc", "int Twice(int n) { return 2 * n; }",
                     "int Twice(int n) { int unused; return n < 60 ? 2 * n : 7; }", 2)
LIMIT_SIX = diff("lib/limit.h", "inline int Limit() { return 5; }",
                 "inline int Limit() { return 6; }", 2)


class Workshop(unittest.TestCase):
    """A workspace with a program, and the kit that Bazel would have left of it."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        root = pathlib.Path(directory.name).resolve()
        self.workspace, self.runfiles, self.scratch = (root / n for n in ("ws", "rf", "scratch"))
        self.out = root / "out"
        for name, text in (("lib/limit.h", LIMIT_H), ("lib/middle.h", '#include "lib/limit.h"\n'),
                           ("lib/twice.cc", TWICE_CC), ("lib/main.cc", MAIN_CC),
                           ("lib/notes.txt", "alpha\n"), ("lib/alone.h", "int Alone();\n")):
            self.write(self.workspace / name, text)
        link = ["g++", "-o", "out/bin/lib/sim"]
        compiles = []
        for name in ("twice", "main"):
            words = ["g++", "-Wall", "-Werror", "-MD", "-MF", f"out/bin/lib/{name}.d", "-iquote",
                     ".", "-c", f"lib/{name}.cc", "-o", f"out/bin/lib/{name}.o"]
            self.write(self.runfiles / f"lib/{name}.compile", "\n".join(words) + "\n")
            pic = [word.replace(".o", ".pic.o") for word in words]
            self.write(self.runfiles / f"lib/{name}.pic.compile", "\n".join(pic) + "\n")
            compiles += [f"lib/{name}.pic.compile", f"lib/{name}.compile"]
            link.append(f"out/bin/lib/{name}.o")
            subprocess.run(["g++", "-c", f"lib/{name}.cc", "-iquote", ".", "-o",
                            str(self.runfiles / f"lib/{name}.o")], cwd=self.workspace, check=True)
        subprocess.run(["g++", "-o", "lib/sim", "lib/twice.o", "lib/main.o"], cwd=self.runfiles,
                       check=True)
        self.write(self.runfiles / "kit.json", json.dumps(
            {"bin_directory": "out/bin", "compiles": compiles, "program": "out/bin/lib/sim",
             "link": link + ["@out/bin/lib/sim.params"]}))
        self.kit = mutant_builder.Kit("kit.json", self.runfiles)
        self.builder = mutant_builder.Builder(self.kit, self.workspace, self.scratch)

    @staticmethod
    def write(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def patch(self, text, name="x"):
        path = self.workspace / f"{name}.patch"
        self.write(path, STORY % name + text)
        return path

    def options(self, **given):
        return types.SimpleNamespace(
            **{"seed": 1, "seeds": 200, "cpu_seconds": 60.0, "shrink": None, **given})

    def scored(self, entry, **options):
        scorer = score.Scorer(self.builder, self.options(**options), self.out, lambda _: None)
        scorer.score(entry)
        return entry


class BuilderTest(Workshop):

    def test_affected_by_way_of_headers(self):
        sources = ("lib/twice.cc", "lib/main.cc")
        for changed, expected in (("lib/limit.h", ["lib/main.cc", "lib/twice.cc"]),
                                  ("lib/middle.h", ["lib/main.cc"]),
                                  ("lib/twice.cc", ["lib/twice.cc"]), ("lib/alone.h", [])):
            self.assertEqual(mutant_builder.affected(self.workspace, sources, {changed}), expected)

    def test_a_mutant_of_a_source_and_one_of_a_header(self):
        entry = self.scored(score.Entry("x", self.patch(TWICE_FROM_60)))
        self.assertEqual((entry.state, entry.seeds(), entry.finding()["class"]),
                         (score.KILLED, 60, "wrong data"))
        entry = self.scored(score.Entry("y", self.patch(LIMIT_SIX)))
        self.assertEqual((entry.state, entry.seeds()), (score.KILLED, 1))

    def test_sources_and_objects_are_those_of_the_beginning(self):
        self.write(self.workspace / "lib/twice.cc", "nothing that compiles\n")
        for name in ("main.o", "twice.o", "sim"):
            (self.runfiles / "lib" / name).unlink()
        self.assertEqual(self.scored(score.Entry("x", self.patch(TWICE_FROM_60))).seeds(), 60)
        self.assertEqual(self.scored(score.Entry(score.CONTROL)).state, score.SURVIVED)

    def test_a_harmless_change_survives(self):
        text = diff("lib/twice.cc", "int Twice(int n) { return 2 * n; }",
                    "int Twice(int n) { return n * 2; }", 2)
        entry = self.scored(score.Entry("x", self.patch(text)))
        self.assertEqual((entry.state, entry.seeds()), (score.SURVIVED, 200))
        self.assertFalse(entry.good())

    def test_the_control_is_what_bazel_built(self):
        entry = self.scored(score.Entry(score.CONTROL))
        self.assertEqual((entry.state, entry.seeds()), (score.SURVIVED, 200))
        self.assertTrue(entry.good())

    def test_errors_name_their_cause(self):
        for text, reason in (
                (diff("lib/twice.cc", "int Thrice();", "int x;", 2),
                 r"does not apply:\n(.*\n)*.*lib/twice.cc\n.*Hunk #1 FAILED"),
                (diff("lib/none.cc", "a", "b"), "does not apply"),
                (diff("lib/twice.cc", "int Twice(int n) { return 2 * n; }", "int Twice(", 2),
                 r"lib/twice.cc does not compile:\n(.*\n)*.*error: expected"),
                (diff("lib/twice.cc", "int Twice(int n) { return 2 * n; }", "", 2),
                 r"does not link:\n(.*\n)*.*Twice"),
                (diff("lib/notes.txt", "alpha", "beta"), "changes nothing that"),
                ("", "no unified diff")):
            with self.subTest(reason=reason):
                entry = self.scored(score.Entry("x", self.patch(text)))
                self.assertEqual(entry.state, score.ERROR)
                self.assertRegex(entry.problem, reason)
                self.assertFalse(entry.good())
                self.assertFalse((self.scratch / "x").exists())

    def test_a_file_that_is_no_part_is_told(self):
        entry = self.scored(score.Entry(
            "x", self.patch(diff("lib/notes.txt", "alpha", "beta") + TWICE_FROM_60)))
        self.assertEqual(entry.state, score.KILLED)
        self.assertEqual(entry.notes, ["lib/notes.txt is no part of the simulator"])

    def test_stop_ends_what_runs(self):
        simulator = self.builder.control()
        simulator.unlink()
        self.write(simulator, "#!/bin/sh\necho $$ > " + str(self.scratch / "pid") +
                   "\nexec sleep 600\n")
        simulator.chmod(0o755)
        scorer = score.Scorer(self.builder, self.options(), self.out, lambda _: None)
        entries = [score.Entry(score.CONTROL), score.Entry("x", self.patch(TWICE_FROM_60))]
        thread = threading.Thread(target=scorer.score, args=(entries[0],))
        thread.start()
        while not (self.scratch / "pid").exists():
            thread.join(0.01)
        scorer.stop()
        thread.join(10)
        self.assertFalse(thread.is_alive())
        scorer.score(entries[1])
        self.assertEqual([entry.state for entry in entries], [score.UNFINISHED] * 2)
        self.assertEqual(score.summary(entries)["unfinished"], 2)


class ShrinkTest(Workshop):
    """A kill's plan is handed to the mutant's own `shrink`, once and within the time given."""

    # `run` fails at once and leaves a plan; `shrink` says what the test wants it to say.
    SIMULATOR = """#!/bin/sh
for word; do case $word in --out=*) out=${word#--out=};; esac; done
if [ "$1" = run ]; then
  mkdir -p "$out"; echo plan > "$out/seed-1.plan"
  echo '{"seeds":1,"failures":1,"findings":[{"seed":1,"class":"wrong data","message":"m",'\\
'"plan":"'"$out/seed-1.plan"'"}]}'
  exit 1
fi
echo "$@" >> SCRATCH/shrinks
echo 'SHRUNK'
"""
    SIZE = {"clients": 1, "faults": 0, "crashes": 1, "options": 2, "bytes": 9}

    def shrinking(self, says, **options):
        simulator = self.builder.control()
        simulator.unlink()
        self.write(simulator, self.SIMULATOR.replace("SCRATCH", str(self.scratch))
                   .replace("SHRUNK", says))
        simulator.chmod(0o755)
        return self.scored(score.Entry(score.CONTROL), **options)

    def figures(self, before, after, runs=5, finished=True):
        return {"class": "wrong data", "before": {"steps": before, **self.SIZE},
                "after": {"steps": after, **self.SIZE}, "runs": runs, "finished": finished}

    def test_the_figures_are_those_of_the_simulator(self):
        figures = self.figures(40, 3)
        entry = self.shrinking(json.dumps(figures), shrink=7.0)
        self.assertEqual((entry.state, entry.shrunk, entry.problem), (score.KILLED, figures, ""))
        plan = self.out / "control/seed-1.plan"
        self.assertEqual((self.scratch / "shrinks").read_text(),
                         f"shrink {plan} --seconds=7 --jobs=1 --json "
                         f"--out={plan.with_suffix('.shrunk.plan')}\n")

    def test_nothing_is_shrunk_unasked(self):
        entry = self.shrinking(json.dumps(self.figures(40, 3)))
        self.assertEqual((entry.state, entry.shrunk), (score.KILLED, None))
        self.assertFalse((self.scratch / "shrinks").exists())

    def test_a_shrinker_that_fails_is_told_and_the_kill_stays(self):
        for says in ("", "this plan does not fail", "{}", json.dumps(self.figures(3, 4))):
            with self.subTest(says=says):
                entry = self.shrinking(says, shrink=7.0)
                self.assertEqual((entry.state, entry.shrunk), (score.KILLED, None))
                self.assertIn("could not be shrunk", entry.problem)
                self.assertFalse(entry.good())

    def test_medians_and_table(self):
        figures = [self.figures(40, 3, 10), self.figures(9, 1, 30, False), self.figures(7, 5, 20)]
        self.assertEqual(shrunk.summary(figures), {
            "shrunk": 3, "median_shrunk_steps": 3, "most_shrunk_steps": 5,
            "median_shrink_runs": 20, "shrunk_to_the_end": 2})
        lines = list(shrunk.table(zip("abc", figures)))
        self.assertEqual(lines[3], "| `b` | wrong data | 9 → 1 | 1 → 1 | 0 → 0 | 1 → 1 | 2 → 2 | "
                                   "9 → 9 | 30+ |")


class HuntTest(unittest.TestCase):

    @staticmethod
    def figures(seeds, cpu_seconds, *findings):
        return {"seeds": seeds, "cpu_seconds": cpu_seconds, "failures": len(findings),
                "findings": [{"seed": seed, "class": "c", "message": "m"} for seed in findings]}

    def hunt(self, seconds_each, kill_at=None, **bounds):
        pieces = []

        def run_piece(_simulator, first, runs, _out, _on_start):
            pieces.append((first, runs))
            if kill_at is not None and first <= kill_at < first + runs:
                ran = kill_at - first + 1
                return self.figures(ran, ran * seconds_each, kill_at)
            return self.figures(runs, runs * seconds_each)

        hunt = seed_runs.Hunt("sim", "out", run_piece=run_piece, **bounds)
        while not hunt.done():
            hunt.step()
        return hunt, pieces

    def test_every_seed_once_and_in_order(self):
        hunt, pieces = self.hunt(0.001, seeds=4321, first=7)
        self.assertEqual((hunt.seeds, hunt.finding), (4321, None))
        expected = 7
        for first, runs in pieces:
            self.assertEqual(first, expected)
            expected += runs
        self.assertEqual(expected, 7 + 4321)

    def test_it_ends_at_the_first_finding(self):
        for seed in (1, 25, 26, 1234):
            hunt, pieces = self.hunt(0.001, seed, seeds=4000)
            self.assertEqual((hunt.seeds, hunt.finding["seed"]), (seed, seed))
            self.assertLessEqual(pieces[-1][0], seed)

    def test_the_bound_of_cpu_seconds(self):
        for seconds_each in (0.01, 0.5, 20):
            hunt, _ = self.hunt(seconds_each, seeds=10**6, cpu_seconds=60)
            self.assertGreaterEqual(hunt.cpu_seconds, 60)
            # One piece goes by before it is known how long a seed takes.
            self.assertLess(hunt.cpu_seconds, 60 + 26 * seconds_each)

    def test_no_work_is_no_result(self):
        for figures, status in ((None, 0), (self.figures(5, 1), 1), (self.figures(5, 1, 5), 0),
                                (self.figures(4, 1), 0), (self.figures(0, 1), 0),
                                (self.figures(5, 1, 5), 2), (self.figures(5, 1), -6)):
            with self.subTest(figures=figures, status=status):
                with self.assertRaises(seed_runs.NoResult):
                    seed_runs.check(figures, status, 5, "")
        seed_runs.check(self.figures(5, 1), 0, 5, "")
        seed_runs.check(self.figures(3, 1, 3), 1, 5, "")

    def test_a_finding_of_no_seed_comes_last(self):
        self.assertEqual(seed_runs.first_finding(self.figures(9, 1, 0, 7, 3))["seed"], 3)
        self.assertEqual(seed_runs.first_finding(self.figures(9, 1, 0))["seed"], 0)

    def test_cpu_time_is_that_of_all_processes(self):
        with tempfile.TemporaryDirectory() as directory:
            simulator = pathlib.Path(directory) / "sim"
            simulator.write_text(
                "#!/bin/sh\n(i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done)\n"
                "echo '" + json.dumps(self.figures(5, 1)) + "'\n")
            simulator.chmod(0o755)
            self.assertGreater(seed_runs.run(simulator, 1, 5, directory)["cpu_seconds"], 0.01)


class SummaryTest(unittest.TestCase):

    @staticmethod
    def entry(name, state, seeds, cpu_seconds, patch="p"):
        entry = score.Entry(name, patch, "WAL", "S (#1)", "m")
        entry.state = state
        entry.hunt = types.SimpleNamespace(seeds=seeds, cpu_seconds=cpu_seconds, finding=(
            {"seed": seeds, "class": "batch torn", "message": "m", "plan": "f"}
            if state == score.KILLED else None))
        return entry

    def entries(self):
        return [self.entry("control", score.SURVIVED, 100, 9.0, None),
                self.entry("a", score.KILLED, 3, 0.5), self.entry("b", score.KILLED, 9, 0.1),
                self.entry("c", score.SURVIVED, 100, 8.0), self.entry("d", score.KILLED, 5, 2.0)]

    def test_medians_are_of_the_killed(self):
        figures = score.summary(self.entries())
        self.assertEqual((figures["mutants"], figures["killed"], figures["survived"]), (4, 3, 1))
        self.assertEqual((figures["median_seeds"], figures["median_cpu_seconds"]), (5, 0.5))
        self.assertTrue(figures["control_survived"])
        self.assertEqual(len(figures["entries"]), 5)
        self.assertEqual(figures["entries"][1], {
            "name": "a", "group": "WAL", "source": "S (#1)", "killed": True, "state": "killed",
            "seeds": 3, "cpu_seconds": 0.5, "class": "batch torn", "plan": "f"})
        self.assertIsNone(score.summary([])["median_seeds"])

    def test_every_entry_is_in_the_table_and_a_survivor_is_named(self):
        stream = io.StringIO()
        score.print_summary(self.entries(), score.summary(self.entries()), 1.0, stream)
        text = stream.getvalue()
        for name in ("control", "a", "b", "c", "d"):
            self.assertIn(f"| `{name}` |", text)
        self.assertIn("SURVIVED c: m", text)
        self.assertIn("median: 5 seeds", text)

    def test_a_control_that_dies_fails(self):
        entries = [self.entry("control", score.KILLED, 7, 1.0, None)]
        self.assertFalse(entries[0].good())
        self.assertFalse(score.summary(entries)["control_survived"])
        stream = io.StringIO()
        score.print_summary(entries, score.summary(entries), 1.0, stream)
        self.assertIn("FAILED: the control", stream.getvalue())


class SelectionTest(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.tree = pathlib.Path(directory.name) / "tree"
        self.tree.mkdir()
        for name in ("wal_a", "wal_b", "other"):
            (self.tree / f"{name}.patch").write_text(STORY % name + TWICE_FROM_60)
        self.outside = pathlib.Path(directory.name) / "wal_a.patch"
        self.outside.write_text(TWICE_FROM_60)

    def names(self, only=(), outside=()):
        return [e.name for e in score.entries_of(self.tree, only, [str(o) for o in outside])]

    def test_what_was_asked_for(self):
        self.assertEqual(self.names(), ["control", "other", "wal_a", "wal_b"])
        self.assertEqual(self.names(["wal_*", "control"]), ["control", "wal_a", "wal_b"])
        self.assertEqual(self.names(outside=[self.outside]), ["wal_a"])
        self.assertEqual(self.names(["wal_a"], [self.outside]), ["wal_a", "wal_a-2"])

    def test_what_is_not_there_is_named(self):
        with self.assertRaisesRegex(score.BadInput, "no mutant 'wall'.*wal_a, wal_b"):
            self.names(["wall"])
        with self.assertRaisesRegex(score.BadInput, "no such file: .*/none.patch"):
            self.names(outside=[self.tree / "none.patch"])
        (self.tree / "bad.patch").write_text(TWICE_FROM_60)
        with self.assertRaisesRegex(score.BadInput, "bad.patch: the story lacks"):
            self.names()

    def test_bad_arguments_end_with_status_two(self):
        for arguments in ([], ["scare"], ["score", "--seeds=0"], ["score", "--cpu-seconds=x"]):
            with self.subTest(arguments=arguments):
                with contextlib.redirect_stderr(io.StringIO()):
                    with self.assertRaises(SystemExit) as end:
                        score.parse_arguments(arguments)
                self.assertEqual(end.exception.code, 2)

    def test_outside_of_bazel_run_it_says_how_to_start_it(self):
        self.assertNotIn("BUILD_WORKSPACE_DIRECTORY", os.environ)
        stream = io.StringIO()
        with contextlib.redirect_stderr(stream):
            self.assertEqual(score.main(["score"]), 2)
        self.assertIn("bazel run -c opt //tests/mutants -- score", stream.getvalue())


if __name__ == "__main__":
    unittest.main()
