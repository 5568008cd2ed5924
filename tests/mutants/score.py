"""Scores the simulator: puts historical mistakes back one at a time and hunts each blind.

    bazel run -c opt //tests/mutants -- score
    bazel run -c opt //tests/mutants -- score --only='wal_*' --seeds=50000 --json
    bazel run -c opt //tests/mutants -- score --patch=/tmp/mistake.patch
    bazel run -c opt //tests/mutants -- score --shrink=20

Every mutant meets the same seeds of the same general workload (`sim run`), none a scenario of its
own, until one seed fails or a bound is reached. `control` is the engine as it is, which must
survive all of them.

Exit status: 0 all killed and the control survived, 1 not so, 2 bad input.
"""

import argparse
import concurrent.futures
import fnmatch
import json
import os
import pathlib
import signal
import statistics
import sys
import tempfile
import threading
import time

from tests.mutants import mutant_builder
from tests.mutants import patch_file
from tests.mutants import seed_runs
from tests.mutants import shrunk

KIT = "tests/mutants/simulator.json"
CONTROL = "control"
EXIT_OK, EXIT_FAILED, EXIT_BAD_INPUT = 0, 1, 2

# What may become of a mutant.
KILLED, SURVIVED, ERROR, UNFINISHED = "killed", "SURVIVED", "ERROR", "unfinished"


class BadInput(Exception):
    """The message says what to give instead."""


class Entry:
    """One mutant or the control, and what became of it."""

    def __init__(self, name, patch=None, group="", source="", mechanism=""):
        self.name = name
        self.patch = patch
        self.group = group
        self.source = source
        self.mechanism = mechanism
        self.state = UNFINISHED
        self.hunt = None
        self.shrunk = None
        self.problem = ""
        self.notes = []
        self.build_seconds = 0.0

    def seeds(self):
        return self.hunt.seeds if self.hunt else 0

    def cpu_seconds(self):
        return self.hunt.cpu_seconds if self.hunt else 0.0

    def finding(self):
        return (self.hunt.finding if self.hunt else None) or {"class": "", "message": "",
                                                              "plan": ""}

    def good(self):
        return self.state == (KILLED if self.patch else SURVIVED) and not self.problem

    def to_json(self):
        figures = {"name": self.name, "group": self.group, "source": self.source,
                   "killed": self.state == KILLED, "state": self.state.lower(),
                   "seeds": self.seeds(), "cpu_seconds": round(self.cpu_seconds(), 3),
                   "class": self.finding()["class"], "plan": self.finding()["plan"]}
        if self.shrunk:
            figures["shrunk"] = self.shrunk
        if self.problem:
            figures["error"] = self.problem
        return figures


def entries_of(directory, only, outside):
    """The entries that were asked for; raises BadInput."""
    entries = [Entry(CONTROL, source="the engine as it is")]
    for path in sorted(pathlib.Path(directory).glob("*.patch")):
        try:
            story = patch_file.parse(path.read_text(encoding="utf-8"))
        except patch_file.PatchError as problem:
            raise BadInput(f"{path}: {problem}") from None
        entries.append(Entry(story["name"], path, story["group"], story["source"],
                             story["mechanism"]))
    if only:
        for pattern in only:
            if not any(fnmatch.fnmatchcase(entry.name, pattern) for entry in entries):
                raise BadInput(f"--only: no mutant '{pattern}' (known: " +
                               ", ".join(entry.name for entry in entries) + ")")
        entries = [entry for entry in entries
                   if any(fnmatch.fnmatchcase(entry.name, pattern) for pattern in only)]
    elif outside:
        entries = []
    for name in outside:
        path = pathlib.Path(name)
        if not path.is_file():
            raise BadInput(f"--patch: no such file: {name}")
        entries.append(outside_entry(path, {entry.name for entry in entries}))
    return entries


def outside_entry(path, taken):
    """An entry for a patch from outside the tree, which need not tell a story."""
    name = path.stem
    number = 1
    while name in taken:
        number += 1
        name = f"{path.stem}-{number}"
    try:
        story = patch_file.parse(path.read_text(encoding="utf-8", errors="replace"))
        return Entry(name, path, story["group"], story["source"], story["mechanism"])
    except patch_file.PatchError:
        return Entry(name, path, "outside", str(path))


