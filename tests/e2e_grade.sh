#!/bin/bash
# e2e_grade.sh - mdriver --grade: points for people, a line for scripts, JSON
# for Autolab, and an exit status that says whether all is valid.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
n='[0-9]+\.[0-9][0-9]'
FAULTY=${B:-build}/tests/mdriver-faulty

# Two traces; only the second has a request that the faulty ones stumble over.
{
    printf '%s\n' "mmtrace 1" "ids 402" "ops 804" "a 0 100" "a 1 50"
    seq 2 401 | sed 's/.*/a & 50/'
    seq 0 401 | sed 's/.*/f &/'
} >"$SCRATCH/harmless.trace"
sed 's/a 0 100/a 0 777/' "$SCRATCH/harmless.trace" >"$SCRATCH/strikes.trace"
both=(-f "$SCRATCH/harmless.trace" -f "$SCRATCH/strikes.trace")

# The last line of $out, given to a Python expression as s, the scores.
scores() {
    python3 -c 'import json, sys
s = json.loads(sys.argv[1])["scores"]
sys.exit(not eval(sys.argv[2]))' "$(tail -n 1 <<<"$out")" "$1"
}

try "$MDRIVER" -g -r 2 "${both[@]}" -n 1,2
expect_output "a valid allocator's grade ends with status 0" 0 \
    "^grade allocator=[a-z]+ valid=4/4 correctness=20.00/20\
 utilization=$n/60 throughput=$n/40 total=$n/120\$"
expect_output "each trace stands there once for each number of threads" 0 \
    '^  strikes +2  valid +5\.00$'
expect "the last line is JSON with the three scores of Autolab" \
    scores 'list(s) == ["correctness", "utilization", "throughput"]'

try "$MDRIVER" -g -r 2 "${both[@]}" -a libc -l
expect_output "libc is as fast as itself: all throughput points" 0 \
    ' throughput=40.00/40 '

try "$FAULTY" -g -r 2 "${both[@]}" -a good,null
expect_output "one faulty allocator: status 1, and its grade is printed" 1 \
    "^grade allocator=null valid=1/2 correctness=10.00/20\
 utilization=0.00/60 throughput=0.00/40 total=10.00/120\$"
expect_output "its faulty trace is named with the kind of fault" 1 \
    '^  strikes +1  null +0\.00$'
expect_output "the good one has all its points beside it" 1 \
    '^grade allocator=good valid=2/2 correctness=20.00/20 '
expect "the scores of several allocators have their names" \
    scores 's["good.correctness"] == 20 and s["null.throughput"] == 0'

try "$FAULTY" -g -r 2 -s 2 "${both[@]}" -a hang
expect_output "a hang costs its trace, not the grade" 1 \
    '^grade allocator=hang valid=1/2 correctness=10.00/20 '

printf '%s\n' '# name weight' '' 'harmless 3 # thrice' 'elsewhere 9' \
    >"$SCRATCH/weights"
try "$FAULTY" -g -r 2 "${both[@]}" -a null --weights "$SCRATCH/weights"
expect_output "three quarters weigh on the trace that is valid" 1 \
    '^grade allocator=null valid=1/2 correctness=15.00/20 '
expect_output "... as its line says" 1 '^  harmless +1  valid +15\.00$'
# bad_weights TEXT REGEX
bad_weights() {
    printf '%b' "$1" >"$SCRATCH/bad"
    try "$MDRIVER" -g -r 2 "${both[@]}" --weights "$SCRATCH/bad"
    expect_output "weights '${1//$'\n'/ }' are refused" 2 "$2"
}
bad_weights '\nharmless\n' '/bad:2: found not two words, expected a trace'
bad_weights 'harmless 1 2\n' '/bad:1: found not two words'
bad_weights 'harmless much\n' '/bad:1: found much, expected a trace.* 0 to 1000'
for number in -1 1001 nan 1x; do
    bad_weights "strikes $number\n" "/bad:1: found $number, expected"
done
bad_weights 'strikes 0\nharmless 0\n' 'found weight 0 for every trace'
bad_weights "$(printf '%2000s' x)" '/bad:1: found a line of more than'
try "$MDRIVER" -g "${both[@]}" --weights "$SCRATCH/none"
expect_output "weights that are not there are refused" 2 'none: cannot open: No'
try "$MDRIVER" "${both[@]}" --weights "$SCRATCH/weights"
expect_output "weights without a grade are refused" 2 'option --weights: .* -g'

try "$MDRIVER" -g -d 0 "${both[@]}"
expect_output "points without checks are refused" 2 'option -g.*-d 0'
finish
