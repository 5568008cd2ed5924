"""The design's bans, as a test: what may be included where, and what may not be written at all.

    python3 ci/tidy.py [ROOT]

Prints "file:line: rule: what to do instead" for each finding and exits with 1 if there is one.
Comments and string literals are blanked before code rules look, so prose may name what is banned.
"""

import os
import pathlib
import re
import sys
from typing import NamedTuple

SOURCE_ROOTS = ("engine", "faultfs", "model", "sim", "tests", "ci", ".ci")
CODE = (".h", ".cc")
TEXT = CODE + (".py", ".bzl", ".sh", ".md", "BUILD", "WORKSPACE")
LINE_LIMIT = 100
WARN_LINES = 700
MOST_LINES = 900


class Finding(NamedTuple):
    path: str
    line: int
    rule: str
    message: str
    fatal: bool = True

    def __str__(self):
        kind = "" if self.fatal else "warning: "
        return f"{self.path}:{self.line}: {kind}{self.rule}: {self.message}"


class Ban(NamedTuple):
    """A pattern that no code line of certain files may hold."""
    rule: str
    pattern: re.Pattern
    message: str
    under: tuple = ("",)      # path prefixes it holds for
    except_under: tuple = ()  # and those it does not
    in_tests: bool = True     # whether it holds in tests


def ban(rule, pattern, message, under=("",), except_under=(), in_tests=True):
    return Ban(rule, re.compile(pattern), message, under, except_under, in_tests)


# Tests may race real threads against the engine, for ThreadSanitizer.
ENGINE = {"under": ("engine/",), "except_under": ("engine/env/",), "in_tests": False}

BANS = (
    ban("raw-thread", r"\bstd::j?thread\b|\bstd::(async|future|promise)\b|\bpthread_create\b",
        "use Scheduler::Spawn of engine/env/scheduler.h", **ENGINE),
    ban("raw-lock",
        r"\bstd::(\w*mutex|condition_variable\w*|barrier|latch|call_once|once_flag)\b"
        r"|\bstd::(counting|binary)_semaphore\b|\bpthread_(mutex|cond|rwlock|spin)\w*",
        "use Mutex and CondVar of engine/env/scheduler.h", **ENGINE),
    ban("raw-sleep", r"\bstd::this_thread::|\b(nano|u)?sleep\s*\(|\bsched_yield\s*\(",
        "use Scheduler::SleepUntil or Scheduler::Yield of engine/env/scheduler.h", **ENGINE),
    ban("raw-clock",
        r"\b\w+_clock::now\b|\bstd::chrono::\w*_clock\b|\bclock_gettime\b|\bgettimeofday\b"
        r"|(?<![\w.>:])time\s*\(\s*(NULL|nullptr|0|&)",
        "use Clock of engine/env/clock.h", **ENGINE),
    ban("thread-local", r"\bthread_local\b|\b__thread\b",
        "fibers share it: pass the state, or keep it in the object it belongs to",
        under=("engine/", "faultfs/", "model/"), except_under=("engine/env/",)),
    ban("atomic-wait",
        r"(\.|->)(wait|notify_one|notify_all)\s*\(|\bstd::atomic_(flag_)?(wait|notify)\w*",
        "the scheduler cannot see it: use CondVar of engine/env/scheduler.h", **ENGINE),
    ban("std-random",
        r"\bstd::(random_device|mt19937\w*|minstd_rand0?|ranlux\w+|knuth_b|default_random_engine"
        r"|\w+_distribution|(ranges::)?shuffle|(ranges::)?sample)\b|#\s*include\s*<random>"
        r"|(?<![\w.>:])s?rand(om)?(_r)?\s*\(|\b[delmn]rand48\b",
        "use sim/rng.h (tests: RapidCheck); Entropy of engine/env/entropy.h in the engine"),
    ban("unordered", r"\bunordered_(multi)?(map|set)\b",
        "use std::map, std::set or a sorted vector: its order must not depend on a hash",
        under=("faultfs/", "sim/", "model/")),
    ban("test-switch", r"#\s*(if|ifdef|ifndef|elif)\b.*(\b|_)(UNIT_?)?TEST(S|ING|_MODE)?\b",
        "the code under test is the code that ships: pass an option or an interface"),
    ban("friend-test", r"\bfriend\s+class\s+\w*Tests?\b|\bFRIEND_TEST\b",
        "test through the public interface, or give the part an interface of its own"),
    ban("test-method", r"\bTEST_(?![FP]\s*\()\w+\s*\(",
        "no methods for tests only: test what callers see"),
    ban("is-simulated", r"\bis_?simulat(ed|ion)\b|\bIsSimulat(ed|ion)\b|\bin_simulation\b",
        "the engine does not know: put the difference behind engine/env"),
    ban("exception", r"\bthrow\b",
        "return Status or StatusOr (engine/status.h); CHECK what only we can do wrong"),
    # The command lines parse with a library that throws.
    ban("exception", r"\bcatch\s*\(|\btry\s*\{",
        "nothing here throws: use calls that return a Status or an error code",
        under=("engine/", "faultfs/", "model/"), except_under=("engine/tool/",)),
)

