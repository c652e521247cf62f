#!/bin/bash
# teach.sh - the programs of teach/ under each allocator: time and peak memory.
#
#   scripts/teach.sh DIR [LIMIT]    DIR has the programs; numbers below LIMIT
#
# The best of RUNS=3 runs; memory is what the process itself wrote to and has
# resident while all chains are there, in that run.
cd "$(dirname "$0")/.." || exit 1
dir=$1 limit=${2:-100000} runs=${RUNS:-3}

# one LIBRARY PROGRAM THREADS: sets answer, and the best seconds and mib
one() {
    local i out s kib
    seconds='' mib='' answer=''
    for ((i = 0; i < runs; i++)); do
        out=$(LD_PRELOAD=$1 "$dir/$2" "$limit" "$3" 2>&1) || {
            echo "error: LD_PRELOAD=$1 $dir/$2 $limit $3: $out" >&2
            exit 1
        }
        answer=$(head -1 <<<"$out")
        read -r s _ kib _ <<<"$(tail -1 <<<"$out")"
        if [[ -z $seconds || $s < $seconds ]]; then
            seconds=$s
            mib=$((kib / 1024)).$((kib % 1024 * 10 / 1024))
        fi
    done
}

columns=("collatz-list 1" "collatz-list 4" "collatz-vector 1" \
    "collatz-vector 4")
printf '%-15s' "allocator"
for column in "${columns[@]}"; do
    read -r program threads <<<"$column"
    printf ' %22s' "${program#collatz-}, $threads thread$([[ $threads = 1 ]] ||
        echo s)"
done
printf '\n'
said=
for library in '' ./libmm-*.so; do
    name=${library#./libmm-}
    name=${name%.so}
    printf '%-15s' "${name:-glibc}"
    for column in "${columns[@]}"; do
        read -r program threads <<<"$column"
        one "${library:+$PWD/$library}" "$program" "$threads"
        printf ' %9s s %6s MiB' "$seconds" "$mib"
        said=${said:-$answer}
        if [[ $answer != "$said" ]]; then
            printf '\nerror: %s says %s, expected %s\n' "$program" "$answer" \
                "$said" >&2
            exit 1
        fi
    done
    printf '\n'
done
echo "all say: $said (numbers below $limit; the best of $runs runs,"
echo "memory of its own resident at most)"
