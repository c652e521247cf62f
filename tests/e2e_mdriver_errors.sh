#!/bin/bash
# e2e_mdriver_errors.sh - every way in which a run of mdriver can fail, and what
# it leaves behind when it is interrupted.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
. tests/mdriver_results.sh
FAULTY=${B:-build}/tests/mdriver-faulty
D=$SCRATCH/traces
mkdir "$D"
# many OPERATION...: these, and 800 more that take long enough to be compared.
many() {
    printf '%s\n' "mmtrace 1" "ids 402" "ops 804" "$@"
    seq 2 401 | sed 's/.*/a & 100/'
    seq 2 401 | sed 's/.*/f &/'
}
many "a 0 10" "a 1 50" "f 0" "f 1" >"$D/churn.trace"

# ---- the command line is wrong -----------------------------------------------
# refused NAME REGEX OPTION...: one line, status 2.
refused() {
    local name=$1 regex=$2
    shift 2
    try "$MDRIVER" "$@"
    expect_output "$name" 2 "^mdriver: $regex"
    [[ $(wc -l <<<"$out") -eq 1 ]] || not_ok "$name: one line" "$out"
}
refused "an unknown option is named" 'unknown option --nope' --nope
refused "an unknown letter is named" 'unknown option -x' -x
refused "an option without its value is named" \
    'option -n: its value is missing' -n
refused "-n 0 is refused" \
    "option -n: found '0', expected a number from 1 to 256" -n 0
refused "-n 257 is refused" "option -n: found '257'" -n 1,257
refused "-n with garbage is refused" "option -n: found '4x'" -n 4x
refused "-n with an empty item is refused" "option -n: found ''" -n 4,
refused "-n with a sign is refused" "option -n: found '-1'" -n -1
refused "-d 3 is refused" \
    "option -d: found '3', expected a number from 0 to 2" -d 3
refused "-s 0 is refused" "option -s: found '0'" -s 0
refused "-r too large is refused" "option -r: found '99999999999999999999'" \
    -r 99999999999999999999
refused "an unknown allocator is named, and the known listed" \
    "option -a: no allocator is called 'nope'; there are:.* libc" -a nope
refused "an argument that is no option is named" \
    "unexpected argument 'x.rep'" x.rep
refused "a trace that is not there is named" '.*no/such.rep' -f no/such.rep
refused "a directory that is not there is named" '.*no/such' -t no/such
mkdir "$SCRATCH/empty"
refused "a directory without traces is refused" ".*empty" -t "$SCRATCH/empty"
printf '%s\n' "mmtrace 1" "ids 1" "ops 1" "f 0" >"$SCRATCH/bad.trace"
refused "a bad trace is named before anything is run" '.*bad\.trace:4: ' \
    -t "$D" -f "$SCRATCH/bad.trace"

# ---- results cannot be written -----------------------------------------------
refused "a CSV file in no directory is refused" '/no/dir/o: cannot write' \
    -f "$D/churn.trace" --csv /no/dir/o
refused "a JSON file that is a directory is refused" '.*cannot write' \
    -f "$D/churn.trace" --json "$SCRATCH"
for option in csv json; do
    try "$MDRIVER" -f "$D/churn.trace" --$option /dev/full
    expect_output "a full disk fails --$option" 2 \
        '^mdriver: /dev/full: .*No space left on device'
done
"$MDRIVER" -r 2 -f "$D/churn.trace" >/dev/full 2>"$SCRATCH/err"
status=$? out=$(<"$SCRATCH/err")
expect_output "a full disk fails the tables" 2 \
    'standard output: .*No space left'

refused "two results do not fit into one standard output" '.*`-` twice' \
    -f "$D/churn.trace" --csv - --json -

# ---- an allocator is faulty --------------------------------------------------
many "a 0 10" "a 1 777" "f 0" "f 1" >"$SCRATCH/strike.trace"

