#!/bin/bash
# e2e_model_check.sh - the lock-free headers, and mutants of them, under GenMC,
# which walks through all executions that C's memory model allows: the small
# matrix of tests/models/c/matrix.py. Without the checker: a skip.
cd "$(dirname "$0")/.." || exit 2
exec tests/models/c/matrix.py
