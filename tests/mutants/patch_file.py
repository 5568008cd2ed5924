"""The patch of a mutant: a story in lines that begin with #, then a unified diff.

    # name: unsynced_current
    # source: LevelDB: CURRENT temp file not synced before rename (#68/#74, 3c8be10).
    # mechanism: CURRENT.tmp is renamed without its fsync, so that the name may come first.
    # expected: will not open
    --- a/engine/manifest/current.cc
    +++ b/engine/manifest/current.cc

A line "#   more" continues the one above. `expected` names one or more failure classes, with
commas between: what the simulator is most likely to say, not what the test insists on.
"""

FIELDS = ("name", "source", "mechanism", "expected")


class PatchError(Exception):
    """The file is not the patch of a mutant; the message says why."""


def parse(text):
    """{field: value} of the story, and "files": paths that the diff changes, in order."""
    story = {}
    files = []
    last = None
    in_story = True
    for line in text.splitlines():
        if in_story and line.startswith("#"):
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
            continue
        in_story = False
        if line.startswith("+++ "):
            path = line[4:].split("\t")[0].strip()
            if not path.startswith("b/"):
                raise PatchError(f"expected +++ b/PATH: {line}")
            files.append(path[2:])
    missing = [field for field in FIELDS if not story.get(field)]
    if missing:
        raise PatchError(f"the story lacks: {', '.join(missing)}")
    if not files:
        raise PatchError("it changes no file")
    story["files"] = files
    return story
