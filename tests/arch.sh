#!/bin/bash
# arch.sh - the lab on another machine's processor, as far as qemu-user shows
# it: `make ARCH=NAME arch-test` runs this and some unit tests; arch-soak sets
# SOAK=1, for all of it.
#
#   B          the build for that machine      RUNNER   what runs its programs
#   ARCH_ROOT  its Debian programs, if there are any (scripts/arch_root.sh)
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

# What qemu-user (7.2) cannot show: it knows no seccomp (C17, C62, C71), no
# limit of addresses and no mlockall (C36, C37, C60 to C66), executes no program
# of that machine (C69, C74), and ends itself when a thread starts in the child
# of a process that had several (C28; the whole of forks).
unshown='^not ok - C(17|28|36|37|60|61|62|63|64|65|66|69|71|74) '

# keeps NAME PROGRAM: the library's contract, but for the above. A program that
# says of nothing that it is kept keeps nothing.
keeps() {
    local broken known kept
    try preloaded "$1" "$B/tests/conformance/$2"
    broken=$(grep '^not ok' <<<"$out" | grep -Evc "$unshown")
    known=$(grep -Ec "$unshown" <<<"$out")
    kept=$(grep '^ok - ' <<<"$out" | grep -vc '# SKIP')
    expect "$1 keeps the contract of $2" \
        test "$((status - (known > 0))) $broken $((kept > 0))" = "0 0 1"
    ((known == 0)) ||
        grep -E "$unshown" <<<"$out" |
        sed 's/^not ok\(.*\): .*/ok\1 # SKIP qemu/'
    ((broken == 0)) || grep '^not ok' <<<"$out" | sed 's/^/# /'
}

# unkept STATUS LINE...: a program that ends so and says so keeps no contract.
unkept() {
    local end=$1 lines said
    printf -v lines '%s\n' "${@:2}"
    said=$(
        preloaded() {
            printf '%s' "$lines"
            return "$end"
        }
        keeps NAME PROGRAM
    )
    expect "no contract is kept by status $end and '${2-}'" \
        grep -q '^not ok - NAME keeps' <<<"$said"
}
unkept 0
unkept 0 'ok - C1 is not for here # SKIP'
unkept 139 'ok - C1 holds'
unkept 1 'ok - C1 holds' 'not ok - C2 does not hold: why'

