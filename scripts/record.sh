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
#   --first             FILE is the first program's, see below
#   --keep-logs         keep the raw event logs
#
# Each process that the program forks and each program that these execute has a
# trace of its own. FILE is the one with the most operations: of `sh -c`, a
# compiler or any other wrapper it is the program that did the work. For FILE
# x.trace.zst the others are x.123.trace.zst of process 123, x.123.1.trace.zst
# of the next program that this process became, and so on; x.main.trace.zst is
# the first program's, if others did more. Standard error says of each whose it
# is.
#
# Exit status: the program's, unless FILE is missing (2) or had to end early
# (3); standard error and the trace say so, too.
set -u

usage()
{
    sed -n '4,15s/^# \{0,3\}//p' "$0" >&2
    exit 1
}

fail()
{
    echo "record.sh: $*" >&2
    exit 2
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out='' keep='' first='' options=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
    -o) out=${2-}; shift ;;
    -n | --max-ops | -s | --skip | -c | --comment)
        options+=("$1" "${2-}")
        shift
        ;;
    -b | --balance | --no-inherited) options+=("$1") ;;
    --first) first=yes ;;
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

# A log is 64 KiB and pieces of 256, a piece for each thread at least.
most=$(ulimit -f)
if [ "$most" != unlimited ]; then
    [ "$most" -ge 320 ] ||
        fail "files may have at most $most KiB here (ulimit -f), and a log" \
            "needs 320: raise the limit"
    echo "record.sh: files may have at most $most KiB here (ulimit -f): a" \
        "trace has at most $(((most - 64) / 256 * 8)) thousand operations" >&2
fi

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

# The trace of a log: 123.0.log -> FILE with .123, 123.4.log with .123.4; FILE
# itself of the one that is $chosen.
trace_name()
{
    local suffix='' base=$out
    [ "$1" != "$chosen" ] || { echo "$out"; return; }
    case $base in *.zst) base=${base%.zst} suffix=.zst ;; esac
    case $base in
    *.trace) base=${base%.trace} suffix=.trace$suffix ;;
    *.rep) base=${base%.rep} suffix=.rep$suffix ;;
    esac
    echo "$base.${1%.0}$suffix"
}

# convert PROCESS: its log, into a trace beside it; what rec2trace says is kept.
convert()
{
    local log=$logs/$1.log trace=$logs/$1.$kind size=0
    [ ! -e "$log" ] || size=$(stat -c %s "$log")
    if [ "$size" -lt 65536 ]; then
        echo "record.sh: process $1: its log could not be begun: librecord" \
            "says above why" >"$trace.said"
        return 4
    fi
    "$root/rec2trace" ${options[@]+"${options[@]}"} -o "$trace" "$log" \
        >"$trace.said" 2>&1
}

# ends PROCESS RESULT: what rec2trace's status means for ours, and the logs.
ends()
{
    local pid=${1%%.*}
    if [ "$pid" != main ] && kill -0 "$pid" 2>/dev/null; then
        echo "record.sh: process $pid still runs: its trace ends here, its" \
            "log stays in $logs" >&2
        keep=yes
    fi
    if [ "$2" = 2 ]; then
        echo "record.sh: the log stays in $logs: $root/rec2trace can still" \
            "convert it" >&2
        keep=yes
    fi
    case $1:$2 in
    "$chosen":0) ;;
    "$chosen":3) status=3 ;;
    "$chosen":*) status=2 ;;
    esac
}

kind=trace chosen=main most=-1 processes=() results=()
case $out in *.zst) kind=trace.zst ;; esac
for log in "$logs/main.log" "$logs"/[0-9]*.log; do
    [ -e "$log" ] || continue
    process=$(basename "$log" .log)
    convert "$process"
    processes+=("$process") results+=($?)
    n=$(sed -n 's/.*: \([0-9]*\) operations of .*/\1/p' \
        "$logs/$process.$kind.said")
    if [ -z "$first" ] && [ "${n:-0}" -gt "$most" ]; then
        chosen=$process most=${n:-0}
    fi
done
for i in "${!processes[@]}"; do
    process=${processes[i]} trace=$logs/${processes[i]}.$kind
    name=$(trace_name "$process")
    [ ! -e "$trace" ] || mv "$trace" "$name"
    while IFS= read -r line; do
        echo "${line//"$trace"/"$name"}" >&2
    done <"$trace.said"
    rm -f "$trace.said"
    ends "$process" "${results[i]}"
done
[ $chosen = main ] || [ ! -e "$out" ] ||
    echo "record.sh: $out is of process ${chosen%.0}, which did the most;" \
        "--first would have the first program's" >&2

# Lines `+PID PROGRAM` and, when it could not be started after all, `-PID ..`.
[ ! -e "$logs/unseen" ] || awk '
    { what = substr($0, 1, 1); n[substr($0, 2)] += what == "+" ? 1 : -1 }
    END { for (line in n) if (n[line] > 0) {
        split(line, word, " ")
        printf "record.sh: not recorded: %s, which process %s started %s\n",
            substr(line, length(word[1]) + 2), word[1],
            "without LD_PRELOAD and MMRECORD in its environment" } }
' "$logs/unseen" >&2
[ -n "$keep" ] || rm -rf "$logs"
exit $status
