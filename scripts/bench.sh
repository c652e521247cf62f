#!/bin/bash
# bench.sh - measures the whole matrix, allocators x traces x threads, and the
# stress and real programs under each allocator, into results/.
#
#   scripts/bench.sh [OPTION]... [PART]...   parts: traces (all threads replay
#                          the same), own (each thread its own trace), stress,
#                          programs; default: all
#     -a NAME,...    allocators, as mdriver -a (all,jemalloc,tcmalloc,mimalloc);
#                    programs run with those that are libraries
#     -n N,...       threads (1,2,4,8,16)
#     -r ROUNDS[,R]  of every cell (7), each with a process for each allocator;
#                    a trace is timed five times in each; R: of cells with more
#                    threads than processors, whose time is the scheduler's too
#     -t DIR         traces (traces)
#     -k PATTERN     only traces and programs whose name matches the glob
#     -p PERCENT     of the stress programs' usual work (100)
#     -o DIR         where the results go (results)
#     -l             list what would be measured, and stop
#
# Makes DIR/PART.csv for each part (docs/bench.md has their columns) and
# bench.json with all of them. Each cell, a trace or a program with a number of
# threads, is measured with all allocators in turn, and kept at once: after an
# interruption the same command goes on where it was. Another command, another
# commit or a rebuilt program start afresh.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
here=$PWD
command_line="scripts/bench.sh${*:+ $*}"

fail() {
    echo "bench.sh: $*" >&2
    exit 2
}

allocators=all,jemalloc,tcmalloc,mimalloc threads=1,2,4,8,16 rounds=7
traces=$root/traces pattern='*' percent=100 out=$root/results list=
while getopts :a:n:r:t:k:p:o:l option; do
    case $option in
    a) allocators=$OPTARG ;;
    n) threads=$OPTARG ;;
    r) rounds=$OPTARG ;;
    t) traces=$(realpath "$OPTARG") ;;
    k) pattern=$OPTARG ;;
    p) percent=$OPTARG ;;
    o) out=$(realpath -m "$OPTARG") ;;
    l) list=1 ;;
    *) fail "unknown option -$OPTARG, or its value is missing; the head of" \
            "scripts/bench.sh lists them" ;;
    esac
