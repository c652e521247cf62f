# lib.sh - for the end-to-end tests: `. tests/lib.sh` from the project root.
#
#   $MDRIVER       the driver under test (./mdriver unless make says otherwise)
#   $SCRATCH       a directory of this test's own, removed at the end
#   ok NAME, not_ok NAME WHY        one result
#   expect NAME CONDITION...        ok if the command CONDITION succeeds
#   try COMMAND...                  runs it: $status, and $out (both streams)
#   expect_output NAME STATUS REGEX  of the last `try`: an extended regular
#                                   expression that some line must match
#   preloaded NAME COMMAND...       under libmm-NAME.so; or, where $RUNNER runs
#                                   programs of another machine, under its own
#   wait_for COMMAND...             until it succeeds, for what will come soon:
#                                   ten looks a second, at most 3000 of them
#   finish                          the exit status; call it last
#
# shellcheck shell=bash
MDRIVER=${MDRIVER:-./mdriver}
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT
read -ra runner <<<"${RUNNER-}"
lib_failed=0
status=0 out=

ok() {
    echo "ok - $1"
}

not_ok() {
    echo "not ok - $1: $2"
    lib_failed=1
}

expect() {
    local name=$1
    shift
    if "$@" >"$SCRATCH/.expect" 2>&1; then
        ok "$name"
    else
        not_ok "$name" "status $? from: $* $(head -c 300 "$SCRATCH/.expect")"
    fi
}

try() {
    out=$("$@" 2>&1 </dev/null)
    status=$?
}

expect_output() {
    local name=$1 want=$2 regex=$3
    if [[ $status -ne $want ]]; then
        not_ok "$name" "exit status $status, expected $want"
    elif ! grep -Eq -- "$regex" <<<"$out"; then
        not_ok "$name" "no line of the output matches /$regex/"
    else
        ok "$name"
        return
    fi
    tail -n 40 <<<"$out" | cut -c -300 | sed 's/^/#   /'
}

# By qemu's -E, so that its own malloc stays.
preloaded() {
    local name=$1
    shift
    if [[ -n ${RUNNER-} ]]; then
        "${runner[@]}" -E LD_PRELOAD="$PWD/$B/libmm-$name.so" "$@"
    else
        LD_PRELOAD=$PWD/libmm-$name.so "$@"
    fi
}

wait_for() {
    local looks
    for ((looks = 0; looks < 3000; looks++)); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    return 1
}

finish() {
    exit $lib_failed
}