programs=(blocks errors resize frees tell new)
machine=${B#build-}
stages=(global arena lockfree) libraries=("${stages[@]}")
traces=(realloc thread-pool-mt) allocators=global,arena,lockfree,buddy,bucket
if [[ -n ${SOAK-} ]]; then
    programs+=(hooks limits system times)
    libraries=("$B"/libmm-*.so)
    libraries=("${libraries[@]##*/libmm-}") libraries=("${libraries[@]%.so}")
    traces+=(binary server-mt) allocators=all
fi
for name in "${libraries[@]}"; do
    for program in "${programs[@]}"; do
        keeps "$name" "$program"
    done
done

# What only the rungs promise.
for name in "${stages[@]}"; do
    keeps "$name" stages
done

# The main job on a short list; plain text, as not every build has zstd.
for name in "${traces[@]}"; do
    zstd -qdc "traces/gen-$name.trace.zst" >"$SCRATCH/gen-$name.trace"
done
try "${runner[@]}" "$B/mdriver" -t "$SCRATCH" -n 4 -r 1 -a "$allocators"
expect_output "$allocators: they replay traces with four threads" 0 \
    '^lockfree +4 +([1-9][0-9]*)/\1 '
expect "no fault is told" test "${out/FAULT/}" = "$out"

# What else the driver does: pins, latency, and what needs the libraries of that
# machine, or says that it has none.
driver() {
    try "${runner[@]}" "$B/mdriver" -n 2 -r 1 -a lockfree "$@"
}
has_library() {
    "${CC%gcc}readelf" -d "$B/mdriver" | grep -q "NEEDED.*lib$1\.so"
}
trace=$SCRATCH/gen-realloc.trace
driver -f "$trace" --pin --latency
expect_output "--pin, --latency: a replay by pinned threads" 0 \
    '^lockfree +2 +2/2 '
for call in malloc free realloc; do
    expect_output "and how long a $call takes" 0 \
        "^lockfree +2 $call +[1-9][0-9]*( +[0-9]+){5}\$"
done
driver -f traces/gen-realloc.trace.zst
if has_library zstd; then
    expect_output "a compressed trace is read" 0 '^lockfree +2 +2/2 '
else
    expect_output "a compressed trace is refused, without zstd" 2 \
        'found zstd data, .* built without zstd; unpack the file'
fi
driver -f "$trace" --json "$SCRATCH/json"
if has_library jansson; then
    said='import json, sys; r = json.load(open(sys.argv[1]))
a = [a for a in r["sections"][0]["allocators"] if a["name"] == "lockfree"]
print(r["machine"].split()[-1], r["traces"][0]["ops"],
      a[0]["summary"]["valid"])'
    try python3 -c "$said" "$SCRATCH/json"
    expect_output "--json has the results, of that machine" 0 \
        "^$machine 14998 2\$"
else
    expect_output "--json is refused, without jansson" 0 \
        '^mdriver: --json: this mdriver is built without jansson; use --csv'
fi

# What every malloc and free does: here the order is weak, and a fence dear. Of
# the function that is called first, which has the hit, and leaves by a jump for
# what is none. objdump names places in riscv64's functions, too (.L).
code() {
    "${CC%gcc}objdump" -dr "$B/stage_lockfree.o" |
        awk -v name="<$1>:" '/^[0-9a-f]+ </ && $2 !~ /^<\.L/ {
            inside = $2 == name } inside' >"$SCRATCH/code"
}
has() { # TIMES REGEX
    test "$(grep -Ec "$2" "$SCRATCH/code")" = "$1"
}
# about NUMBER RECORDED: at most a tenth more or less
about() {
    awk -v is="$1" -v was="$2" \
        'BEGIN { exit !(is > 0 && is >= was * 0.9 && is <= was * 1.1) }'
}
# What was recorded says nothing of what another compiler makes.
recorded=results/instructions-$machine.csv
version=$("$CC" -dumpfullversion)
compared() { # NAME NUMBER RECORDED
    if grep -q "^# .*gcc $version;" "$recorded"; then
        expect "$1: $2 instructions, recorded $3" about "$2" "$3"
    else
        echo "ok - $1: $2 instructions # SKIP recorded not by gcc $version"
    fi
}
# hit NAME INSTRUCTIONS STORES: two of these on riscv64, as gcc 12 makes a swap
# of each atomic store. An acquire is what free does if it is no hit.
hit() {
    local name=$1 n acquires=0
    code "mm_$name"
    [[ $name != free ]] || acquires=1
    n=$(grep -Ec '^ +[0-9a-f]+:' "$SCRATCH/code")
    compared "$name" "$n" "$2"
    if [[ $B == *aarch64* ]]; then
        expect "$name releases by one store" has "$3" '\bstlr\b'
        expect "$name has no acquire but that of no hit" has $acquires '\blda'
        expect "$name has no fence, no compare-and-swap and no call" \
            has 0 '\b(dmb|dsb|ldx|stx|cas|swp|ldadd|bl|blr|__aarch64_)'
    else
        expect "$name has two swaps for stores" has "$3" '\bamoswap'
        expect "$name releases by one fence" has 1 '\bfence[[:blank:]]+iorw,ow'
        expect "$name has no other but that of no hit" \
            has $((1 + acquires)) '\bfence'
        expect "$name has no other read-modify-write, and no call" \
            has 0 '\b(lr\.|sc\.|amo(add|or|and|x|m))|\bjalr?[[:blank:]]+ra'
    fi
}
if [[ $B == *aarch64* ]]; then
    stores=1 malloc=27 free=88
    fence='\bdmb\b' swap='__aarch64_cas|\bcas|stlxr'
