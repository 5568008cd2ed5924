"""The patch of a mutant: a story in lines that begin with #, then a unified diff.

    # name: unsynced_current
    # group: durability ordering
    # source: LevelDB: CURRENT temp file not synced before rename (#68/#74, 3c8be10).
    # mechanism: CURRENT.tmp is renamed without its fsync, so that the name may come first.
    # expected: will not open
    --- a/engine/manifest/current.cc
    +++ b/engine/manifest/current.cc

A line "#   more" continues the one above. `expected` names one or more failure classes, with
commas between: what the simulator is most likely to say, not what the test insists on.
"""

FIELDS = ("name", "group", "source", "mechanism", "expected")


# The corpus's own.
GROUPS = (
    "durability ordering",
    "WAL",
    "flush and atomicity",
    "compaction",
    "tombstones and snapshots",
    "iterators and filters",
    "ingest and other engines",
)


class PatchError(Exception):
    """The file is not the patch of a mutant; the message says why."""


def changed_files(text):
    """The paths, from the workspace root, that a diff changes, makes or takes away, in order."""
    files = []
    for line in text.splitlines():
        if not line.startswith(("+++ ", "--- ")):
            continue
        path = line[4:].split("\t")[0].strip()
        if path == "/dev/null":
            continue
        if path[:2] not in ("a/", "b/"):
            raise PatchError(f"expected a/PATH and b/PATH, as git diff writes them: {line}")
        if path[2:] not in files:
            files.append(path[2:])
    if not files:
        raise PatchError("it changes no file: no unified diff")
    return files


def parse(text):
    """{field: value} of the story, and "files": paths that the diff changes, in order."""
    story = {}
    last = None
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        body = line[1:]
        name, colon, value = body.strip().partition(":")
        if colon and name in FIELDS:
            if name in story:
                raise PatchError(f"{name} is told twice")
            story[name] = value.strip()
            last = name
        elif body.startswith("   ") and last:
            story[last] += " " + body.strip()
        else:
            raise PatchError(f"expected one of {', '.join(FIELDS)}: {line}")
    missing = [field for field in FIELDS if not story.get(field)]
    if missing:
        raise PatchError(f"the story lacks: {', '.join(missing)}")
    if story["group"] not in GROUPS:
        raise PatchError(f"group: expected one of {', '.join(GROUPS)}")
    story["files"] = changed_files(text)
    return story
