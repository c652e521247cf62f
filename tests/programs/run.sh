#!/bin/bash
# run.sh - real programs do the same under libmm-NAME.so as without it.
#
#   tests/programs/run.sh LIBRARY...              what CI has the time for
#   tests/programs/run.sh --soak LIBRARY...       all, and for longer
#   tests/programs/run.sh [--soak] --only NAME,NAME LIBRARY...
#
# Each tests/programs/NAME.sh runs one program, in an empty directory, and
# prints what must not differ: first without, then with each library in
# LD_PRELOAD, for itself and all that it starts. Its second line says when it
# is run (ci or soak) and what has to be installed: a program that is not there
# is a failure. In a script: $ROOT is the project, $SOAK how
# much is to be done: 1, or 10.
#
# A TAP line for each; then what took how long, and `N passed, N failed`.
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
export ROOT SOAK=1 LC_ALL=C.UTF-8
only= cpu=300 libraries=()
while (($#)); do
    case $1 in
    --soak) SOAK=10 cpu=3000 ;;
    --only) only=,$2, && shift ;;
    -*) echo "run.sh: unknown option $1; see the top of $0" >&2; exit 2 ;;
    *) libraries+=("$(realpath "$1")") ;;
    esac
    shift
done
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

scratch=$(mktemp -d)
chmod 755 "$scratch" # servers that are not root look in here
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

result() { # NAME WHY: no WHY is good
    if [[ -z $2 ]]; then
        echo "ok - $1"
        ((passed++))
    else
        echo "not ok - $1: $2"
        ((failed++))
    fi
}

# run NAME OUTPUT [LIBRARY]: status in $status, seconds in $took
run() {
    local work=$scratch/work start=$EPOCHREALTIME
    rm -rf "$work"
    mkdir "$work" && chmod 777 "$work"
    (cd "$work" && exec "$ROOT/tests/watch.py" --cpu "$cpu" \
        env ${3:+LD_PRELOAD="$3"} bash "$ROOT/tests/programs/$1.sh") \
        >"$2" 2>&1 </dev/null
    status=$?
    took=$(awk -v a="$start" -v b="$EPOCHREALTIME" \
        'BEGIN { printf "%.1f", b - a }')
}

# Is all there that the program's second line names? Prints what is not.
missing() {
    local name
    for name in $(sed -n '2s/.*needs: //p' "$ROOT/tests/programs/$1.sh"); do
        [[ -n $(find /usr/bin /usr/sbin /usr/lib/postgresql /usr/lib/python3* \
            -name "$name" -print -quit 2>/dev/null) ]] || echo -n "$name "
    done
}

compare() { # NAME LIBRARY: with what $scratch/want says
    local name copy=$scratch/libmm.so why=
    name=$(basename "$2" .so)
    cp "$2" "$copy" && chmod 755 "$copy"
    run "$1" "$scratch/got" "$copy"
    if ((status != 0)); then
        why="exit status $status"
    elif ! cmp -s "$scratch/want" "$scratch/got"; then
        why="the output differs"
    fi
    result "$1 under $name ($took s; without $without s)" "$why"
    [[ -z $why ]] ||
        diff "$scratch/want" "$scratch/got" | head -n 40 | sed 's/^/#   /'
}

for script in "$ROOT"/tests/programs/*.sh; do
    name=$(basename "$script" .sh)
    when=$(sed -n '2s/^# \(ci\|soak\);.*/\1/p' "$script")
    [[ -n $when && (-z $only || $only == *,$name,*) ]] || continue
    [[ $SOAK -gt 1 || -n $only || $when == ci ]] || continue
    absent=$(missing "$name")
    if [[ -n $absent ]]; then
        result "$name" "not installed: $absent(scripts/setup.sh --soak)"
        continue
    fi
    run "$name" "$scratch/want"
    without=$took
    if ((status != 0)); then
        result "$name without a library" "exit status $status"
        tail -n 20 "$scratch/want" | sed 's/^/#   /'
        continue
    fi
    for library in "${libraries[@]}"; do
        compare "$name" "$library"
    done
done
echo "$passed passed, $failed failed"
((passed > 0 && failed == 0))
