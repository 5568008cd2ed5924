"""A mutant: the simulator, linked with one mistake put back into the engine."""

load("//ci:python_test.bzl", "python_test")

def mutant(
        name,
        units,
        seeds,
        patch = None,
        main = "//sim:main.cc",
        simulator = "//sim:main_lib",
        size = "small",
        tags = []):
    """Builds `name`, the simulator with a patch applied, and `name`_test, which must kill it.

    The patched sources are compiled into the binary itself. Its objects are linked before the
    libraries, so the library's own object that defines the same symbols is never taken; were it
    taken for a symbol that the patched one lacks, the link would fail on the duplicates.

    Args:
      name: of the mutant, as in its patch.
      units: full labels (//package:file) of the .cc files that the patch changes, all of them.
      seeds: the most seeds that the general workload may need to show it.
      patch: unified diff with paths from the workspace root (a/, b/); default name + ".patch".
      main: the source of the simulator's main().
      simulator: everything else of it.
      size: of the test.
      tags: of binary and test; the binary is built only for the test.
    """
    patch = patch or name + ".patch"
    sources = [
        "%s_src/%s/%s" % (name, Label(unit).package, Label(unit).name)
        for unit in units
    ]
    native.genrule(
        name = name + "_sources",
        srcs = [patch] + units,
        outs = sources,
        cmd = "python3 -B $(execpath //tests/mutants:apply_patch.py) " +
              "--out=$(RULEDIR)/%s_src $(execpath %s) " % (name, patch) +
              " ".join(["$(execpath %s)" % unit for unit in units]),
        message = "Applying " + patch,
        tools = ["//tests/mutants:apply_patch.py"],
    )
    native.cc_binary(
        name = name,
        testonly = True,
        srcs = sources + [main],
        # A mistake may well leave a variable unused; nobody wants to read about it.
        copts = ["-w"],
        tags = tags,
        deps = [simulator],
    )
    python_test(
        name = name + "_test",
        size = size,
        args = [
            "--seeds=%d" % seeds,
            "--patch=$(location %s)" % patch,
            "$(location :%s)" % name,
        ],
        data = [
            patch,
            ":" + name,
            "//tests/mutants:patch_file.py",
            "//tests/mutants:seed_runs.py",
        ],
        main = "//tests/mutants:kill.py",
        tags = tags,
    )

def control(name, seeds, simulator = "//sim", size = "small", tags = []):
    """The test that the simulator without a mutation survives the seeds that kill mutants."""
    python_test(
        name = name,
        size = size,
        args = [
            "--seeds=%d" % seeds,
            "--control",
            "$(location %s)" % simulator,
        ],
        data = [
            simulator,
            "//tests/mutants:patch_file.py",
            "//tests/mutants:seed_runs.py",
        ],
        main = "//tests/mutants:kill.py",
        tags = tags,
    )
