"""Goal: ci/setup installs what is missing, nothing else, and says what it cannot do.

Method: the script run with stand-ins for dpkg-query, apt-get and sudo that keep a journal.
"""

import os
import pathlib
import subprocess
import tempfile
import unittest

SETUP = pathlib.Path(__file__).resolve().parent / "setup"

DPKG_QUERY = """#!/bin/bash
shift 2
for package in "$@"; do
  [[ " $MISSING " == *" $package "* ]] || printf '%s\\n' "installed $package"
done
[[ -z $MISSING ]]
"""
APT_GET = """#!/bin/bash
echo "$*" >>"$JOURNAL"
echo noise; echo noise >&2
n=$(grep -c ^install "$JOURNAL")
case $1 in
  install) [[ $n -gt ${FAIL_INSTALLS:-0} ]] ;;
  update) [[ -z ${FAIL_UPDATE:-} ]] ;;
esac
"""
SUDO = """#!/bin/bash
[[ $1 == -n ]] && shift
exec "$@"
"""


class SetupTest(unittest.TestCase):

    def run_setup(self, **variables):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory)
            for name, text in (("dpkg-query", DPKG_QUERY), ("apt-get", APT_GET), ("sudo", SUDO)):
                (path / name).write_text(text, encoding="utf-8")
                (path / name).chmod(0o755)
            journal = path / "journal"
            environment = dict(os.environ, PATH=f"{directory}:{os.environ['PATH']}",
                               JOURNAL=str(journal), MISSING="")
            environment.update(variables)
            done = subprocess.run([str(SETUP)], cwd="/", env=environment, capture_output=True,
                                  stdin=subprocess.DEVNULL, text=True, check=False)
            lines = journal.read_text().splitlines() if journal.exists() else []
        return done, lines

    def test_nothing_to_do_is_silent_and_starts_no_apt(self):
        done, journal = self.run_setup()
        self.assertEqual((done.returncode, done.stdout, done.stderr, journal), (0, "", "", []))

    def test_installs_only_what_is_missing_silently(self):
        done, journal = self.run_setup(MISSING="patch librapidcheck-dev")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(len(journal), 1)
        self.assertTrue(journal[0].endswith(" patch librapidcheck-dev"), journal)

    def test_updates_the_lists_only_when_they_do_not_do(self):
        done, journal = self.run_setup(MISSING="patch", FAIL_INSTALLS="1")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertEqual([line.split()[0] for line in journal], ["install", "update", "install"])

    def test_says_what_failed(self):
        done, _ = self.run_setup(MISSING="patch", FAIL_INSTALLS="9")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("could not install: patch", done.stderr)
        done, _ = self.run_setup(MISSING="patch", FAIL_INSTALLS="9", FAIL_UPDATE="1")
        self.assertIn("apt-get update failed", done.stderr)


if __name__ == "__main__":
    unittest.main()
