#!/bin/bash
# count.sh - instructions per operation of each allocator: a second opinion
# that no noise touches.
#
#   scripts/count.sh [OPTION]...
#     -a NAME,...   allocators, as mdriver -a (all,jemalloc,tcmalloc,mimalloc)
#     -t DIR        traces (traces)
#     -k PATTERN    only traces whose name matches the glob
#     -m MACHINE    aarch64 or riscv64, by qemu-user (make ARCH=MACHINE)
#     -o FILE       CSV (results/instructions.csv, or ...-MACHINE.csv)
#
# callgrind counts what one thread executes in a replay of a trace (mdriver
# --once), after one that warmed the heap; what the replay loop itself takes is
# counted with the no-op allocator and subtracted. Instructions are not time: a
# cache miss, a lock and a system call count as one instruction, or none.
# callgrind leaves malloc alone, so that libraries are counted as they are.
# Figures repeat exactly but for what depends on where memory lies. For another
# machine a plugin of qemu's counts (bench/qemu/count.c).
set -euo pipefail
cd "$(dirname "$0")/.."
command_line="scripts/count.sh${*:+ $*}"

fail() {
    echo "count.sh: $*" >&2
    exit 2
}

allocators=all,jemalloc,tcmalloc,mimalloc traces=traces pattern='*'
machine='' out=''
while getopts :a:t:k:m:o: option; do
    case $option in
    a) allocators=$OPTARG ;;
    t) traces=$OPTARG ;;
    k) pattern=$OPTARG ;;
    m) machine=$OPTARG ;;
    o) out=$OPTARG ;;
    *) fail "unknown option -$OPTARG, or its value is missing; the head of" \
            "scripts/count.sh lists them" ;;
    esac
done
shift $((OPTIND - 1))
(($# == 0)) || fail "unexpected argument '$1'"
[[ $machine =~ ^(|aarch64|riscv64)$ ]] ||
    fail "found the machine '$machine', expected aarch64 or riscv64"
out=${out:-results/instructions${machine:+-$machine}.csv}
tool=valgrind
[[ -z $machine ]] || tool=qemu-$machine
command -v "$tool" >/dev/null ||
    fail "$tool is missing: apt-get install valgrind, or" \
        "scripts/setup.sh --arch"
unset MAKEFLAGS MFLAGS MAKELEVEL    # may be run by make
make -s ${machine:+ARCH="$machine"} all >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ---- another machine ---------------------------------------------------------
mdriver=./mdriver runner=()
root=build-root/$machine
# Which library an allocator is there.
library_of() {
    local file
    for file in "$root/usr/lib/$machine-linux-gnu/lib$1"{,_minimal}.so.?; do
        if [[ -e $file ]]; then
            echo "$file, in a process of its own"
            return
        fi
    done
    echo "not installed: scripts/arch_root.sh $machine $root"
}
if [[ -n $machine ]]; then
    scripts/arch_root.sh "$machine" "$root" >&2 || root=/usr/$machine-linux-gnu
    mdriver=build-$machine/mdriver
    runner=("$tool" -L "$root")    # this machine's own need not be built
    gcc -O2 -shared -fPIC -I. -o "$work/count.so" bench/qemu/count.c
fi

# ---- which allocators, and by which library ----------------------------------
list=$("${runner[@]}" "$mdriver" --list)
if [[ -n $machine ]]; then
    for name in jemalloc tcmalloc mimalloc; do
        list=$(sed "s|^$name .*|$name $(library_of "$name")|" <<<"$list")
    done
fi
names=() libraries=()
for item in ${allocators//,/ }; do
    if [[ $item == all ]]; then
        while read -r name rest; do
            [[ $rest != *.so* && $rest != "not installed"* &&
                $name != null && $name != *.so ]] || continue
            names+=("$name") libraries+=("")
        done <<<"$list"
        continue
    fi
    what=$(awk -v name="$item" '$1 == name { $1 = ""; print substr($0, 2) }' \
        <<<"$list")
    case $what in
    "not installed"*)
        echo "count.sh: $item is $what; it is left out" >&2 ;;
    *.so*)
        names+=("$item") libraries+=("${what%%,*}") ;;
    "")
        [[ $item == *.so* && -f $item ]] || fail "no allocator is called" \
            "'$item', expected a name of mdriver --list or a file x.so"
        name=$(basename "$item")
        names+=("${name%%.so*}") libraries+=("$(realpath "$item")") ;;
    *)
        names+=("$item") libraries+=("") ;;
    esac
