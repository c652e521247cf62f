#!/bin/bash
# e2e_add_allocator.sh - follows docs/add-an-allocator.md to the letter, in a
# copy of the tree: its commands, its line for mm.h, what it quotes.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
doc=docs/add-an-allocator.md
example=docs/examples/mine.c
copy=$SCRATCH/lab

# As a student would: the plain build, whatever this test is itself part of.
export MAKEFLAGS="CC=${CC:-gcc}"
unset MAKELEVEL MFLAGS B SAN
build=build
[[ ${CC:-gcc} == gcc ]] || build=build-$CC

# The lines of all blocks of a language in the document.
blocks() {
    awk -v start="^\`\`\`$1\$" '/^```$/ { on = 0 } on; $0 ~ start { on = 1 }' \
        $doc
}

# A copy that has what was built, so that only what changes is built again; and
# two small traces, one of them with threads, for the commands to find.
mkdir "$copy"
tar -cf - --exclude=.git --exclude='./build*' --exclude=./traces . |
    tar -xf - -C "$copy"
[[ ! -d $build ]] || cp -a "$build" "$copy/"
mkdir "$copy/traces"
cp traces/gen-struct.trace.zst traces/gen-thread-pool*.zst "$copy/traces" ||
    not_ok "two traces to try it with" "traces/ has others: name two here"

line=$(blocks c | grep -m1 'X(mm_mine)')
expect "the document has the line for mm.h" test -n "$line"

missing=
while IFS= read -r quoted; do
    [[ $quoted == "$line" || -z $quoted ]] ||
        grep -qxF -- "$quoted" $example || missing+="$quoted; "
done < <(blocks c)
expect "all code that the document quotes is in the example" test -z "$missing"

size=$(grep -vcE '^ *([{}]|/?\*.*|#include.*)?$' $example)
expect "the example has 60 lines of code, give or take ten" \
    test "$size" -ge 50 -a "$size" -le 70

# In bash, as a student's line in mm.h: behind the first one.
awk -v line="${line//\\/\\\\}" '
    { print } /define MM_ALLOCATORS/ { print line }' mm.h >"$copy/mm.h"

while IFS= read -r command; do
    try bash -c "cd '$copy' && $command"
    case $command in
    cp*) expect "the document's '$command' works" test $status -eq 0 ;;
    make) expect_output "the document's 'make' builds it" 0 '^ +CC .*mine\.c' ;;
    *--list) expect_output "mdriver --list names it" 0 '^mine .*powers of' ;;
    ./mdriver*) expect_output "'$command' finds it valid" 0 \
        '^mine +[14] +([0-9]+)/\1 ' ;;
    make\ grade*) expect_output "'$command' gives it all correctness points" 0 \
        '^grade allocator=mine .* correctness=20.00/20 .*total=[0-9.]+/120$'
        expect "the last line of make grade is JSON" \
            python3 -c 'import json, sys; s = json.loads(sys.argv[1])["scores"]
assert 0 < s["utilization"] <= 60 and 0 < s["throughput"] <= 40' \
            "$(tail -n 1 <<<"$out")" ;;
    *) not_ok "the document's '$command'" "this test does not know it" ;;
    esac
done < <(blocks sh)
finish
