"""Tests in Python: Bazel 4's own py_test starts `python`, which Debian does not have."""

def python_test(name, main, data = [], args = [], **kwargs):
    """Runs `main` with python3 from the root of the runfiles.

    Args:
      name: of the test.
      main: the script; one that holds unittest cases is run by ci/run_unittest.py.
      data: the other files it needs; a module is imported by its path from the root.
      args: for the script.
      **kwargs: as for sh_test.
    """
    native.sh_test(
        name = name,
        srcs = ["//ci:python_test.sh"],
        args = ["$(location %s)" % main] + args,
        data = [main, "//ci:run_unittest.py"] + data,
        **kwargs
    )
