#!/bin/bash
# bench_check.sh - is anything slower or larger than in the committed results?
#
#   scripts/bench_check.sh    or make bench-check
#
# Measures ours (those with a libmm-*.so) again, on the traces and threads that
# results/traces.csv of the last commit has, as far as this machine has
# processors, and compares (compare.py says what counts as a regression). What
# looks like one is measured twice more: exit status 1 only if it is one each
# time. 0 also if there is nothing to compare with: no committed file, or one
# from another machine.
set -euo pipefail
cd "$(dirname "$0")/.."
committed=results/traces.csv
bench=${BENCH:-scripts/bench.sh} # the tests have another

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

column() {    # NAME: its values in the committed file, each once
    python3 -c 'import sys
sys.path.insert(0, "scripts")
import result_file
print(*dict.fromkeys(row[sys.argv[2]]
                     for row in result_file.read(sys.argv[1])[1]), sep="\n")' \
        "$work/committed.csv" "$1"
}

# measure N PATTERN: what got worse into $work/N.worse, KEY<TAB>LINE
measure() {
    "$bench" -a "$ours" -n "$threads" -r 5 -k "$2" -o "$work/$1" traces >&2
    scripts/compare.py --check --keys "$work/keys" "$work/committed.csv" \
        "$work/$1/traces.csv" >"$work/said" || [[ -s $work/keys ]]
    paste "$work/keys" "$work/said" >"$work/$1.worse"
}

# The names that come in, a line each, as one pattern.
pattern_of() {
    echo "@($(sort -u | paste -sd'|'))"
}

# The traces to measure again.
suspects() {
    if grep -q ' \*'$'\t' "$1"; then
        column trace | pattern_of
    else
        cut -f1 "$1" | cut -d' ' -f3- | pattern_of
    fi
}

git show "HEAD:$committed" >"$work/committed.csv" 2>/dev/null || {
    echo "bench-check: no $committed is committed, nothing to compare with;" \
        "scripts/bench.sh makes one"
    exit 0
}
# The processors, not the kernel, make figures comparable.
then=$(sed -n '1s/.*; machine: \([^;]*\) processors.*/\1/p' \
    "$work/committed.csv")
now="$(scripts/cpu_name.sh), $(nproc)"
if [[ $then != "$now" ]]; then
    echo "bench-check: $committed is of another machine ($then, this is" \
        "$now), nothing to compare with"
    exit 0
fi
unset MAKEFLAGS MFLAGS MAKELEVEL    # may be run by make
make -s preload >&2
ours=$(column allocator | while read -r name; do
    [[ ! -f libmm-$name.so ]] || echo "$name"
done | paste -sd,)
threads=$(column threads | awk -v n="$(nproc)" '$1 <= n' | paste -sd,)
[[ -n $ours && -n $threads ]] || {
    echo "bench-check: $committed has none of ours with so few threads," \
        "nothing to compare with"
    exit 0
}

pattern=$(column trace | pattern_of)
for n in 1 2 3; do
    measure $n "$pattern"
    # Only what was worse before, too.
    ((n == 1)) || awk -F'\t' 'NR == FNR { had[$1] = 1; next } $1 in had' \
        "$work/$((n - 1)).worse" "$work/$n.worse" >"$work/both"
    ((n == 1)) || mv "$work/both" "$work/$n.worse"
    if [[ ! -s $work/$n.worse ]]; then
        echo "bench-check: no regression against $committed ($(
            git log -1 --format=%h -- $committed))"
        exit 0
    fi
    pattern=$(suspects "$work/$n.worse")
done
echo "bench-check: worse than $committed in three measurements:"
cut -f2- "$work/3.worse"
exit 1
