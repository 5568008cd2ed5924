"""Runs a mutant's simulator over the first seeds, and passes if it finds the mistake.

    kill.py --seeds=N --patch=PATCH SIMULATOR        passes if some seed fails
    kill.py --seeds=N --control SIMULATOR            passes if none does

The workload is the general one: `run --seed=1 --runs=N`, nothing that knows of the mutant.
Prints how many seeds and seconds it took, and what was found.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from tests.mutants import patch_file


class NoResult(Exception):
    """The simulator did not do its work; the message says how."""


def run(simulator, seeds):
    """The figures of one `run`, with wall seconds; it stops at the first failure itself."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as directory:
        begin = time.monotonic()
        done = subprocess.run(
            [simulator, "run", "--seed=1", f"--runs={seeds}", "--json", f"--out={directory}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        seconds = time.monotonic() - begin
    output = done.stdout.decode(errors="replace")
    lines = output.strip().splitlines()
    try:
        figures = json.loads(lines[-1])
        failures, ran = int(figures["failures"]), int(figures["seeds"])
    except (IndexError, ValueError, KeyError, TypeError):
        raise NoResult(f"no figures, exit status {done.returncode}:\n{output[-4000:]}") from None
    if done.returncode not in (0, 1) or (done.returncode == 1) != (failures > 0):
        raise NoResult(f"exit status {done.returncode} with {failures} failures:\n{output[-4000:]}")
    if ran == 0 or (failures == 0 and ran != seeds):
        raise NoResult(f"{ran} of {seeds} seeds ran:\n{output[-4000:]}")
    figures["wall_seconds"] = seconds
    figures["output"] = output
    return figures


def first_finding(figures):
    """(seed, class, message) of the finding with the lowest seed."""
    findings = sorted(figures.get("findings", []), key=lambda finding: finding["seed"])
    if not findings:
        return figures["seeds"], "unknown", ""
    return findings[0]["seed"], findings[0]["class"], findings[0]["message"]


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, required=True)
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--patch")
    kind.add_argument("--control", action="store_true")
    parser.add_argument("simulator")
    options = parser.parse_args(arguments)
    simulator = str(pathlib.Path(options.simulator).resolve())
    try:
        story = None
        if options.patch:
            story = patch_file.parse(pathlib.Path(options.patch).read_text(encoding="utf-8"))
        figures = run(simulator, options.seeds)
    except (NoResult, patch_file.PatchError) as problem:
        print(f"FAILED: {problem}")
        return 1
    took = f"{figures['seeds']} seeds, {figures['wall_seconds']:.2f} s"
    if figures["failures"] == 0:
        if story is None:
            print(f"control: survived {took}")
            return 0
        print(f"FAILED: mutant {story['name']} survived {took}\n"
              f"  {story['source']}\n  {story['mechanism']}")
        return 1
    seed, failure_class, message = first_finding(figures)
    found = f"at seed {seed}: {failure_class}\n  {message}"
    if story is None:
        print(f"FAILED: control: without a mutation, {found}\n{figures['output'][-4000:]}")
        return 1
    print(f"mutant {story['name']}: killed after {took}, {found}\n"
          f"  expected: {story['expected']}\n  {story['source']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
