#!/bin/bash
# e2e_peers.sh - libraries as allocators (-a x.so): each in a process of its own
# beside those linked in, and what happens if one is missing or faulty.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
. tests/mdriver_results.sh
if [[ -n $SAN ]]; then # the sanitizer's malloc stands before any library's
    try "$MDRIVER" -a jemalloc
    expect_output "a build with sanitizers refuses libraries, and says why" 2 \
        'jemalloc: no library replaces malloc in a build with sanitizers'
    finish
fi
D=$SCRATCH/traces
mkdir "$D"
printf '%s\n' "mmtrace 1" "ids 6" "ops 9" "a 0 10" "a 1 777" "c 2 7 111" \
    "m 3 4096 5" "r 0 60000" "a 4 0" "a 5 3" "f 0" "f 1" >"$D/all.trace"
printf '%s\n' "mmtrace 1" "ids 2" "ops 5" "threads 2" "a 0 64" "a 1 8" \
    "@1 f 0" "@1 r 1 900" "@0 f 1" >"$D/crossing.trace"

# library NAME FLAG...: makes $SCRATCH/NAME.so
library() {
    "${CC:-gcc}" -g -O1 -shared -fPIC -fno-builtin -o "$SCRATCH/$1.so" \
        "${@:2}" tests/peers/forward.c || not_ok "$1.so is built" "see above"
}
library good
library partial -DPARTIAL
library crash '-DFAULT=*(volatile int *)16 = 1'
library abort '-DFAULT=abort()' -include stdlib.h
library quits '-DFAULT=_exit(0)'
library hang '-DFAULT=for (;;) pause()'
library twice \
    '-DFAULT=static void *p; if (!p) p = __libc_malloc(size); return p'
library null '-DFAULT=errno = ENOMEM; return NULL'
echo 'int nothing;' >"$SCRATCH/nothing.c"
"${CC:-gcc}" -shared -o "$SCRATCH/nothing.so" "$SCRATCH/nothing.c"

run() {
    try "$MDRIVER" -r 2 -s 5 -t "$D" "$@"
}
result() { # COLUMN TRACE ALLOCATOR = VALUE, in $SCRATCH/o.csv
    test "$(cell "$1" "$2" "$3")" "$4" "$5"
}

# ---- a good one --------------------------------------------------------------
for n in 1 2; do
    run -a "arena,$SCRATCH/good.so" -n $n --csv "$SCRATCH/o.csv" \
        --json "$SCRATCH/o.json"
    expect_output "a library is measured beside the linked-in, $n thread(s)" 0 \
        "^good +$n +2/2 .* [0-9.]+x"
    expect_output "and so are these and libc, $n thread(s)" 0 \
        "^libc +$n +2/2 .* 1\.00x"
    expect "it was timed as often as the others, $n thread(s)" \
        result runs all good = 2
    expect "it has its own peak of resident bytes, $n thread(s)" \
        result resident_peak all good -gt 60000
    expect "what its heap weighs is not known, $n thread(s)" \
        result utilization all good = ""
done
expect "the JSON names its file" json \
    '[str(a["library"])[-8:] for a in j["sections"][0]["allocators"]] ==
     ["None", "/good.so", "None"]'
run -a "$SCRATCH/good.so" --latency --csv "$SCRATCH/o.csv"
expect "single operations are timed too" result malloc_calls all good -gt 0
run -a "$SCRATCH/good.so,$SCRATCH/good.so" --pin -d 2
expect "the same file twice is one allocator" \
    test "$(grep -c '^good: ' <<<"$out")" = 1
mkdir "$SCRATCH/other"
cp "$SCRATCH/good.so" "$SCRATCH/other"
run -a "$SCRATCH/good.so,$SCRATCH/other/good.so"
expect_output "two files of one name are told apart" 0 '^good-2 +1 +2/2 '
(cd "$SCRATCH" && exec "$OLDPWD/$MDRIVER" -r 1 -t traces -a good.so) \
    >"$SCRATCH/out" 2>&1
expect "a file needs no slash" grep -q '^good: 1 thread$' "$SCRATCH/out"
run -a "good.so"
expect_output "where it is not, nor among the system's libraries" 2 \
    '^mdriver: option -a: good\.so: preloading it does not replace malloc'
