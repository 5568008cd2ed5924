"""Runs the unittest cases of one file and tells Bazel each of them in its JUnit XML."""

import importlib
import os
import sys
import unittest
import xml.etree.ElementTree as ElementTree


class Recorder(unittest.TextTestResult):
    """Remembers how each case ended."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.cases = {}

    def startTest(self, test):
        super().startTest(test)
        self.cases[test.id()] = None

    def addError(self, test, err):
        super().addError(test, err)
        self.cases[test.id()] = self.errors[-1][1]

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.cases[test.id()] = self.failures[-1][1]

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.cases[test.id()] = f"{subtest}: {err[1]}"


def write_xml(path, cases):
    suite = ElementTree.Element("testsuite", name="unittest", tests=str(len(cases)))
    for ident, problem in cases.items():
        suite_name, _, name = ident.rpartition(".")
        case = ElementTree.SubElement(suite, "testcase", classname=suite_name, name=name)
        if problem is not None:
            ElementTree.SubElement(case, "failure", message=problem)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def main(arguments):
    module = importlib.import_module(arguments[0][:-len(".py")].replace("/", "."))
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(verbosity=2, resultclass=Recorder).run(suite)
    if "XML_OUTPUT_FILE" in os.environ and result.cases:
        write_xml(os.environ["XML_OUTPUT_FILE"], result.cases)
    return 0 if result.wasSuccessful() and result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
