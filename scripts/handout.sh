#!/bin/bash
# handout.sh - a directory for students: driver, memlib, a skeleton, traces.
#
#   scripts/handout.sh DIR                           the plain malloc lab
#   scripts/handout.sh DIR --config course/lock.conf
#
# docs/course.md tells the rest; course/plain.conf has all that can be set.
exec python3 "$(dirname "$0")/handout.py" "$@"
