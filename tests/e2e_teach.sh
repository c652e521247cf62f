#!/bin/bash
# e2e_teach.sh - the teaching programs find 871, under every allocator, with one
# thread and four; and their table has a row for each.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
dir=$B/teach

for program in collatz-list collatz-vector; do
    for threads in 1 4; do
        bad=
        for library in '' ./libmm-*.so; do
            said=$(LD_PRELOAD=${library:+$PWD/$library} \
                "$dir/$program" 1000 "$threads" 2>/dev/null)
            [[ $said = "871: 178 steps" ]] || bad+=" ${library:-glibc}: '$said'"
        done
        if [[ -z $bad ]]; then
            ok "$program with $threads threads finds 871 under each allocator"
        else
            not_ok "$program with $threads threads finds 871" "$bad"
        fi
    done
done

table=$(RUNS=1 scripts/teach.sh "$dir" 1000 2>&1)
rows=$(grep -c ' s .* MiB' <<<"$table")
libraries=(./libmm-*.so)
if [[ $rows -eq $((${#libraries[@]} + 1)) && $table = *871:\ 178* ]]; then
    ok "the table has a row for each allocator"
else
    not_ok "the table has a row for each allocator" "$table"
fi

try "$dir/collatz-list" 10x
expect_output "a limit that is no number is refused" 2 \
    "^collatz: '10x': expected a number from 1"
finish
