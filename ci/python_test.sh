#!/bin/bash
# Runs a Python test given by its path: python_test.bzl. Writes no byte code, for it would land in
# the source tree.
set -euo pipefail
export PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1
case $1 in
  *_test.py) exec python3 ci/run_unittest.py "$@" ;;
  *) exec python3 "$@" ;;
esac