# What a file under the first may include of this repository: prefixes or files. The first match,
# in this order, is the file's own layer.
PUBLIC = ("engine/*.h",)
BASE = ("engine/base/", "engine/env/") + PUBLIC
ARROWS = (
    ("model/", ("model/",)),
    ("faultfs/", ("faultfs/", "engine/env/", "engine/status.h", "engine/base/check.h")),
    ("sim/", ("sim/", "faultfs/", "model/", "engine/env/", "engine/base/check.h",
              "engine/base/tsv_field.h") + PUBLIC),
    ("tests/", ("tests/", "sim/", "faultfs/", "model/", "engine/")),
    ("engine/base/", ("engine/base/", "engine/status.h", "engine/iterator.h")),
    ("engine/env/", ("engine/env/", "engine/base/", "engine/status.h")),
    ("engine/wal/", ("engine/wal/",) + BASE),
    ("engine/memtable/", ("engine/memtable/",) + BASE),
    ("engine/cache/", ("engine/cache/",) + BASE),
    ("engine/sst/", ("engine/sst/", "engine/cache/") + BASE),
    ("engine/manifest/", ("engine/manifest/", "engine/wal/", "engine/memtable/", "engine/sst/",
                          "engine/cache/") + BASE),
    ("engine/compaction/", ("engine/compaction/", "engine/manifest/", "engine/memtable/",
                            "engine/sst/", "engine/cache/") + BASE),
    ("engine/log_sink/", ("engine/log_sink/", "engine/manifest/file_names.h") + BASE),
    ("engine/db/", ("engine/",)),
    ("engine/repair/", ("engine/",)),
    # A tool that dumps files reads the formats; what a database does it asks of the public headers.
    # Its policy laboratory asks the policies, which are pure functions.
    ("engine/tool/", ("engine/tool/", "engine/wal/", "engine/sst/", "engine/manifest/",
                      "engine/compaction/") + BASE),
    ("engine/", ("engine/base/", "engine/env/") + PUBLIC),
)
DB_HEADER = "engine/db.h"
ABOVE_DB = ("engine/db/", "engine/repair/", "engine/tool/", "faultfs/", "sim/", "tests/",
            "engine/db.")

# Libraries that only some parts may use.
LIBRARIES = (
    (re.compile(r"^boost/filesystem"), ("engine/env/", "engine/tool/", "sim/", "tests/")),
    (re.compile(r"^boost/"), ("engine/env/", "sim/", "tests/")),
    (re.compile(r"^spdlog/"), ("engine/log_sink", "engine/tool/", "sim/", "tests/")),
    (re.compile(r"^(CLI/|nlohmann/)"), ("engine/tool/", "sim/", "tests/")),
    (re.compile(r"^(xxhash|lz4\w*|zstd\w*)\.h$"), ("engine/", "faultfs/", "sim/", "tests/")),
    (re.compile(r"^(gtest|gmock|rapidcheck)\b"), ()),
)

VAGUE_NAMES = re.compile(r"^(util|utils|utility|utilities|common|helpers?|types|misc)(_test)?\.")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
EMOJI = re.compile("[\u2600-\u27bf\u2b00-\u2bff\ufe0f\U0001f000-\U0001faff]")
TO_DO = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")

_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^(\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)


