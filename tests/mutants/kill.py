"""Runs a mutant's simulator over the first seeds, and passes if it finds the mistake.

    kill.py --seeds=N --patch=PATCH SIMULATOR        passes if some seed fails
    kill.py --seeds=N --control SIMULATOR            passes if none does

The workload is the general one: `run --seed=1 --runs=N`, nothing that knows of the mutant.
Prints how many seeds and seconds it took, and what was found.
"""

import argparse
import os
import pathlib
import sys
import tempfile

from tests.mutants import patch_file
from tests.mutants import seed_runs


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
        with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as out:
            figures = seed_runs.run(simulator, 1, options.seeds, out)
    except (seed_runs.NoResult, patch_file.PatchError) as problem:
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
    finding = seed_runs.first_finding(figures)
    found = f"at seed {finding['seed']}: {finding['class']}\n  {finding['message']}"
    if story is None:
        print(f"FAILED: control: without a mutation, {found}\n{figures['output'][-4000:]}")
        return 1
    print(f"mutant {story['name']}: killed after {took}, {found}\n"
          f"  expected: {story['expected']}\n  {story['source']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
