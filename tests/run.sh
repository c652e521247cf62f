#!/bin/bash
# run.sh - runs test programs and sums their results.
#
#   tests/run.sh [--csv FILE] [--jobs N] [--idle SECONDS] [--cpu SECONDS]
#                PROGRAM...
#
# Counts single checks, not programs: Check's summary (`90%: Checks: 10,
# Failures: 1, Errors: 0`) and TAP lines (`ok - name`, `not ok - name: why`,
# `ok - name # SKIP why`). One more failure is counted for a program that
#   - hangs (tests/watch.py says what that is, and has the options), crashes, or
#     exits non-zero though all its tests passed
#   - printed no result at all: a test that cannot fail is not one
# What a failing program printed is shown in full, and the failed tests once
# more at the end, a line each. The last line is `N passed, N failed`; the exit
# status is 1 if anything failed.
#
# Two programs more than there are processors run at a time (--jobs), 8 at most:
# some wait most of their time. With one processor, one at a time.
# A script that must run alone, as it compares times or builds in the tree, says
# so by a line `# alone: WHY`.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

csv='' jobs=$(nproc) watch=()
((jobs == 1)) || jobs=$((jobs < 6 ? jobs + 2 : 8))
while [[ ${1-} == --* ]]; do
    case $1 in
    --csv) csv=$2 ;;
    --jobs) jobs=$2 ;;
    --idle | --cpu) watch+=("$1" "$2") ;;
    *) echo "run.sh: unknown option $1; see the top of tests/run.sh" >&2
       exit 2 ;;
    esac
    shift 2
done

# ThreadSanitizer wants its shadow at fixed addresses, and newer kernels place
# programs in its way ("unexpected memory mapping"): fixed places for them.
if [[ ${SAN-} == *thread* && -z ${RUN_SH_FIXED-} ]] &&
        setarch -R true 2>/dev/null; then
    export RUN_SH_FIXED=1
    exec setarch -R "$0" ${watch[@]+"${watch[@]}"} --jobs "$jobs" \
        ${csv:+--csv "$csv"} "$@"
fi

# Verbose Check output names each test. Its limit of four seconds for a test is
# off: watch.py ends a test that hangs, and no slow one.
export CK_VERBOSITY=verbose CK_DEFAULT_TIMEOUT=0
export ASAN_OPTIONS=allocator_may_return_null=1:${ASAN_OPTIONS-}
export UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS-}
# Halt: mdriver's children end by _exit, which forgets what TSan found.
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:${TSAN_OPTIONS-}

# Of the program with number I: I.log is what it printed, I.results has a line
# `result<TAB>test` for each check, I.shown what is to be shown of it.
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP

# One line `result<TAB>test` for each check in the log $1.
parse() {
    awk '
    /^ok( |$)/     { sub(/^ok *[0-9]* *-? */, "")
                     kind = /# SKIP/ ? "skipped" : "passed"
                     print kind "\t" $0 }
    /^not ok( |$)/ { sub(/^not ok *[0-9]* *-? */, ""); print "failed\t" $0 }
    # file.c:12:P:case:test:0: message
    match($0, /:[PFE]:[^:]*:[^:]*:[0-9]+: /) {
        split(substr($0, RSTART + 1, RLENGTH), part, ":")
        result[++named] = (part[1] == "P" ? "passed" : "failed") "\t" part[3]
    }
    /^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+$/ {
        gsub(/[^0-9 ]/, ""); n += $2; bad += $3 + $4
    }
    END {   # the summary is what counts; the names are for --csv
        for (i = 1; i <= n; i++)
            print (named == n ? result[i] \
                   : (i <= bad ? "failed" : "passed") "\ttest " i)
    }' "$1"
}