# late NAME THREADS REGEX: a fault that only the timed pass meets. With a
# sanitizer a process takes a second or two to end.
late() {
    local limit=20
    [[ $1 != *hang ]] || limit=1
    try "$FAULTY" -s $limit -f "$SCRATCH/strike.trace" -a "$1,good" \
        -n "$2"
    expect_output "$1 is reported with thread, file and line, $2 thread(s)" 1 \
        "^FAULT $1: thread [01]: .*strike\.trace:5: $3"
    expect_output "after $1 the next has its results, $2 thread(s)" 1 \
        "^good +$2 +$2/$2 .* [0-9.]+x"
}
# ThreadSanitizer keeps a signal back from a thread that only computes: then
# nobody knows where it hangs.
place=' in late_hang_malloc \(.*late.c:[0-9]+\)'
[[ ${SAN-} != *thread* ]] || place='.*'
for n in 1 2; do
    late late-crash $n \
        '.*block 1: crashed: SIGABRT .*by late_crash_malloc \(.*late.c:'
    late late-exit $n 'malloc\(777\) of block 1: the process ended itself'
    late late-hang $n \
        ".*block 1: hangs$place: no op.* 1 s"
    late late-null $n 'NULL for 777 bytes'
done
cp "$SCRATCH/strike.trace" "$D"
try "$FAULTY" -r 2 -t "$D" -a overlap,crash -n 1 \
    --csv "$SCRATCH/o.csv" --json "$SCRATCH/o.json"
expect_output "the other traces of a faulty allocator are still replayed" 1 \
    '^churn +yes .*[0-9]x$'
expect "the CSV names the kind of fault" \
    test "$(cell status strike crash)" = crash
expect "the JSON has the whole message" json \
    '"SIGSEGV" in [r["fault"] for a in j["sections"][0]["allocators"]
      if a["name"] == "crash" for r in a["rounds"] if r["fault"]][0]'
rm "$D/strike.trace"

try "$FAULTY" -r 2 -t "$D" -a single,good -n 1,2
expect_output "an allocator for one thread is run with one" 0 \
    '^single +1 +1/1 '
expect_output "and not with two" 0 '^not run: it is for one thread only'
expect_output "the others are" 0 '^good +2 +2/2 '

# ---- the machine has not enough ----------------------------------------------
if [[ -z $SAN ]]; then # sanitizers reserve terabytes
    try bash -c 'ulimit -v 400000 && exec "$@"' - "$MDRIVER" \
        -f "$D/churn.trace" -a libc -n 256
    expect_output "no memory for so many threads is no allocator's fault" 3 \
        '^mdriver: cannot start thread [0-9]+ of 256: .*; use fewer'
fi

# ---- it is interrupted -------------------------------------------------------
# orphans: processes whose command line names our scratch space.
orphans() {
    local f
    for f in /proc/[0-9]*/cmdline; do
        [[ $(tr '\0' ' ' <"$f") == *"$SCRATCH/strike.trace"* ]] && echo "$f"
    done 2>/dev/null
}
no_orphans() {
    [[ -z $(orphans) ]]
}
some_child() { # of $pid, whose allocator hangs
    [[ $(orphans | wc -l) -gt 1 ]]
}
for signal in INT TERM KILL; do
    env --default-signal=INT "$FAULTY" -s 50 -f "$SCRATCH/strike.trace" \
        -a hang -n 2 >/dev/null 2>&1 &
    pid=$!
    wait_for some_child
    kill -$signal $pid
    wait $pid 2>/dev/null
    status=$?
    expect "SIG$signal ends a run" test $status -gt 128
    expect "SIG$signal leaves no process behind" wait_for no_orphans
done

# ---- progress ----------------------------------------------------------------
"$MDRIVER" -r 2 -t "$D" >/dev/null 2>"$SCRATCH/err"
expect "there is no progress line where stderr is no terminal" \
    test ! -s "$SCRATCH/err"
script -qec "'$MDRIVER' -r 2 -t '$D' 2>&1 >/dev/null" /dev/null \
    </dev/null >"$SCRATCH/tty" 2>&1
expect "there is one on a terminal" \
    grep -q 'round 1 of 1: timing' "$SCRATCH/tty"
finish
