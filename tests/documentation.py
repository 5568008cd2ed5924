"""What the READMEs claim of the tree, held against the tree.

    python3 tests/documentation.py            exit status 1 where they differ
    python3 tests/documentation.py --write    renew the list of invariants in engine/README.md

  - engine/README.md lists every numbered invariant of the engine's headers, in their words.
  - Every test that tests/README.md names for a line of an issue exists.
"""

import pathlib
import re
import sys

BEGIN = "<!-- invariants: written by tests/documentation.py --write -->"
END = "<!-- end of invariants -->"
INVARIANT = re.compile(r"^//\s{1,4}([A-Z]\d+) {1,2}(\S.*)$")
CONTINUED = re.compile(r"^//\s{6,}(\S.*)$")
TEST_MACRO = re.compile(
    r"\b(?:TEST|TEST_F|TEST_P|TYPED_TEST|RC_GTEST_(?:FIXTURE_)?PROP)\(\s*(\w+),\s*(\w+)")
# `Suite.Test`, or `//a/target` for what is not one case of a C++ test.
NAMED_TEST = re.compile(r"`(\w+\.[A-Z]\w+)`")
NAMED_TARGET = re.compile(r"`(//[\w/]+:\w+)`")


def invariants(root):
    """(path, [(number, words)]) of each header that numbers some."""
    for path in sorted((root / "engine").rglob("*.h")):
        found = []
        for line in path.read_text(encoding="utf-8").split("\n"):
            begins = INVARIANT.match(line)
            continues = CONTINUED.match(line)
            if begins:
                found.append([begins.group(1), begins.group(2)])
            elif found and continues and open_text:
                found[-1][1] += " " + continues.group(1)
            # A comment's end, or a line of it that stands out less, ends the words.
            open_text = bool(begins or (continues and open_text)) if found else False
        if found:
            yield path.relative_to(root).as_posix(), found


def invariants_text(root):
    lines = []
    for path, found in invariants(root):
        lines.append(f"`{path}`")
        lines.append("")
        lines += [f"- **{number}** {words}" for number, words in found]
        lines.append("")
    return "\n".join(lines)


def check_invariants(root, write):
    readme = root / "engine" / "README.md"
    text = readme.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        return [f"engine/README.md: no lines {BEGIN!r} and {END!r}"]
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    wanted = f"{head}{BEGIN}\n\n{invariants_text(root)}{END}{tail}"
    if text == wanted:
        return []
    if write:
        readme.write_text(wanted, encoding="utf-8")
        return []
    return ["engine/README.md: the invariants are not those of the headers; run "
            "`python3 tests/documentation.py --write`"]


def existing_tests(root):
    tests = set()
    for top in ("engine", "faultfs", "model", "sim", "tests"):
        for path in (root / top).rglob("*_test.cc"):
            for suite, name in TEST_MACRO.findall(path.read_text(encoding="utf-8")):
                tests.add(f"{suite}.{name}")
    return tests


def existing_targets(root):
    targets = set()
    for top in ("engine", "faultfs", "model", "sim", "tests", "ci"):
        for path in (root / top).rglob("BUILD"):
            package = path.parent.relative_to(root).as_posix()
            for name in re.findall(r'name = "(\w+)"', path.read_text(encoding="utf-8")):
                targets.add(f"//{package}:{name}")
    return targets


def check_claims(root):
    text = (root / "tests" / "README.md").read_text(encoding="utf-8")
    tests, targets = existing_tests(root), existing_targets(root)
    problems = [f"tests/README.md: there is no test {name}"
                for name in NAMED_TEST.findall(text) if name not in tests]
    problems += [f"tests/README.md: there is no target {name}"
                 for name in NAMED_TARGET.findall(text) if name not in targets]
    for number, line in enumerate(text.split("\n"), 1):
        cells = line.split("|")
        claims = len(cells) == 4 and re.match(r" \d+[a-z]? ", cells[1])
        if claims and not NAMED_TEST.search(cells[2]) and not NAMED_TARGET.search(cells[2]):
            problems.append(f"tests/README.md:{number}: a line without a test")
    if not NAMED_TEST.search(text):
        problems.append("tests/README.md: names no test")
    return problems


def main(arguments):
    # Bazel runs this through links into the real tree.
    root = pathlib.Path(__file__).resolve().parents[1]
    problems = check_invariants(root, "--write" in arguments) + check_claims(root)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
