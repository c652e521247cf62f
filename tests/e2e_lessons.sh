#!/bin/bash
# e2e_lessons.sh - the check of each lesson (docs/tutorial.md) lets its solution
# pass, and finds its starting file wanting.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

lesson() {
    try make --no-print-directory CC="${CC:-gcc}" lesson "$@"
}

# The next lesson's starting file solves a lesson, up to the last three.
solution() {
    local file=course/solutions/$1.c
    [[ -e $file ]] || file=course/lessons/$(($1 + 1)).c
    echo "$file"
}

for n in 1 2 3 4 5 6 7 8; do
    start=course/lessons/$n.c
    [[ -e $start ]] || start=course/lessons/4.c
    lesson N=$n L=$start
    expect_output "the starting file of lesson $n does not solve it" 2 \
        '^not ok - '
    lesson N=$n L="$(solution $n)"
    expect_output "lesson $n can be solved" 0 "^lesson $n is solved"
done

lesson N=2 L="$SCRATCH/mine.c"
expect "a student's own file is made" cmp "$SCRATCH/mine.c" course/lessons/2.c
lesson N=2 L="$SCRATCH/mine.c"
expect_output "and kept" 2 "^not ok - free neighbours become one block"
lesson N=9
expect_output "there is no ninth lesson" 2 'docs/tutorial.md'
finish
