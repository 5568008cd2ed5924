"""Shrinks the plan that killed a mutant, and puts what became of the plans into a table.

What it asks of the simulator is what a user would: `shrink FILE.plan`.
"""

import json
import os
import pathlib
import statistics
import subprocess
import tempfile

from tests.mutants import seed_runs

# What a shrinker takes away, in the words of the simulator's JSON.
SIZES = ("steps", "clients", "faults", "crashes", "options", "bytes")


def run(simulator, plan, seconds, on_start=None):
    """The figures of one `shrink`; raises NoResult if there are none.

    `on_start` is told the process, whose group is its own, so that somebody may end it.
    """
    out = pathlib.Path(plan).with_suffix(".shrunk.plan")
    with tempfile.TemporaryFile() as stdout:
        process = subprocess.Popen(
            [str(simulator), "shrink", str(plan), f"--seconds={seconds:g}", "--jobs=1", "--json",
             f"--out={out}"],
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.STDOUT,
            start_new_session=True)
        if on_start:
            on_start(process)
        process.wait()
        stdout.seek(0)
        output = stdout.read().decode(errors="replace")
    try:
        figures = json.loads(output.strip().splitlines()[-1])
        complete = all(size in figures[which] for which in ("before", "after") for size in SIZES)
        if not complete or figures["after"]["steps"] > figures["before"]["steps"]:
            raise ValueError
    except (IndexError, KeyError, TypeError, ValueError):
        raise seed_runs.NoResult(f"{plan} could not be shrunk, exit status {process.returncode}:\n"
                                 f"{output[-4000:]}") from None
    return figures


def can_be_shrunk(finding):
    """Whether there is a plan: what many runs together lack has none."""
    return bool(finding["plan"]) and os.path.isfile(finding["plan"])


def summary(figures):
    """Medians and extremes of the figures of several mutants, for --json."""
    steps = [one["after"]["steps"] for one in figures]
    return {
        "shrunk": len(figures),
        "median_shrunk_steps": statistics.median(steps) if steps else None,
        "most_shrunk_steps": max(steps, default=None),
        "median_shrink_runs": statistics.median(one["runs"] for one in figures) if steps else None,
        "shrunk_to_the_end": sum(bool(one["finished"]) for one in figures),
    }


def table(named_figures):
    """Lines of a Markdown table of (name, figures)."""
    yield "| mutant | class | " + " | ".join(SIZES) + " | runs |"
    yield "|---|---|" + "---|" * len(SIZES) + "---|"
    for name, one in named_figures:
        sizes = " | ".join(f"{one['before'][size]} → {one['after'][size]}" for size in SIZES)
        unfinished = "" if one["finished"] else "+"
        yield f"| `{name}` | {one['class']} | {sizes} | {one['runs']}{unfinished} |"
