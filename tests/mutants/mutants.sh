#!/bin/bash
# `bazel run` starts this at the root of the runfiles.
set -euo pipefail
export PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1
exec python3 tests/mutants/score.py "$@"