# How a program ended, if not as it should have.
ending() {
    local status=$1 failed=$2 any=$3
    if ((status == 124)); then
        echo "ended by watch.py: it made no progress"
    elif ((status > 128)); then
        echo "killed by signal $((status - 128)) ($(kill -l $((status - 128))))"
    elif ((any == 0)); then
        echo "printed no result (exit status $status)"
    elif ((status != 0 && failed == 0)); then
        echo "exit status $status, though no test failed"
    fi
}

# csv_rows PROGRAM SECONDS RESULTS
csv_rows() {
    awk -v program="$1" -v seconds="$2" -F'\t' '{
        gsub(/"/, "\"\"", $2)
        printf "%s,\"%s\",%s,%s\n", program, $2, $1, seconds
    }' "$3"
}

# count RESULT FILE
count() {
    grep -c "^$1" "$2"
}

# run PROGRAM I: runs it to its end, and says how it went.
run() {
    local program=$1 log=$dir/$2.log results=$dir/$2.results
    local name start status seconds by=() why good bad skip
    name=$(basename "$program")
    start=$(date +%s.%N)
    # a program of another machine needs something to run it
    [[ -z ${RUNNER-} || $program != "${B:-build}"/* ]] ||
        read -ra by <<<"$RUNNER"
    { tests/watch.py ${watch[@]+"${watch[@]}"} ${by[@]+"${by[@]}"} "$program" \
        </dev/null >"$log" 2>&1; } 2>/dev/null
    status=$?
    seconds=$(awk -v a="$start" -v b="$(date +%s.%N)" \
        'BEGIN { printf "%.1f", b - a }')

    parse "$log" >"$results"
    bad=$(count failed "$results")
    why=$(ending $status "$bad" "$(wc -l <"$results")")
    [[ -z $why ]] || printf 'failed\t%s\n' "$why" >>"$results"

    good=$(count passed "$results")
    bad=$(count failed "$results")
    skip=$(count skipped "$results")
    printf '%-28s %4d passed' "$name" "$good"
    ((skip == 0)) || printf ', %d skipped' "$skip"
    ((bad == 0)) || printf ', %d FAILED' "$bad"
    printf '  %6s s%s\n' "$seconds" "${why:+  $why}"
    ((bad == 0)) || grep -v ':P:[^:]*:[^:]*:[0-9]*: Passed$' "$log" |
        sed 's/^/    | /'
    sed -n "s/^failed\t/FAILED $name: /p" "$results" >"$dir/$2.again"
    csv_rows "$name" "$seconds" "$results" >"$dir/$2.csv"
    rm -f "$log"
}

# Waits for the end of one of those that run, and shows it.
declare -A running=()    # process id -> I
reap() {
    local pid i
    wait -n -p pid "${!running[@]}"
    i=${running[$pid]}
    unset "running[$pid]"
    cat "$dir/$i.shown"
    [[ -z $csv ]] || cat "$dir/$i.csv" >>"$csv"
}

# Until at most $1 run.
wait_down_to() {
    while ((${#running[@]} > $1)); do reap; done
}

[[ -z $csv ]] || echo "program,test,result,program_seconds" >"$csv"
number=0
for program; do
    [[ $program == */* ]] || program=./$program
    others=$((jobs - 1))
    ! grep -qs '^# alone: ' "$program" || others=0
    wait_down_to $others
    ((number += 1))
    run "$program" $number >"$dir/$number.shown" &
    running[$!]=$number
    ((others > 0)) || wait_down_to 0
done
wait_down_to 0

touch "$dir"/0.{results,again}
passed=$(cat "$dir"/*.results | grep -c ^passed)
failed=$(cat "$dir"/*.results | grep -c ^failed)
skipped=$(cat "$dir"/*.results | grep -c ^skipped)
for ((i = 0; i <= number; i++)); do cat "$dir/$i.again"; done
((skipped == 0)) || echo "$skipped skipped"
((passed + failed)) || { echo "no test ran"; failed=1; }
echo "$passed passed, $failed failed"
((failed == 0))