run -g -a "arena,$SCRATCH/good.so"
expect "a library gets no points: it has no utilization" \
    test "$(grep -c '^grade allocator=' <<<"$out")" = 1

# ---- ones that cannot serve --------------------------------------------------
run -a "arena,$SCRATCH/no-such.so"
expect_output "a file that is not there is named" 2 \
    '^mdriver: option -a: .*/no-such\.so: No such file'
run -a "$SCRATCH/nothing.so"
expect_output "a library without malloc is refused, not measured as libc" 2 \
    'nothing\.so: preloading it does not replace malloc'
cp "$SCRATCH/nothing.c" "$SCRATCH/text.so"
run -a "$SCRATCH/text.so,$D/all.trace"
expect_output "a file that is no library is refused" 2 'does not replace malloc'
run -a "$SCRATCH/partial.so"
expect_output "a library with a part of the family is refused" 2 \
    'partial\.so: found no malloc_usable_size in it'

run --heapmap "$SCRATCH/map.csv" -a "$SCRATCH/good.so"
expect_output "a heap map is of an allocator in this process" 2 \
    '--heapmap: good is a library'

# ---- short names -------------------------------------------------------------
# What the linker finds first under such a name: one that serves, one that is
# as good as missing.
mkdir "$SCRATCH/lib"
cp "$SCRATCH/good.so" "$SCRATCH/lib/libtcmalloc_minimal.so.4"
cp "$SCRATCH/nothing.so" "$SCRATCH/lib/libjemalloc.so.2"
export LD_LIBRARY_PATH=$SCRATCH/lib
run -a jemalloc,tcmalloc --csv "$SCRATCH/o.csv"
expect_output "one that is missing is named with its package" 0 \
    '^mdriver: jemalloc is not installed .*: apt-get install libjemalloc2; it'
expect_output "the rest goes on" 0 '^tcmalloc +1 +2/2 '
expect "and is what the linker finds under that name" \
    result resident_peak all tcmalloc -gt 60000
run -a jemalloc
expect_output "if all are missing there is nothing to run" 2 \
    '^mdriver: option -a: none of these is installed'
try "$MDRIVER" --list
expect_output "--list says which is installed" 0 '^tcmalloc +libtcmalloc.*own$'
expect_output "--list says which is not, and its package" 0 \
    '^jemalloc +not installed: apt-get install libjemalloc2$'
unset LD_LIBRARY_PATH

# ---- faulty ones -------------------------------------------------------------
# caught NAME REGEX: of what is said behind the operation
caught() {
    local n regex="thread [01]: .*all\.trace:5: malloc\(777\) of block 1: $2"
    for n in 1 2; do
        run -a "$SCRATCH/$1.so,$SCRATCH/good.so" -n $n --csv "$SCRATCH/o.csv"
        expect_output "$1.so is caught, $n thread(s)" 1 "^FAULT $1: $regex"
        expect_output "after $1.so the next has its results, $n thread(s)" 1 \
            "^good +$n +2/2 .* [0-9.]+x"
        expect "$1.so has no time, $n thread(s)" result secs all "$1" = ""
    done
}
place='in malloc \(tests/peers/forward\.c:[0-9]+\)'
caught crash "crashed: SIGSEGV at address 0x10 $place"
caught abort "crashed: SIGABRT in .*libc\.so\.6.*, called by ${place#in }"
strip "$SCRATCH/crash.so"
caught crash 'crashed: SIGSEGV at address 0x10 in malloc \(crash\.so\)'
caught quits 'the process ended itself, exit status 0'
caught null 'NULL and ENOMEM'
try "$MDRIVER" -r 1 -s 1 -f "$D/all.trace" -a "$SCRATCH/hang.so"
expect_output "hang.so is caught" 1 \
    "^FAULT hang: .*all\.trace:5: malloc.777. of block 1: hangs in .*called by ${place#in }"
printf '%s\n' "mmtrace 1" "ids 2" "ops 4" "a 0 777" "a 1 777" "f 0" "f 1" \
    >"$D/two.trace"
run -a "$SCRATCH/twice.so"
expect_output "one block for two is an overlap in a library too" 1 \
    '^FAULT twice: thread 0: .*two\.trace:5: malloc\(777\) of block 1: its payl'
finish
