"""Goal: the last line of .ci/run is true. Method: small event streams and documents."""

import contextlib
import io
import json
import os
import tempfile
import unittest

from ci import count_tests

GTEST = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" disabled="1" errors="0">
  <testsuite name="A">
    <testcase name="Good" status="run" result="completed" classname="A" />
    <testcase name="Off" status="notrun" result="suppressed" classname="A" />
    <testcase name="Skip" status="run" result="skipped" classname="A"><skipped/></testcase>
    <testcase name="Bad" status="run" classname="A"><failure message="x"/></testcase>
  </testsuite>
</testsuites>"""
SHELL_OK = ('<testsuites><testsuite name="s"><testcase name="s" status="run"/>'
            '</testsuite></testsuites>')
SHELL_BAD = ('<testsuites><testsuite name="s"><testcase name="s" status="run">'
             '<error message="exited with error code 1"/></testcase></testsuite></testsuites>')


def result(label, status, uri=None, run=1, shard=1, attempt=1):
    outputs = [{"name": "test.log", "uri": "log"}]
    if uri:
        outputs.append({"name": "test.xml", "uri": uri})
    return {"id": {"testResult": {"label": label, "run": run, "shard": shard, "attempt": attempt}},
            "testResult": {"status": status, "testActionOutput": outputs}}


class CountTest(unittest.TestCase):

    def count(self, events, documents=None):
        count = count_tests.count_events(events, (documents or {}).get)
        return count.passed, count.failed

    def test_cases_are_counted_not_targets(self):
        self.assertEqual(self.count([result("//a:t", "FAILED", "x")], {"x": GTEST}),
                         (1, ["//a:t A.Bad"]))

    def test_a_shell_test_is_one_case(self):
        documents = {"ok": SHELL_OK, "bad": SHELL_BAD}
        self.assertEqual(self.count([result("//a:o", "PASSED", "ok")], documents), (1, []))
        self.assertEqual(self.count([result("//a:b", "FAILED", "bad")], documents),
                         (0, ["//a:b s"]))

    def test_a_failure_without_a_failed_case_is_one(self):
        self.assertEqual(self.count([result("//a:t", "TIMEOUT", "x")], {"x": SHELL_OK}),
                         (1, ["//a:t timeout"]))
        self.assertEqual(self.count([result("//a:t", "FAILED")]), (0, ["//a:t failed"]))
        self.assertEqual(self.count([result("//a:t", "FAILED", "x")], {"x": "<torn"}),
                         (0, ["//a:t failed"]))

    def test_a_pass_without_xml_is_one(self):
        self.assertEqual(self.count([result("//a:t", "PASSED")]), (1, []))

    def test_the_last_attempt_counts_and_each_shard(self):
        events = [result("//a:t", "FAILED", "bad"), result("//a:t", "PASSED", "ok", attempt=2),
                  result("//a:t", "PASSED", "ok", shard=2)]
        self.assertEqual(self.count(events, {"ok": SHELL_OK, "bad": SHELL_BAD}), (2, []))

    def test_what_does_not_build_is_one(self):
        events = [{"id": {"targetCompleted": {"label": "//a:lib"}}, "completed": {}},
                  {"id": {"targetCompleted": {"label": "//a:ok"}}, "completed": {"success": True}},
                  {"id": {"testSummary": {"label": "//a:t"}},
                   "testSummary": {"overallStatus": "NO_STATUS"}}]
        self.assertEqual(self.count(events), (0, ["//a:lib did not build", "//a:t did not run"]))

    def run_main(self, status, events):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "events.json")
            if events is not None:
                with open(path, "w", encoding="utf-8") as file:
                    file.writelines(json.dumps(event) + "\n" for event in events)
                    file.write('{"torn')
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                code = count_tests.main([f"--bazel-status={status}", path])
        return code, output.getvalue().splitlines()[-1]

    def test_last_line_and_exit_status(self):
        self.assertEqual(self.run_main(0, [result("//a:t", "PASSED")]), (0, "1 passed, 0 failed"))
        self.assertEqual(self.run_main(3, [result("//a:t", "FAILED")]), (1, "0 passed, 1 failed"))
        self.assertEqual(self.run_main(1, []), (1, "0 passed, 1 failed"))
        self.assertEqual(self.run_main(1, None), (1, "0 passed, 1 failed"))
        self.assertEqual(self.run_main(0, []), (1, "0 passed, 1 failed"))
        self.assertEqual(self.run_main(1, [result("//a:t", "PASSED")]), (1, "1 passed, 1 failed"))


if __name__ == "__main__":
    unittest.main()
