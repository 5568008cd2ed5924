"""Applies a mutant's patch to copies of the files it changes.

    apply_patch.py --out=DIR PATCH FILE...

Writes DIR/FILE for each. Fails, loudly, unless every hunk applies without fuzz and the patch
changes each of the files and nothing else: a mutant that is no mutant must not look like one that
nothing could kill.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile


def apply_in_place(patch, tree):
    """None, or what went wrong: which hunk of which file. The tree is spoilt then."""
    done = subprocess.run(
        ["patch", "--strip=1", "--fuzz=0", "--batch", "--forward", "--no-backup-if-mismatch",
         "--reject-file=-", "--input", str(pathlib.Path(patch).resolve())],
        cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        return f"{patch} does not apply:\n{done.stdout}"
    return None


def apply(patch, files, out):
    """None, or what went wrong."""
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        before = {}
        for file in files:
            before[file] = pathlib.Path(file).read_bytes()
            copy = work / file
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(before[file])
        problem = apply_in_place(patch, work)
        if problem:
            return problem
        for path in sorted(p for p in work.rglob("*") if p.is_file()):
            name = path.relative_to(work).as_posix()
            if name not in before:
                return f"{patch} makes a file that is none of the units: {name}"
        for file in files:
            if not (work / file).exists() or (work / file).read_bytes() == before[file]:
                return f"{patch} does not change {file}"
        for file in files:
            target = pathlib.Path(out) / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((work / file).read_bytes())
    return None


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("patch")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args(arguments)
    problem = apply(options.patch, options.files, options.out)
    if problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