def blank(text):
    """The text with the insides of comments and literals blanked, lines and columns kept."""
    def replace(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    lines = text.split("\n")
    kept = {i: line for i, line in enumerate(lines) if INCLUDE.match(line)}
    blanked = _TOKEN.sub(replace, text).split("\n")
    for i, line in kept.items():  # an include's path is no literal
        if blanked[i].strip():
            blanked[i] = line
    return blanked


def is_test(path):
    return re.search(r"_(test|bench)\.cc$|_fixture\.h$|_test\w*\.h$", path) is not None


def allowed(target, patterns):
    for pattern in patterns:
        if pattern == "engine/*.h":
            if re.fullmatch(r"engine/\w+\.h", target):
                return True
        elif pattern.endswith("/"):
            if target.startswith(pattern):
                return True
        elif target == pattern:
            return True
    return False


def check_include(path, number, target, quoted):
    for pattern, users in LIBRARIES:
        if pattern.match(target):
            if path.startswith(users) if users else is_test(path):
                return None
            who = " or ".join(users) if users else "tests"
            return Finding(path, number, "library", f"<{target}> is for {who} only")
    if not re.match(r"(engine|faultfs|model|sim|tests|ci)/", target):
        if path.startswith("model/") and (quoted or "/" in target or target.endswith(".h")):
            return Finding(path, number, "arrow",
                           f"{target}: the model uses the standard library only")
        if quoted:
            return Finding(path, number, "include-path",
                           f'"{target}": write the path from the workspace root')
        return None
    for layer, targets in ARROWS:
        if not path.startswith(layer):
            continue
        # What is tested is still the engine alone; the disk below it may be a simulated one.
        if is_test(path) and path.startswith("engine/"):
            targets += ("faultfs/",)
        if not allowed(target, targets):
            reach = ", ".join(targets)
            return Finding(path, number, "arrow", f"{layer} may not include {target}; only {reach}")
        if target == DB_HEADER and not path.startswith(ABOVE_DB):
            return Finding(path, number, "arrow", f"{target} is above {layer}")
        return None
    return None


def check_code(path, text):
    lines = blank(text)
    for number, line in enumerate(lines, 1):
        include = INCLUDE.match(line)
        if include:
            finding = check_include(path, number, include.group(2), include.group(1) == '"')
            if finding:
                yield finding
        for rule in BANS:
            if not path.startswith(rule.under) or (is_test(path) and not rule.in_tests):
                continue
            if rule.except_under and path.startswith(rule.except_under):
                continue
            if rule.pattern.search(line):
                yield Finding(path, number, rule.rule, rule.message)
    if path.endswith(".h") and not any(line.strip() == "#pragma once" for line in lines):
        yield Finding(path, 1, "pragma-once", "add #pragma once")


def check_text(path, text):
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if line.endswith((" ", "\t", "\r")):
            yield Finding(path, number, "trailing-space", "remove it")
        if "\t" in line:
            yield Finding(path, number, "tab", "indent with spaces; write \\t in a literal")
        if EMOJI.search(line):
            yield Finding(path, number, "emoji", "say it in words")
        if TO_DO.search(line):
            yield Finding(path, number, "to-do", "do it, or write an issue")
        if len(line) > LINE_LIMIT and not path.endswith(".md") and "http" not in line:
            yield Finding(path, number, "line-length",
                          f"{len(line)} columns; {LINE_LIMIT} are the limit")
    if text and not text.endswith("\n"):
        yield Finding(path, len(lines), "final-newline", "end the file with a newline")
    if path.endswith(CODE):
        count = len(lines) - 1
        if count > WARN_LINES:
            yield Finding(path, count, "file-length",
                          f"{count} lines; split it by subject at {WARN_LINES}",
                          fatal=count > MOST_LINES)


def check_name(path):
    name = path.rsplit("/", 1)[-1]
    if VAGUE_NAMES.match(name):
        yield Finding(path, 1, "vague-name", "name the thing that is in it")


def check_file(path, text):
    """All findings in one file; `path` is relative to the workspace root."""
    findings = list(check_name(path))
    if path.endswith(TEXT) or "#!" == text[:2]:
        findings += check_text(path, text)
    if path.endswith(CODE):
        findings += check_code(path, text)
    return findings


def source_files(root):
    """Paths, relative to the root and sorted, of all files the rules are for."""
    for top in SOURCE_ROOTS:
        for directory, names, files in os.walk(root / top):
            names[:] = sorted(n for n in names if n != "__pycache__" and not n.startswith("bazel-"))
            for name in sorted(files):
                yield (pathlib.Path(directory) / name).relative_to(root).as_posix()


def check_tree(root):
    findings = []
    count = 0
    for path in source_files(root):
        # Patches and recorded data hold other files' bytes.
        if not path.endswith(TEXT) and not path.startswith(("ci/", ".ci/")):
            continue
        count += 1
        with open(root / path, encoding="utf-8", errors="replace") as file:
            findings += check_file(path, file.read())
    return count, findings


def main(arguments):
    # Bazel runs this through links into the real tree.
    root = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).resolve().parents[1]
    count, findings = check_tree(root)
    for finding in findings:
        print(finding)
    if count == 0:
        print(f"no source file found under {root}")
        return 1
    fatal = sum(finding.fatal for finding in findings)
    print(f"{count} files, {fatal} findings, {len(findings) - fatal} warnings")
    return 1 if fatal else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
