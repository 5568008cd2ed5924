"""Counts the test cases of one `bazel test`, from its build event file and the JUnit XML it names.

Prints what failed and then, as the last line, "N passed, N failed". Exits with 0 only if Bazel
did and nothing failed. A target whose XML is missing or unreadable, or that failed although no
case in its XML did (a crash, a time limit), counts as one failed case; so does a target that
did not build. Cases that were skipped or disabled count as neither.
"""

import argparse
import json
import sys
import urllib.parse
import xml.etree.ElementTree


class Count:
    """The cases that passed, and a line for each that failed."""

    def __init__(self):
        self.passed = 0
        self.failed = []

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed


def count_xml(label, text):
    """The Count of one JUnit document; None if it is not one or has no case."""
    try:
        root = xml.etree.ElementTree.fromstring(text)
    except xml.etree.ElementTree.ParseError:
        return None
    count = Count()
    seen = False
    for case in root.iter("testcase"):
        seen = True
        if case.find("failure") is not None or case.find("error") is not None:
            suite = case.get("classname", "")
            name = case.get("name", "?")
            count.failed.append(f"{label} {suite}.{name}" if suite else f"{label} {name}")
        elif case.find("skipped") is None and case.get("status") != "notrun":
            count.passed += 1
    return count if seen else None


def read_events(lines):
    """The JSON objects of a build event file, up to where it breaks off."""
    for line in lines:
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            return


def read_uri(uri):
    parts = urllib.parse.urlparse(uri)
    if parts.scheme != "file":
        return None
    try:
        with open(urllib.parse.unquote(parts.path), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def count_result(label, result, read):
    """The Count of one testResult event."""
    ok = result.get("status") in ("PASSED", "FLAKY")
    text = None
    for output in result.get("testActionOutput", []):
        if output.get("name") == "test.xml":
            text = read(output.get("uri", ""))
    count = count_xml(label, text) if text is not None else None
    if count is None:
        count = Count()
        if ok:
            count.passed = 1
    if not ok and not count.failed:
        count.failed.append(f"{label} {result.get('status', 'unknown').lower()}")
    return count


def count_events(events, read):
    """The Count of a whole build event stream; `read` maps a URI to its text, or None."""
    results = {}  # the last attempt of each shard and run counts
    broken = {}
    for event in events:
        ident = event.get("id", {})
        if "testResult" in ident and "testResult" in event:
            key = ident["testResult"]
            label = key.get("label", "?")
            results[(label, key.get("run", 1), key.get("shard", 1))] = count_result(
                label, event["testResult"], read)
        elif "targetCompleted" in ident and "completed" in event:
            if not event["completed"].get("success", False):
                label = ident["targetCompleted"].get("label", "?")
                broken[label] = f"{label} did not build"
        elif "testSummary" in ident and "testSummary" in event:
            if event["testSummary"].get("overallStatus") in ("NO_STATUS", "FAILED_TO_BUILD"):
                label = ident["testSummary"].get("label", "?")
                broken[label] = f"{label} did not run"
    count = Count()
    for key in sorted(results):
        count.add(results[key])
    ran = {label for label, _, _ in results}
    count.failed += [broken[label] for label in sorted(broken) if label not in ran]
    return count


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("events", help="file that --build_event_json_file wrote")
    parser.add_argument("--bazel-status", type=int, default=0, help="exit status of bazel test")
    options = parser.parse_args(arguments)
    try:
        with open(options.events, encoding="utf-8") as lines:
            count = count_events(read_events(lines), read_uri)
    except OSError:
        count = Count()
    if options.bazel_status != 0 and not count.failed:
        count.failed.append(f"set-up or bazel failed with status {options.bazel_status}")
    if count.passed == 0 and not count.failed:
        count.failed.append("no test ran")
    for line in count.failed:
        print(f"FAILED {line}")
    print(f"{count.passed} passed, {len(count.failed)} failed")
    return 1 if count.failed or options.bazel_status != 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
