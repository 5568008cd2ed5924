"""fuzz_target: a decoder that is fed arbitrary bytes, as a bounded test and for libFuzzer."""

def fuzz_target(name, srcs, deps, runs = 200000, **kwargs):
    """A test that runs LLVMFuzzerTestOneInput of `srcs` on mutated seeds, the same each time.

    `srcs` also define shearpin::fuzz::Seeds(): valid inputs to start from. README.md says how to
    give the same sources to libFuzzer.

    Args:
      name: of the test.
      srcs: one .cc file.
      deps: what it decodes with.
      runs: mutated inputs; fewer if they take longer than the driver's time.
      **kwargs: as of cc_test.
    """
    native.cc_test(
        name = name,
        size = "small",
        srcs = srcs,
        args = ["--runs=%d" % runs],
        deps = deps + ["//tests/fuzz:driver"],
        **kwargs
    )
