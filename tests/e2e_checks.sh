#!/bin/bash
# e2e_checks.sh - do the checkers find what is planted for them?
# tests/run.sh and scripts/check_*.py.
#
# shellcheck disable=SC2016,SC2317 # $0 of programs; what expect and try call
cd "$(dirname "$0")/.." || exit 2
. tests/lib.sh

# ---- tests/run.sh -----------------------------------------------------------
program() {    # NAME BODY: a test program
    printf '#!/bin/sh\n%s\n' "$2" >"$SCRATCH/$1"
    chmod +x "$SCRATCH/$1"
}
runner() {
    tests/run.sh --idle 2 "${@/#/$SCRATCH/}"
}
last_line() {    # NAME EXPECTED: of the last `try`
    local last=${out##*$'\n'}
    if [[ $last == "$2" ]]; then
        ok "$1"
    else
        not_ok "$1" "last line '$last', expected '$2'"
    fi
}

program good 'echo "ok - one"; echo "ok 2 - two"; echo "noise: not ok - x"'
program bad 'echo "ok - one"; echo "not ok - two: why"; exit 1'
program check 'echo "75%: Checks: 8, Failures: 1, Errors: 1"; exit 1'
program crash 'echo "ok - one"; kill -SEGV $$'
program hang 'echo "ok - one"; sleep 1000'
program liar 'echo "ok - one"; exit 3'
program silent 'echo "all is well"'
# Two that each wait for the other's beginning, and one that wants to be alone.
meets() {    # OTHER
    echo 'd=${0%/*}; touch $0.begun; until [ -e $d/'"$1"'.begun ]; do sleep .1'
    echo 'done; echo "$0" >>$d/ends; echo "ok - met"'
}
program one "$(meets two)"
program two "$(meets one)"
program lone '# alone: for this test
cd ${0%/*}; [ -e ends ] || exit 1; touch lone.runs; sleep 1; rm lone.runs
echo "ok - lone"'
program late 'sleep .1; cd ${0%/*}; [ ! -e lone.runs ] && echo "ok - late"'
program skips 'echo "ok - one # SKIP no network"; echo "ok - two"'

try runner good
last_line "run.sh sums TAP lines" "2 passed, 0 failed"
expect_output "run.sh ends well when all passed" 0 '^good +2 passed'
try runner good bad check
last_line "run.sh adds programs, TAP and Check" "9 passed, 3 failed"
expect_output "run.sh ends with status 1 when one failed" 1 FAILED
expect_output "run.sh shows what a failing program printed" 1 \
    '\| not ok - two: why'
try runner crash
last_line "run.sh counts a crash as one failure" "1 passed, 1 failed"
expect_output "run.sh names the signal" 1 'SEGV'
try runner hang
last_line "run.sh stops a program that hangs" "1 passed, 1 failed"
try runner liar
last_line "run.sh believes the exit status" "1 passed, 1 failed"
try runner silent
last_line "run.sh counts a program without a result as failed" \
    "0 passed, 1 failed"
try runner no-such-program
last_line "run.sh counts a missing program as failed" "0 passed, 1 failed"
try runner skips
last_line "run.sh does not count what was skipped" "1 passed, 0 failed"
try tests/run.sh --jobs 2 "$SCRATCH"/{one,two,lone,late}
last_line "run.sh runs two programs at a time, and one alone that wants it" \
    "4 passed, 0 failed"
try tests/run.sh
last_line "run.sh without programs fails" "0 passed, 1 failed"
tests/run.sh --csv "$SCRATCH/csv" "$SCRATCH/bad" >"$SCRATCH/out"
expect "run.sh --csv names each test" grep -q '^bad,"two: why",failed,' \
    "$SCRATCH/csv"

# ---- the source checks, on a small tree with one fault at a time ------------
tree=$SCRATCH/tree
plant() {    # FILE LINE...: a clean tree, then FILE with these lines more
    rm -rf "$tree"
    mkdir -p "$tree"/{mm/{engine,global,arena,lockfree},designs,tests} \
        "$tree"/driver/{base,trace}
    local file name
    for file in config.h mm.h memlib.h memlib.c mm.c mdriver.c preload.c \
            mm/util.h mm/engine/{block,sizeclass,seglist,slab}.h \
            mm/{global,arena,lockfree}/stage.h \
            designs/{a.c,b.c,x.h} driver/{trace/plan,base/clock}.h \
            tests/test_x.c; do
        name=${file##*/}
        printf '/* %s - a file. */\n' "$name" >"$tree/$file"
    done
    file=$1
    shift
    [[ -z $file ]] || printf '%s\n' "$@" >>"$tree/$file"
}
finds() {    # CHECKER REGEX NAME
    try "scripts/check_$1.py" "$tree"
    expect_output "$3" 1 "$2"
}
accepts() {    # CHECKER NAME
    try "scripts/check_$1.py" "$tree"
    expect_output "$2" 0 'all in order'
}
layer_fault() {    # FILE INCLUDED: FILE may not include INCLUDED
    plant "$1" "" "#include \"$2\""
    finds layers "^$1:3: includes $2" "layers: $1 may not include $2"
}
layer_right() {
    plant "$1" "#include \"$2\""
    accepts layers "layers: $1 may include $2"
}

