#!/bin/bash
# grade_all.sh - grades a directory of submissions into a CSV file.
#
#   scripts/grade_all.sh SUBMISSIONS -o grades.csv [--config course/lock.conf]
#
# docs/course.md tells the rest.
exec python3 "$(dirname "$0")/grade_all.py" "$@"