done
shift $((OPTIND - 1))
parts=("$@")
((${#parts[@]})) || parts=(traces own stress programs)
[[ $threads =~ ^[0-9]+(,[0-9]+)*$ ]] ||
    fail "option -n: found '$threads', expected numbers as in 1,2,4"
[[ $rounds =~ ^[1-9][0-9]*(,[1-9][0-9]*)?$ ]] ||
    fail "option -r: found '$rounds', expected a number or two, as in 7,3"

# Files among the allocators, wherever a program is run.
absolute=
for item in ${allocators//,/ }; do
    [[ ! -f $item ]] || item=$(realpath "$item")
    absolute+=${absolute:+,}$item
done
allocators=$absolute
cd "$root"
. scripts/bench_programs.sh

# ---- what to measure: one line for each cell, PART NAME THREADS ------------
wanted() {
    # shellcheck disable=SC2053 # a glob
    [[ $1 == $pattern ]]
}

trace_files() {
    local path name
    for path in "$traces"/*.{rep,trace}{,.zst}; do
        [[ -f $path ]] || continue
        name=$(basename "${path%.zst}")
        ! wanted "${name%.*}" || echo "$path"
    done
}

cells_of() {
    local path name n lacks
    case $1 in
    traces)
        trace_files | while read -r path; do
            name=$(basename "${path%.zst}")
            for n in ${threads//,/ }; do echo "traces $name $n"; done
        done ;;
    own)    # with one thread that is what `traces` measures
        [[ -n $(trace_files) ]] || return 0
        for n in ${threads//,/ }; do
            ((n == 1)) || echo "own all $n"
        done ;;
    stress)
        for path in bench/*.c; do
            name=$(basename "$path" .c)
            if [[ $name == launch ]] || ! wanted "$name"; then continue; fi
            for n in ${threads//,/ }; do echo "stress $name $n"; done
        done ;;
    programs)
        for name in $(program_names); do
            wanted "$name" || continue
            lacks=$(program_lacks "$name")
            if [[ -n $lacks ]]; then
                echo "bench.sh: $name is not installed: apt-get install" \
                    "$lacks; it is left out" >&2
            else
                echo "programs $name $(program_threads "$name")"
            fi
        done ;;
    *) fail "no part is called '$1', expected traces, own, stress" \
            "or programs" ;;
    esac
}

cells=()
for part in "${parts[@]}"; do
    of_part=$(cells_of "$part")
    [[ -z $of_part ]] || mapfile -t -O ${#cells[@]} cells <<<"$of_part"
done
((${#cells[@]})) || fail "nothing is called '$pattern'"
if [[ -n $list ]]; then
    printf '%s\n' "${cells[@]}"
    exit
fi

# ---- programs, and where an unfinished measurement is kept -----------------
read -r load _ </proc/loadavg    # what else the machine does
unset MAKEFLAGS MFLAGS MAKELEVEL    # may be run by make
make -s all preload bench-programs >&2
commit=unknown    # what is measured is not changed by results
if git rev-parse HEAD >/dev/null 2>&1; then
    commit=$(git describe --always)
    git diff --quiet HEAD -- . ':!results' || commit+=-dirty
fi
state=build/bench-state/$({
    echo "$commit" "$allocators" "$threads" "$rounds" "$traces" "$pattern" \
        "$percent" "${parts[@]}"
    cat mdriver libmm-*.so build/bench/*
} | cksum | tr ' ' -)
mkdir -p "$state" "$out"
rm -rf "$state"/*.part
stopping=
trap 'stopping=1' INT TERM    # once the cell is done, or died of it too

# ---- one cell --------------------------------------------------------------
rounds_of() {    # THREADS
    if (($1 > $(nproc))); then echo "${rounds#*,}"; else echo "${rounds%,*}"; fi
}

# Of the allocators those that may be preloaded; libc is the reference.
preloaded() {
    local library names=libc
    for item in ${allocators//,/ }; do
        [[ $item != libc && $item != null ]] || continue
        if [[ $item == all ]]; then
            for library in libmm-*.so; do
                library=${library#libmm-}
                names+=,${library%.so}
            done
        elif [[ -f libmm-$item.so || $item == *.so* ]] ||
            ! grep -Eq "^$item +[^ ]" <<<"$linked_in"; then
            names+=,$item
        fi
    done
    echo "$names"
}

# A process differs from the next, by where its memory lies and how its threads
# met, more than its runs do: so several are needed. The blocks are checked, and
# single operations timed, in the first.
replay() {    # OUT THREADS ARGUMENT...
    local how=(--latency) round many status=0
    many=$(rounds_of "$2")
    for ((round = 0; round < many; round++)); do
        ./mdriver -n "$2" -a "$allocators" -r 5 "${how[@]}" "${@:3}" \
            --csv "$state/csv" >"$state/table" || status=$?
        grep '^FAULT' "$state/table" >&2 || true
        ((status < 2)) || return $status
        cat "$state/csv" >>"$1"
        how=(-d 0)
    done
    return $status
}

measure_trace() {    # TRACE THREADS OUT
    local file
    for file in "$traces/$1" "$traces/$1.zst"; do
        [[ ! -f $file ]] || break
    done
    replay "$3" "$2" --same -f "$file"
}

measure_own() {    # THREADS OUT
    local files=() file
    while read -r file; do files+=(-f "$file"); done < <(trace_files)
    replay "$2" "$1" "${files[@]}"
}

measure_program() {    # PROGRAM THREADS OUT COMMAND...
    scripts/measure.py -o "$3" --name "$1" --threads "$2" \
        -r "$(rounds_of "$2")" -a "$(preloaded)" -- "${@:4}"
}

measure_real() {
    local input=$root/$state/$1.part command many
    many=$(rounds_of "$2")
    mkdir -p "$input"
    program_prepare "$1" "$input"
    program_command "$1"
    (cd "$input" && "$root/scripts/measure.py" -o "$3" --name "$1" \
        --threads "$2" -r "$many" -a "$(cd "$root" && preloaded)" -- \
        "${command[@]}")
    rm -rf "$input"
}

# Status 1 is a faulty allocator: said, and in the results.
measure_cell() {
    local part=$1 name=$2 n=$3 file=$4 status=0
    case $part in
    traces) measure_trace "$name" "$n" "$file.part" ;;
    own) measure_own "$n" "$file.part" ;;
    stress) measure_program "$name" "$n" "$file.part" \
        "build/bench/$name" "$n" "$percent" ;;
    programs) measure_real "$name" "$n" "$file.part" ;;
    esac 2>"$state/said" || status=$?
    if ((status > 1)) || [[ ! -s $file.part ]]; then
        [[ -z $stopping ]] || stop
        clear_progress
        cat "$state/said" >&2
        fail "$part $name, $n threads: cannot be measured"
    fi
    sort -u "$state/said" "$state/messages" -o "$state/messages"
    mv "$file.part" "$file"
    [[ -z $stopping ]] || stop
}

stop() {
    clear_progress
    echo "bench.sh: interrupted; the same command goes on" >&2
    exit 130
}

# ---- progress --------------------------------------------------------------
clock() {
    printf '%d:%02d:%02d' $(($1 / 3600)) $(($1 / 60 % 60)) $(($1 % 60))
}

progress() {    # DONE MEASURED-NOW NAME THREADS
    [[ -t 2 ]] || return 0
    local left='?' gone=$((SECONDS - began))
    (($2 == 0)) || left=$(clock $((gone * (${#cells[@]} - $1) / $2)))
    printf '\r\033[K%d of %d, %s gone, about %s left: %s, threads: %d' \
        $(($1 + 1)) ${#cells[@]} "$(clock $gone)" "$left" "${3%.*}" "$4" >&2
}

clear_progress() {
    [[ ! -t 2 ]] || printf '\r\033[K' >&2
}

linked_in=$(./mdriver --list | grep -v '\.so\|not installed')
touch "$state/messages"
began=$SECONDS measured=0
for i in "${!cells[@]}"; do
    read -r part name n <<<"${cells[i]}"
    file=$root/$state/$part,$name,$n.csv
    [[ ! -f $file ]] || continue
    progress "$i" $measured "$name" "$n"
    measure_cell "$part" "$name" "$n" "$file"
    ((measured += 1))
done
clear_progress

# ---- results ---------------------------------------------------------------
machine="$(scripts/cpu_name.sh), $(nproc) processors, $(uname -srm)"
versions=$(dpkg-query -W -f '${Package} ${Version}, ' libc6 libjemalloc2 \
    libtcmalloc-minimal4 libmimalloc2.0 2>/dev/null || true)
origin="command: $command_line; commit: $commit; machine: $machine; load: $(
    echo "$load") before; date: $(date -u +%Y-%m-%dT%H:%M:%SZ); libraries: $(
    echo "${versions%, }")"
scripts/bench_merge.py "$state" "$out" "$origin"
cat "$state/messages" >&2
rm -rf "$state"
echo "bench.sh: ${#cells[@]} cells in ${out#"$here"/}"