else
    stores=2 malloc=29 free=96 fence='\bfence$' swap='\bsc\.'
fi
hit malloc $malloc $stores
hit free $free $stores
code shard_steal
expect "stealing has a fence" grep -Eq "$fence" "$SCRATCH/code"
expect "and a compare-and-swap" grep -Eq "$swap" "$SCRATCH/code"

# Instructions of an operation: as results/ has them, to a tenth, where the same
# compiler counts.
cell() { # TRACE ALLOCATOR FILE
    awk -F, -v trace="$1" -v name="$2" \
        '$1 == trace && $2 == name { print $6 }' "$3"
}
try scripts/count.sh -m "$machine" -t "$SCRATCH" -a global,arena,lockfree,libc \
    -o "$SCRATCH/counted"
expect_output "instructions are counted" 0 '^lockfree +[1-9][0-9]{1,2}\.[0-9]$'
for trace in "${traces[@]}"; do
    for name in "${stages[@]}"; do
        compared "$name, $trace" \
            "$(cell "gen-$trace" "$name" "$SCRATCH/counted")" \
            "$(cell "gen-$trace" "$name" "$recorded")"
    done
done

# From instruction to instruction: qemu sends a signal after each (step.c).
steps() {
    local steps=("${runner[@]}" -singlestep -plugin "$SCRATCH/step.so"
        -d plugin -D /dev/null)
    try "${steps[@]}" "$B/tests/test_$1"
    expect_output "test_$1, by steps" 0 '^100%: Checks: [1-9]'
}
gcc -O2 -shared -fPIC -I. -o "$SCRATCH/step.so" bench/qemu/step.c
steps lf_jump
if [[ -n ${SOAK-} ]]; then
    steps mm_jump
    steps lf_steps
fi

# Pages of 64 KiB, where qemu can say so: the contract, and what maps memory.
if [[ $B == *aarch64* && -n ${SOAK-} ]]; then
    runner+=(-p 65536)
    for name in "${stages[@]}" buddy bucket; do
        for program in blocks errors resize frees tell; do
            keeps "$name" "$program"
        done
    done
    for name in memlib heap_purge slab bucket mm lfshard; do
        try "${runner[@]}" "$B/tests/test_$name"
        expect_output "test_$name, pages of 64 KiB" 0 '^100%: Checks: [1-9]'
    done
    runner=("${runner[@]:0:3}")
fi

# Debian's programs of that machine.
program() {
    local name=$1 want=$2 path
    shift 2
    path=$(find "$ARCH_ROOT/usr/bin" -name "$1" 2>/dev/null | head -n 1)
    if [[ -z $path ]]; then
        echo "ok - $name under libmm.so # SKIP no $1 of this machine"
        return
    fi
    try preloaded lockfree "$path" "${@:2}"
    expect_output "$name under libmm.so" 0 "$want"
}
program python3 '^499999500000 100000$' 'python3.*' -c '
import threading
words = {}
def count(n):
    for i in range(n, 100000, 4):
        words[str(i)] = [i] * (i % 7)
threads = [threading.Thread(target=count, args=(n,)) for n in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print(sum(range(1000000)), len(words))'
program perl '^50000 1250025000$' perl -e '
my %h; $h{"key $_"} = "x" x ($_ % 99) . $_ for 1..50000;
my $sum = 0; $sum += substr($h{$_}, length($h{$_}) - length(substr($_, 4)))
    for keys %h;
print scalar(keys %h), " $sum\n"'
program sqlite3 '^20000\|200010000$' sqlite3 :memory: '
create table t(a integer, b text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
insert into t select i, hex(randomblob(i % 60)) from n;
create index at_b on t(b);
select count(*), sum(a) from t;'
finish