class Scorer:
    """Builds and hunts entries, several at once; can be stopped from another thread."""

    def __init__(self, builder, options, out, report):
        self._builder = builder
        self._options = options
        self._out = out
        self._report = report
        self._lock = threading.Lock()
        self._running = set()
        self._stopped = False

    def stop(self):
        """No new work, and what runs is ended."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # it ended by itself just now

    def score(self, entry):
        """Fills `entry`."""
        if self._stopped:
            return
        try:
            begin = time.monotonic()
            if entry.patch:
                simulator, entry.notes = self._builder.build(entry.patch, entry.name)
            else:
                simulator = self._builder.control()
            entry.build_seconds = time.monotonic() - begin
            entry.hunt = seed_runs.Hunt(simulator, self._out / entry.name, self._options.seed,
                                        self._options.seeds, self._options.cpu_seconds)
            while not entry.hunt.done() and not self._stopped:
                self._watched(entry.hunt.step)
            if entry.hunt.finding:
                entry.state = KILLED
                self._shrink(entry, simulator)
            elif entry.hunt.done():
                entry.state = SURVIVED
        except (mutant_builder.BuildError, seed_runs.NoResult) as problem:
            if not self._stopped:
                entry.state = ERROR
                entry.problem = str(problem)
        finally:
            if entry.patch:
                self._builder.remove(entry.name)
            self._report(entry)

    def _shrink(self, entry, simulator):
        if not self._options.shrink or not shrunk.can_be_shrunk(entry.finding()):
            return
        plan = entry.finding()["plan"]
        try:
            entry.shrunk = self._watched(
                lambda started: shrunk.run(simulator, plan, self._options.shrink, started))
        except seed_runs.NoResult as problem:
            # It is killed all the same, and yet not all is well.
            if not self._stopped:
                entry.problem = str(problem)

    def _watched(self, work):
        """work(started), with the process that it starts in the reach of stop()."""
        mine = []

        def started(process):
            with self._lock:
                mine.append(process)
                self._running.add(process)
                if self._stopped:
                    os.killpg(process.pid, signal.SIGKILL)

        try:
            return work(started)
        finally:
            with self._lock:
                self._running.difference_update(mine)


class Progress:
    """A line for each entry as it is done, and on a terminal one that says how far it is."""

    def __init__(self, total, stream):
        self._total = total
        self._stream = stream
        self._done = 0
        self._lock = threading.Lock()

    def report(self, entry):
        with self._lock:
            self._done += 1
            self._print(entry)

    def _print(self, entry):
        if self._stream.isatty():
            self._stream.write("\r\x1b[K")
        text = f"[{self._done}/{self._total}] {entry.name}: {entry.state}"
        if entry.hunt:
            text += f", {entry.seeds()} seeds, {entry.cpu_seconds():.2f} CPU s"
        if entry.state == KILLED:
            text += f": {entry.finding()['class']}"
        if entry.shrunk:
            text += (f", {entry.shrunk['before']['steps']} steps shrunk to "
                     f"{entry.shrunk['after']['steps']}")
        if entry.build_seconds:
            text += f" (built in {entry.build_seconds:.1f} s)"
        self._stream.write(text + "\n")
        for note in entry.notes:
            self._stream.write(f"  note: {note}\n")
        if entry.problem:
            self._stream.write("  " + entry.problem.replace("\n", "\n  ") + "\n")
        if self._stream.isatty() and self._done < self._total:
            self._stream.write(f"{self._total - self._done} left; Ctrl-C ends with a summary")
        self._stream.flush()


def summary(entries):
    """The figures of all, for people and for --json alike."""
    mutants = [entry for entry in entries if entry.patch]
    killed = [entry for entry in mutants if entry.state == KILLED]
    shrunk_ones = [entry.shrunk for entry in mutants if entry.shrunk]
    return {
        "mutants": len(mutants),
        "killed": len(killed),
        "survived": sum(entry.state == SURVIVED for entry in mutants),
        "errors": sum(entry.state == ERROR for entry in entries),
        "unfinished": sum(entry.state == UNFINISHED for entry in entries),
        "control_survived": next((entry.state == SURVIVED for entry in entries
                                  if not entry.patch), None),
        "median_seeds": statistics.median(e.seeds() for e in killed) if killed else None,
        "median_cpu_seconds": (round(statistics.median(e.cpu_seconds() for e in killed), 3)
                               if killed else None),
        **(shrunk.summary(shrunk_ones) if shrunk_ones else {}),
        "entries": [entry.to_json() for entry in entries],
    }


def table(entries):
    """Lines of a Markdown table, by group."""
    yield "| mutant | re-creates | result | found as | seeds | CPU s |"
    yield "|---|---|---|---|---|---|"
    order = {group: i for i, group in enumerate(("",) + patch_file.GROUPS)}
    group = ""
    for entry in sorted(entries, key=lambda e: (order.get(e.group, len(order)), e.name)):
        if entry.group != group:
            group = entry.group
            yield f"| **{group}** | | | | | |"
        source = entry.source.replace("|", "\\|")
        yield (f"| `{entry.name}` | {source} | {entry.state} | {entry.finding()['class']} | "
               f"{entry.seeds()} | {entry.cpu_seconds():.2f} |")


def print_summary(entries, figures, seconds, stream):
    for line in table(entries):
        stream.write(line + "\n")
    stream.write(f"\nmutants {figures['mutants']}, killed {figures['killed']}, "
                 f"survived {figures['survived']}, errors {figures['errors']}, "
                 f"unfinished {figures['unfinished']}; {seconds:.0f} s\n")
    if figures["killed"]:
        stream.write(f"to kill, median: {figures['median_seeds']:g} seeds, "
                     f"{figures['median_cpu_seconds']:.2f} CPU s\n")
    if figures.get("shrunk"):
        stream.write("\n")
        for line in shrunk.table((entry.name, entry.shrunk) for entry in entries if entry.shrunk):
            stream.write(line + "\n")
        stream.write(f"\nshrunk {figures['shrunk']} plans, in the median to "
                     f"{figures['median_shrunk_steps']:g} steps by "
                     f"{figures['median_shrink_runs']:g} runs, at most "
                     f"{figures['most_shrunk_steps']} steps; {figures['shrunk_to_the_end']} until "
                     f"nothing gave way\n")
    for entry in entries:
        if entry.patch and entry.state == SURVIVED:
            stream.write(f"SURVIVED {entry.name}: {entry.mechanism or entry.source}\n")
        elif not entry.patch and entry.state == KILLED:
            finding = entry.finding()
            stream.write(f"FAILED: the control, without a mutation, at seed {finding['seed']}: "
                         f"{finding['class']}\n  {finding['message']}\n"
                         f"  replay it with\n    {finding.get('command', finding['plan'])}\n")
        elif entry.problem:
            stream.write(f"ERROR {entry.name}: {entry.problem.splitlines()[0]}\n")


def positive(kind):
    """A number of `kind` above 0, for argparse."""
    def parse(text):
        value = kind(text)
        if value <= 0:
            raise ValueError
        return value
    parse.__name__ = f"positive {kind.__name__}"
    return parse


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        prog="mutants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="score")
    score = commands.add_parser("score", help="build every mutant and hunt it")
    score.add_argument("--only", action="append", default=[], metavar="NAME",
                       help="these alone; may be a pattern and be given more than once")
    score.add_argument("--patch", action="append", default=[], metavar="FILE",
                       help="score a patch from outside the tree (paths from the root, as of git "
                            "diff); alone unless --only names others")
    score.add_argument("--seeds", type=positive(int), default=20000,
                       help="the most seeds for each (default: %(default)s)")
    score.add_argument("--cpu-seconds", type=positive(float), default=120.0,
                       help="the most CPU seconds for each, building not counted (default: "
                            "%(default)s)")
    score.add_argument("--seed", type=positive(int), default=1, help="the first seed")
    score.add_argument("--jobs", type=positive(int), default=len(os.sched_getaffinity(0)),
                       help="mutants at once (default: one a core)")
    score.add_argument("--shrink", type=positive(float), metavar="SECONDS",
                       help="shrink the plan that killed, for so many seconds each at most")
    score.add_argument("--out", default="shearpin-mutants",
                       help="directory for the plans that kill (default: %(default)s)")
    score.add_argument("--json", action="store_true",
                       help="print one JSON object with the figures as the last line")
    return parser.parse_args(arguments)


def user_path(name):
    """Where the user, whose directory Bazel has left, means."""
    return pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", ".")) / name


def main(arguments):
    options = parse_arguments(arguments)
    workspace = os.environ.get("BUILD_WORKSPACE_DIRECTORY")
    if not workspace:
        print("start it with: bazel run -c opt //tests/mutants -- score", file=sys.stderr)
        return EXIT_BAD_INPUT
    try:
        entries = entries_of(pathlib.Path(workspace) / "tests/mutants", options.only,
                             [str(user_path(name)) for name in options.patch])
    except BadInput as problem:
        print(problem, file=sys.stderr)
        return EXIT_BAD_INPUT
    out = user_path(options.out)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="shearpin-mutants-") as directory:
        builder = mutant_builder.Builder(mutant_builder.Kit(KIT), workspace, directory)
        progress = Progress(len(entries), sys.stderr)
        scorer = Scorer(builder, options, out, progress.report)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            work = [pool.submit(scorer.score, entry) for entry in entries]
            try:
                for one in concurrent.futures.as_completed(work):
                    one.result()
            except KeyboardInterrupt:
                scorer.stop()
                sys.stderr.write("\nstopped\n")
    figures = summary(entries)
    print_summary(entries, figures, time.monotonic() - begin, sys.stdout)
    if options.json:
        print(json.dumps(figures))
    return EXIT_OK if all(entry.good() for entry in entries) else EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
