"""Builds mutants without Bazel: only what a patch changes, with the flags that Bazel used.

`simulator_kit.bzl` tells the commands that built the simulator. A mutant is a copy of the sources
with its patch applied; of it those files are compiled that the patch changes or that include a
changed header, and linked with the objects that are there already.
"""

import dataclasses
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

from tests.mutants import apply_patch
from tests.mutants import patch_file

# The error of interest is the first; what follows is noise.
MOST_COMPILER_OUTPUT = 3000

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


class BuildError(Exception):
    """There is no mutant; the message says why."""


@dataclasses.dataclass(frozen=True)
class Compile:
    """One compilation."""
    argv: tuple
    source: str  # from the workspace root
    output: str  # as in the link's arguments


def parse_compile(words):
    """A Compile of the words of a command line."""
    source = words[words.index("-c") + 1]
    return Compile(tuple(words), source, words[words.index("-o") + 1])


class Kit:
    """The commands of one build; immutable."""

    def __init__(self, path, root="."):
        """`root`: what the paths in the file, and those of Bazel's outputs, are below."""
        self.root = pathlib.Path(root).resolve()
        parts = json.loads((self.root / path).read_text(encoding="utf-8"))
        self.bin_directory = parts["bin_directory"]
        # Response files hold the very words that are there already.
        self.link = [word for word in parts["link"] if not word.startswith("@")]
        self.program = parts["program"]
        self.compiles = {}
        for name in parts["compiles"]:
            words = shlex.split((self.root / name).read_text(encoding="utf-8"))
            one = parse_compile(words)
            # A source has a second, position-independent object that no program is linked of.
            if one.output in self.link:
                self.compiles[one.source] = one
        if not self.compiles:
            raise BuildError(f"{path} names no compilation whose object is linked")

    def output(self, path, below):
        """Where under `below` an output of Bazel lies, or None if `path` is none."""
        prefix = self.bin_directory + "/"
        return below / path[len(prefix):] if path.startswith(prefix) else None

    def packages(self):
        """The top-level directories with sources."""
        return sorted({pathlib.PurePosixPath(source).parts[0] for source in self.compiles})


def affected(tree, sources, changed):
    """Those of `sources` that are, or include by any way, one of `changed`; sorted."""
    includes = {}

    def reaches(path):
        if path in includes:
            return includes[path]
        includes[path] = False  # a cycle adds nothing
        found = path in changed
        file = tree / path
        if not found and file.is_file():
            text = file.read_text(encoding="utf-8", errors="replace")
            found = any(reaches(name) for name in INCLUDE.findall(text))
        includes[path] = found
        return found

    return sorted(source for source in sources if reaches(source))


class Builder:
    """Builds mutants of one state of the sources. Usable by several threads at once."""

    def __init__(self, kit, workspace, directory):
        """Copies the sources in `workspace` and what was built of them: both may change while it is
        at work. Writes below `directory` only."""
        self._kit = kit
        self._directory = pathlib.Path(directory)
        self._original = self._directory / "original"
        for package in kit.packages():
            shutil.copytree(pathlib.Path(workspace) / package, self._original / package)
        self._built = self._directory / "built"
        for word in kit.link:
            output = kit.output(word, kit.root)
            if output is not None:
                copy = kit.output(word, self._built)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(output, copy)

    def build(self, patch, name):
        """(program, notes) of the mutant; raises BuildError."""
        try:
            text = pathlib.Path(patch).read_text(encoding="utf-8")
            changed = patch_file.changed_files(text)
        except (OSError, UnicodeDecodeError, patch_file.PatchError) as problem:
            raise BuildError(str(problem)) from None
        place = self._directory / name
        tree = place / "tree"
        shutil.copytree(self._original, tree)
        problem = apply_patch.apply_in_place(patch, tree)
        if problem:
            raise BuildError(problem)
        sources = affected(tree, self._kit.compiles, set(changed))
        ignored = [path for path in changed
                   if not affected(tree, self._kit.compiles, {path})]
        if not sources:
            raise BuildError(f"{patch} changes nothing that the simulator is built of: " +
                             ", ".join(changed))
        objects = {}
        for source in sources:
            objects[self._kit.compiles[source].output] = self._compile(source, tree, place)
        program = place / "sim"
        self._link(objects, program)
        shutil.rmtree(tree)
        notes = [f"{path} is no part of the simulator" for path in ignored]
        return program, notes

    def control(self):
        """The simulator as Bazel built it."""
        return self._kit.output(self._kit.program, self._built)

    def remove(self, name):
        """What build() made under `name`."""
        shutil.rmtree(self._directory / name, ignore_errors=True)

    def _compile(self, source, tree, place):
        one = self._kit.compiles[source]
        target = place / (source.replace("/", "_") + ".o")
        argv = []
        words = iter(one.argv)
        for word in words:
            if word in ("-MD", "-MMD"):
                continue
            if word == "-MF":
                next(words)
                continue
            argv.append(str(target) if word == one.output else word)
        # A mistake may well leave a variable unused; nobody wants to read about it.
        self._run(argv + ["-w"], tree, f"{source} does not compile")
        return target

    def _link(self, objects, program):
        argv = []
        for word in self._kit.link:
            if word == self._kit.program:
                argv.append(str(program))
            elif word in objects:
                argv.append(str(objects[word]))
            else:
                output = self._kit.output(word, self._built)
                argv.append(word if output is None else str(output))
        self._run(argv, self._directory, f"{program.parent.name} does not link")

    @staticmethod
    def _run(argv, directory, problem):
        done = subprocess.run(argv, cwd=directory, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"},
                              start_new_session=True, check=False)
        if done.returncode != 0:
            output = done.stdout.decode(errors="replace").strip()
            raise BuildError(f"{problem}:\n{output[:MOST_COMPILER_OUTPUT]}")
