#!/bin/bash
# e2e_watch.sh - watch.py ends what hangs, and nothing that is only slow.
#
# shellcheck disable=SC2317 # functions that expect and try call
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

watched() { # OPTIONS... -- BASH-TEXT
    local options=()
    while [[ $1 != -- ]]; do
        options+=("$1")
        shift
    done
    try tests/watch.py "${options[@]}" bash -c "$2"
}
lives() { # PATTERN: a process has it in its command line
    local f
    for f in /proc/[0-9]*/cmdline; do
        [[ $(tr '\0' ' ' <"$f") == *"$1"* ]] && return 0
    done 2>/dev/null
    return 1
}
not() {
    ! "$@"
}

# ---- what is sound -----------------------------------------------------------
watched -- 'echo out; exit 7'
expect_output "exit status and output are the command's" 7 '^out$'
watched -- 'kill -SEGV $$'
expect_output "a signal is told as the shell does" 139 ''
try tests/watch.py nope
expect_output "a command that is not there is named" 127 'nope: No such file'
# Four seconds of work, 10 % of a processor at most: slow, but not idle.
watched --idle 3 -- 'for i in {1..40}; do sleep 0.1
    for ((k = 0; k < 3000; k++)); do :; done; done; echo whole'
expect_output "who works a little all the time is let alone" 0 '^whole$'
# It wants to run, and gets less than 2 % of its processor.
hogs=()
for i in 1 2; do
    taskset -c 0 bash -c 'while :; do :; done' &
    hogs+=($!)
done
watched --idle 3 -- 'exec taskset -c 0 nice -n 19 bash -c "
    for ((k = 0; k < 10000; k++)); do :; done; echo whole"'
kill "${hogs[@]}"
wait "${hogs[@]}" 2>/dev/null
expect_output "who waits for a processor does not hang" 0 '^whole$'

# ---- what hangs --------------------------------------------------------------
watched --idle 2 -- 'sleep 1001; echo "it went on"; exit 3'
expect_output "one who sleeps is named, and what it was at" 3 \
    '^# watch\.py: sleep \([0-9]+\) hangs: no progress in 2 looks'
expect_output "who waited for it goes on, with its status" 3 '^it went on$'
watched --idle 2 -- 'sleep 1001; exit 0'
expect_output "success is none" 124 'state S'
watched --cpu 1 -- 'while :; do :; done'
expect_output "one who spins is ended" 124 \
    'hangs: used [1-9][0-9]* s of processor time'
# Each spins by its own clock, so that a slow fork is little beside it.
watched --cpu 0.6 -- 'while :; do python3 -S -c "
import time
while time.process_time() < 0.25: pass"; done'
expect_output "so are many who spin by turns" 124 'processor time in all; it'
watched --idle 1 -- 'trap "" TERM; while :; do sleep 1001; done'
expect_output "the third hang ends all" 124 '^# watch\.py: sleep'
watched --idle 2 -- 'exec sleep 1001'
expect_output "the command itself, too" 124 '^# watch\.py: sleep'
watched --idle 2 -- '(setsid sleep 1003 & ) ; sleep 1003'
expect "one that left its parent is found" not lives "sleep 1003"
watched -- 'sleep 1004 & echo done'
expect_output "one that is left running does not keep us" 0 '^done$'
expect "it is ended" not lives "sleep 1004"

# ---- it is interrupted -------------------------------------------------------
spawned() { # by now, $pid has a child
    [[ -n $(cat "/proc/$pid/task/$pid/children") ]]
}
tests/watch.py sleep 1005 &
pid=$!
wait_for spawned
kill -TERM $pid
wait $pid
expect "a signal ends it by that signal" test $? -eq 143
expect "and the command" wait_for not lives "sleep 1005"
finish
