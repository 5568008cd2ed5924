"""Runs a simulator over seeds with the general workload, and reads what it says.

Nothing here knows which mutant it is: `run --seed=N --runs=M`, no scenario.
"""

import json
import os
import subprocess
import tempfile
import time


class NoResult(Exception):
    """The simulator did not do its work; the message says how."""


def check(figures, returncode, runs, output):
    """Raises NoResult unless the figures are those of a run that did its work."""
    try:
        failures, ran = int(figures["failures"]), int(figures["seeds"])
    except (KeyError, TypeError, ValueError):
        raise NoResult(f"no figures, exit status {returncode}:\n{output[-4000:]}") from None
    if returncode not in (0, 1) or (returncode == 1) != (failures > 0):
        raise NoResult(f"exit status {returncode} with {failures} failures:\n{output[-4000:]}")
    if ran == 0 or (failures == 0 and ran != runs):
        raise NoResult(f"{ran} of {runs} seeds ran:\n{output[-4000:]}")


def run(simulator, first, runs, out, on_start=None):
    """The figures of one `run`, which stops at the first failure itself.

    Adds cpu_seconds, of all its processes; wall_seconds; and output. Plans go to `out`.
    `on_start` is told the process, whose group is its own, so that somebody may end it.
    """
    begin = time.monotonic()
    with tempfile.TemporaryFile() as stdout:
        process = subprocess.Popen(
            [simulator, "run", f"--seed={first}", f"--runs={runs}", "--json", f"--out={out}"],
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.STDOUT,
            start_new_session=True)
        if on_start:
            on_start(process)
        # wait4 and not wait: it tells the CPU time of the workers too.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        output = stdout.read().decode(errors="replace")
    try:
        figures = json.loads(output.strip().splitlines()[-1])
    except (IndexError, ValueError):
        figures = None
    check(figures, process.returncode, runs, output)
    figures["cpu_seconds"] = usage.ru_utime + usage.ru_stime
    figures["wall_seconds"] = time.monotonic() - begin
    figures["output"] = output
    return figures


def first_finding(figures):
    """The finding with the lowest seed: a dict with seed, class, message, plan.

    One of no seed (0: what should have happened in some of them never did) comes last.
    """
    findings = sorted(figures.get("findings", []),
                      key=lambda finding: (finding["seed"] == 0, finding["seed"]))
    if not findings:
        return {"seed": figures["seeds"], "class": "unknown", "message": "", "plan": ""}
    return {"plan": "", **findings[0]}


class Hunt:
    """Runs seeds in pieces until one fails or a bound is reached."""

    FIRST_PIECE = 25
    MOST_PIECE = 1000

    def __init__(self, simulator, out, first=1, seeds=1000, cpu_seconds=60.0, run_piece=run):
        self._simulator = str(simulator)
        self._out = str(out)
        self._next = first
        self._left = seeds
        self._bound = cpu_seconds
        self._run = run_piece
        self._piece = self.FIRST_PIECE
        self.seeds = 0
        self.cpu_seconds = 0.0
        self.finding = None

    def done(self):
        """Whether there is nothing more to run."""
        return self.finding is not None or self._left == 0 or self.cpu_seconds >= self._bound

    def step(self, on_start=None):
        """Runs one piece. No piece is expected to end far beyond the bound of CPU seconds."""
        runs = min(self._piece, self._left)
        if self.seeds:
            each = self.cpu_seconds / self.seeds
            runs = min(runs, max(1, int((self._bound - self.cpu_seconds) / max(each, 1e-9))))
        figures = self._run(self._simulator, self._next, runs, self._out, on_start)
        ran = figures["seeds"]
        self.seeds += ran
        self.cpu_seconds += figures["cpu_seconds"]
        self._next += ran
        self._left -= ran
        self._piece = min(2 * self._piece, self.MOST_PIECE)
        if figures["failures"]:
            self.finding = first_finding(figures)
