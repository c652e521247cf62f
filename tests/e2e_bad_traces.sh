#!/bin/bash
# e2e_bad_traces.sh - a malformed trace ends mdriver with status 2, one line,
# and no result: not even of the good traces beside it.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

good=$SCRATCH/good.rep bad=$SCRATCH/bad.rep
printf '1\n1\n2\n16\na 0 16\nf 0\n' >"$good"

# expect_bad NAME MESSAGE: $bad, alone and behind a good trace.
expect_bad() {
    local name=$1 want="mdriver: $bad:$2"
    try "$MDRIVER" -a libc -f "$bad"
    if [[ $status -ne 2 || $out != "$want" ]]; then
        not_ok "$name" "status $status, got '$out', expected 2 and '$want'"
        return
    fi
    try "$MDRIVER" -a libc -f "$good" -f "$bad"
    if [[ $status -ne 2 || $out != "$want" ]]; then
        not_ok "$name" "beside a good trace: status $status, got '$out'"
    else
        ok "$name"
    fi
}

try "$MDRIVER" -a libc -r 1 -f "$good"
expect_output "the good trace is good" 0 '^good +yes'

: >"$bad"
expect_bad "an empty file" \
    '1: found an empty file, expected `mmtrace 1` or a header number'
printf '\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0' >"$bad"
expect_bad "an executable" '1: found "\x7fELF\x02\x01\x01\x00\x00\x00\x00'\
'\x00...", expected `mmtrace 1` or a header number'
head -n 5 "$good" >"$bad"
expect_bad "a file cut short" \
    '6: found end of file after 1 operations, expected 2 as line 3 says'
printf '1\n1\n2\n16\na 0 16\r\nf 1\r\n' >"$bad"
expect_bad "an id out of range" '6: found "1", expected an id from 0 to 0'
printf '1\n1\n2\n16\na 0 16\na 0 16\n' >"$bad"
expect_bad "a double allocation" '6: found id 0 allocated while live, '\
'expected `f 0` before: see line 5'
printf '1\n4294967295\n4294967295\n1\na 0 16\n' >"$bad"
expect_bad "a header of four billion operations" '3: found 4294967295 '\
'operations announced and 7 bytes for them, expected at least 17179869179: '\
'is the file cut short?'
printf '\x28\xb5\x2f\xfd\x20\x10' >"$bad"
expect_bad "a zstd frame cut short" ' found end of file inside a zstd '\
'frame, expected the rest: is the file cut short?'
rm "$bad" && mkdir "$bad"
expect_bad "a directory" \
    ' is a directory; expected a trace file; -t takes a directory'
rmdir "$bad" && mkfifo "$bad"
expect_bad "a FIFO" ' is a FIFO; expected a trace file'
rm "$bad"
expect_bad "a file that is not there" ' cannot be opened: No such '\
'file or directory; -f takes a trace file, -t a directory of them'

rm "$good"
try "$MDRIVER" -a libc -t "$SCRATCH"
expect_output "a directory without traces ends with status 2" 2 \
    ": has no trace in it; expected files named"

finish