plant ""
accepts layers "layers: a clean tree passes"
accepts style "style: a clean tree passes"

layer_fault config.h mm.h
layer_fault mm.h mm/util.h
layer_fault mm/util.h mm/engine/block.h
layer_fault memlib.c mm/engine/block.h
layer_fault mm/engine/slab.h mm/global/stage.h
layer_fault mm/global/stage.h mm.c
layer_fault mm/arena/stage.h mm/lockfree/stage.h
layer_fault designs/a.c designs/b.c
layer_fault designs/a.c driver/trace/plan.h
layer_fault designs/x.h designs/a.c
layer_fault mm.c tests/test_x.c
layer_fault mdriver.c mm/util.h
layer_fault driver/trace/plan.h mm/engine/seglist.h
layer_fault driver/base/clock.h driver/trace/plan.h
layer_fault driver/trace/plan.h tests/test_x.c
layer_right mdriver.c memlib.h
layer_right driver/trace/plan.h driver/base/clock.h
layer_right mm/engine/sizeclass.h mm/engine/block.h
layer_right mm/global/stage.h mm/engine/seglist.h
layer_right designs/a.c mm/engine/seglist.h
layer_right designs/a.c designs/x.h
layer_right preload.c mm.c
layer_right tests/test_x.c mm/engine/seglist.h

plant mm/engine/block.h '/*' '#include "mm/engine/seglist.h"' '*/' '// mmap(' \
    '#include <a.h>'
accepts layers "layers: comments and system headers are not looked at"
plant mm/util.h '#include "../mm/engine/seglist.h"'
finds layers '^mm/util.h:2:' \
    "layers: a path from the file's own place counts"
plant ""
mkdir "$tree/mm/new"
echo '/* new.h - new */' >"$tree/mm/new/new.h"
finds layers '^mm/new/new.h:1: is in no room' \
    "layers: a new room is asked for"
for file in mm.c mm/engine/seglist.h designs/a.c preload.c; do
    plant $file '#include <sys/mman.h>'
    finds layers "^$file:2: .*memlib.c alone" \
        "layers: $file may not include sys/mman.h"
    plant $file 'void *p = mmap(0, 0, 0, 0, 0, 0);'
    finds layers "^$file:2: .*memlib.c alone" "layers: $file may not call mmap"
done
plant memlib.c '#include <sys/mman.h>'
accepts layers "layers: memlib.c may include sys/mman.h"
plant driver/base/clock.h '#include <sys/mman.h>'
accepts layers "layers: the driver's own memory is the driver's business"

lengths() {    # FILE LIMIT
    mapfile -t lines < <(yes '/* */' | head -n $(($2 - 1)))
    plant "$1" "${lines[@]}"
    accepts layers "layers: $1 may have $2 lines"
    plant "$1" "${lines[@]}" '/* */'
    finds layers "^$1:$(($2 + 1)): $(($2 + 1)) lines; the limit is $2" \
        "layers: $1 may not have more than $2 lines"
}
lengths mm/engine/seglist.h 600
lengths driver/trace/plan.h 600

mapfile -t lines < <(yes '    x();' | head -n 38)
plant mm/engine/seglist.h 'static void f(void)' '{' "${lines[@]}" '}'
accepts layers "layers: a function may have 40 lines"
plant mm/engine/seglist.h 'static void f(void)' '{' "${lines[@]}" '    y();' '}'
finds layers '^mm/engine/seglist.h:43: a function of 41 lines' \
    "layers: a function may not have 41 lines"
plant ""
printf '%s\n' 'def f():' "${lines[@]}" '    y()' >"$tree/tests/f.py"
accepts layers "layers: one of Python may have 40"
echo '    z()' >>"$tree/tests/f.py"
finds layers '^tests/f.py:1: a function of 41 lines' "layers: but not 41"
plant ""
printf '%s\n' 'f() {' "${lines[@]}" '    y' '}' >"$tree/tests/f.sh"
finds layers '^tests/f.sh:1: a function of 41 lines' \
    "layers: nor one of the shell"

plant mm/engine/block.h '#include "mm/engine/slab.h"'
echo '#include "mm/engine/block.h"' >>"$tree/mm/engine/slab.h"
finds layers 'a circle of includes: mm/engine/block.h -> mm/engine/slab.h' \
    "layers: a circle of includes is found"

