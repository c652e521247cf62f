#!/usr/bin/env bash
# record.sh - runs a program and writes down all its heap operations as a trace.
#
#   scripts/record.sh -o FILE [options] -- program [argument...]
#
#   -o FILE             the trace; FILE.zst is compressed
#   -n, --max-ops N     keep the first N operations of each process
#   -s, --skip N        start N events later, with the blocks that live then
#   -b, --balance       free at the end what the program left
#   --no-inherited      a forked child's trace starts without the blocks that
#                       it has from its parent
#   -c, --comment TEXT  one more comment line in the traces
#   --keep-logs         keep the raw event logs
#
# The program's trace is FILE. Each process that it forks and each program
# that these execute has one of its own: for FILE x.trace.zst and process 123
# x.123.trace.zst, then x.123.1.trace.zst for the next program that this
# process became, and so on.
#
# Exit status: the program's, unless its trace is missing (2) or had to end
# early (3); standard error and the trace say so, too.
set -u

usage()
{
    sed -n '4,14s/^# \{0,3\}//p' "$0" >&2
    exit 1
}

fail()
{
    echo "record.sh: $*" >&2
    exit 2
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out='' keep='' convert=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
    -o) out=${2-}; shift ;;
    -n | --max-ops | -s | --skip | -c | --comment)
        convert+=("$1" "${2-}")
        shift
        ;;
    -b | --balance | --no-inherited) convert+=("$1") ;;
    --keep-logs) keep=yes ;;
    *) usage ;;
    esac
    shift || usage
done
[ $# -gt 1 ] && [ -n "$out" ] || usage
shift
[ -e "$root/librecord.so" ] && [ -x "$root/rec2trace" ] ||
    fail "$root has no librecord.so and rec2trace: run make first"
case $root in *[\ :]*)
    fail "$root has a space or colon in it, which the loader splits" \
        "LD_PRELOAD at: move the lab elsewhere" ;;
esac

case $out in /*) ;; *) out=$PWD/$out ;; esac
logs=$(mktemp -d "$out.logs.XXXXXX") ||
    fail "cannot make a directory beside $out for the logs"
# A server that root starts may go on as another user.
[ "$(id -u)" != 0 ] || chmod 1777 "$logs"

# An interrupt ends the program; what it did until then is still converted.
trap : INT TERM
(
    export MMRECORD=$logs
    export LD_PRELOAD=$root/librecord.so${LD_PRELOAD:+:$LD_PRELOAD}
    exec "$@"
)
status=$?
trap - INT TERM

[ -e "$logs/main.log" ] || {
    rm -rf "$logs"
    [ $status = 127 ] || [ $status = 126 ] ||
        echo "record.sh: nothing recorded: is $1 static, set-uid or of" \
            "another architecture?" >&2
    exit $((status > 125 ? status : 2))
}

# main.log -> FILE; 123.0.log -> FILE with .123, 123.4.log with .123.4
trace_name()
{
    local process suffix='' base=$out
    process=$(basename "$1" .log)
    [ "$process" != main ] || { echo "$out"; return; }
    case $base in *.zst) base=${base%.zst} suffix=.zst ;; esac
    case $base in
    *.trace) base=${base%.trace} suffix=.trace$suffix ;;
    *.rep) base=${base%.rep} suffix=.rep$suffix ;;
    esac
    echo "$base.${process%.0}$suffix"
}

for log in "$logs"/*.log; do
    "$root/rec2trace" ${convert[@]+"${convert[@]}"} -o "$(trace_name "$log")" \
        "$log" >&2
    result=$?
    pid=$(basename "$log" | sed 's/\..*//')
    if [ "$pid" != main ] && kill -0 "$pid" 2>/dev/null; then
        echo "record.sh: process $pid still runs: its trace ends here, its" \
            "log stays in $logs" >&2
        keep=yes
    fi
    if [ $result = 2 ]; then
        echo "record.sh: the log stays in $logs: $root/rec2trace can still" \
            "convert it" >&2
        keep=yes
    fi
    case $(basename "$log"):$result in
    main.log:0) ;;
    main.log:3) status=3 ;;
    main.log:*) status=2 ;;
    esac
done
[ -n "$keep" ] || rm -rf "$logs"
exit $status