done

# ---- counting ----------------------------------------------------------------
# count TRACE NAME LIBRARY: sets status, ops, instructions
count() {
    local name=$2 tool=(env ${3:+LD_PRELOAD="$3"} valgrind --tool=callgrind
        --callgrind-out-file=/dev/null --toggle-collect=profile_counted)
    [[ -z $machine ]] ||
        tool=("${runner[@]}" ${3:+-E LD_PRELOAD="$(realpath "$3")"}
            -plugin "$work/count.so" -d plugin -D /dev/null)
    [[ -z $3 ]] || name=libc
    status=valid
    "${tool[@]}" "$mdriver" --once -f "$1" \
        -a "$name" >"$work/out" 2>&1 || status='exit'
    instructions=$(sed -n -e 's/.*Collected : \([0-9]\+\)$/\1/p' \
        -e 's/^instructions: //p' "$work/out")
    ops=$(sed -n 's/.*: ops=\([0-9]\+\)$/\1/p' "$work/out")
    [[ $status == valid && -n $instructions && -n $ops ]] && return
    status='exit' instructions=''
    echo "count.sh: $2 does not finish $1: $(
        grep -m 1 '^FAULT' "$work/out" || tail -n 1 "$work/out")" >&2
}

paths=()
for path in "$traces"/*.{rep,trace}{,.zst}; do
    trace=$(basename "${path%.zst}")
    trace=${trace%.*}
    # shellcheck disable=SC2053 # a glob
    if [[ -f $path && $trace == $pattern ]]; then paths+=("$path"); fi
done
((${#paths[@]})) || fail "no trace in $traces is called '$pattern'"
((${#names[@]})) || fail "none of these allocators is installed"

what=$(uname -srm)
[[ -z $machine ]] || what="$machine by $("$tool" --version | head -n 1)"
origin="command: $command_line; commit: $(git describe --always --dirty \
    2>/dev/null || echo unknown); machine: $what, gcc $(
    "${machine:+$machine-linux-gnu-}gcc" -dumpfullversion); date: $(
    date -u +%Y-%m-%dT%H:%M:%SZ)"
{
    echo "# $origin"
    columns=trace,allocator,status,ops,instructions,per_op,loop_per_op
    echo "$columns${machine:+,machine}"
} >"$work/csv"
for i in "${!paths[@]}"; do
    path=${paths[i]}
    trace=$(basename "${path%.zst}")
    if [[ -n $machine && $path == *.zst ]]; then    # it may lack zstd
        path=$work/$trace
        zstd -qdfc "${paths[i]}" >"$path"
    fi
    trace=${trace%.*}
    count "$path" null ""
    loop=$instructions
    for k in "${!names[@]}"; do
        [[ ! -t 2 ]] || printf '\r\033[Kcounting %d of %d: %s, %s' \
            $((i + 1)) ${#paths[@]} "$trace" "${names[k]}" >&2
        count "$path" "${names[k]}" "${libraries[k]}"
        awk -v row="$trace,${names[k]},$status" -v n="$instructions" \
            -v loop="$loop" -v ops="$ops" -v end="${machine:+,$machine}" '
            BEGIN {
                if (n == "") print row ",,,," end
                else printf "%s,%d,%d,%.2f,%.2f%s\n", row, ops, n - loop,
                    (n - loop) / ops, loop / ops, end
            }' >>"$work/csv"
    done
done
[[ ! -t 2 ]] || printf '\r\033[K' >&2
mv "$work/csv" "$out"

# The mean over the traces that all allocators finished.
awk -F, '/^#/ || $1 == "trace" { next }
    $3 != "valid" { bad[$1] = 1 }
    { if (!($2 in seen)) { seen[$2] = ++n; name[n] = $2 }
      per[$1, $2] = $6; traces[$1] = 1 }
    END { for (t in traces) if (!(t in bad)) m++
          printf "%-18s instructions an operation, mean of %d traces\n",
              "allocator", m
          for (i = 1; i <= n && m; i++) { sum = 0
              for (t in traces) if (!(t in bad)) sum += per[t, name[i]]
              printf "%-18s %8.1f\n", name[i], sum / m } }' "$out"
! grep -q ',exit,' "$out"