# Functions of mm/: who calls, declares, and repeats what.
both() {    # LINE-OF-BLOCK.H LINE-OF-SLAB.H: a stage that includes both
    plant mm/engine/block.h "$1"
    printf '%s\n' "$2" >>"$tree/mm/engine/slab.h"
    printf '#include "%s"\n' mm/engine/{block,slab}.h \
        >>"$tree/mm/global/stage.h"
}
one_of() {    # FUNCTION WHAT-IT-CALLS
    printf 'static int %s(int n)\n{\n    return n > %d ? %s(n - 1) : 0;\n}' \
        "$1" ${#2} "$2"
}
both "$(one_of here there)" "$(one_of there here)"
finds layers 'calls: mm/engine/block.h -> mm/engine/slab.h \(there\) -> .*e' \
    "layers: a circle of calls is found"
both "$(one_of here here)" "$(one_of there here)"
accepts layers "layers: calls in one direction are none"
both 'static int there(int n);' "$(one_of there there)"
finds layers "^mm/engine/block.h:1: declares there of mm/engine/slab.h" \
    "layers: a function of one file may not be declared by another"
one_of there there >>"$tree/mm/arena/stage.h"
sed -i 's/n > 5/n > 6/' "$tree/mm/arena/stage.h"
accepts layers "layers: a hook may, which several files define"
both "$(one_of here there)" ''
one_of there there >>"$tree/mm/global/stage.h"
finds layers \
    "^mm/engine/block.h:1: calls there of mm/global/stage.h, which is above" \
    "layers: a call upward is found"
both "$(one_of here there)" "$(one_of here there)"
finds layers "^mm/engine/slab.h:1: here stands in mm/engine/block.h, too" \
    "layers: a body that stands in two files is found"
plant mm/util.h '#include MM_FIT'
echo '#define MM_FIT "mm/engine/seglist.h"' >>"$tree/config.h"
finds layers '^mm/util.h:2: includes mm/engine/seglist.h' \
    "layers: an include by a macro of config.h counts"

style_fault() {    # LINE REGEX NAME
    plant mm/util.h "$1"
    finds style "^mm/util.h:2: .*$2" "style: $3"
}
style_fault $'\tint a;' tab "tabs are found"
style_fault 'int a; ' spaces "spaces at a line's end are found"
style_fault "int a; /* $(printf %080d 0) */" '93 columns' "long lines are found"
style_fault 'typedef struct s t;' typedef "a typedef of a struct is found"
style_fault '#if 0' 'dead code' "dead code is found"
style_fault "/* TO""DO */" later "what is left for later is found"
second_limit="limit in seconds"
for line in 'al''arm(20);' 'tcase_set_time''out(c, 120);'; do
    plant tests/test_x.c "$line"
    finds style "^tests/test_x.c:2: a $second_limit" "style: $line is found"
done
plant ""
for line in 'try time''out 60 x' 'time''out -k 5 "$n" x'; do
    printf '# e2e_a.sh - a test.\n%s\n' "$line" >"$tree/tests/e2e_a.sh"
    finds style "^tests/e2e_a.sh:2: a $second_limit" "style: $line is found"
done
plant mm/util.h "    \"$(printf %080d 0)\","
accepts style "style: a string in its own line may be longer"
plant mm/util.h "/* $(printf '→%.0s' {1..70}) */"
accepts style "style: columns are characters, not bytes"
mkdir -p "$tree/docs"
wide=$(printf 'word %.0s' {1..20})word
echo "$wide" >"$tree/docs/a.md"
finds style '^docs/a.md:1: 104 columns of prose' "style: long prose is found"
printf '| %s |\n\n    %s\n\n<!-- x -->\n%s\n<!-- end of x -->\n%s\n' \
    "$wide" "$wide" "$wide" "${wide:5:95}" >"$tree/docs/a.md"
accepts style "style: a table, code, and what a script wrote may be wider"
rm "$tree/docs/a.md"
plant ""
echo 'int x;' >"$tree/designs/a.c"
finds style '^designs/a.c:1: .*does not start' "style: a missing title is found"
plant ""
printf '/* a.c - a file. */' >"$tree/designs/a.c"
finds style '^designs/a.c:1: no newline' "style: a missing newline is found"

# ---- links between documents ------------------------------------------------
documents() {    # README-LINE [INDEX-LINE]
    plant ""
    mkdir "$tree/docs"
    echo "$1" >"$tree/README.md"
    echo "${2-[a](a.md)}" >"$tree/docs/README.md"
    echo '[up](../README.md#top), [net](https://example.org/x)' \
        >"$tree/docs/a.md"
}
# shellcheck disable=SC2016 # those are Markdown's
documents '[docs](docs/README.md) `[not](a-link)`'
accepts links "links: good ones pass"
documents '[docs](docs/b.md)'
finds links '^README.md:1: links to docs/b.md' "links: a broken one is found"
documents '' ''
finds links '^docs/a.md:1: not in docs/README.md' \
    "links: a document that the index lacks is found"

finish
