#!/bin/bash
# e2e_submission.sh - one file that is handed in, -a path/to/mine.c or mine.so:
# compiled, asked, run apart, and what is said of one that cannot be.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
. tests/submitted.sh
example=docs/examples/mine.c
T=$SCRATCH/t.trace
printf '%s\n' "mmtrace 1" "ids 1001" "ops 3003" "a 0 777" >"$T"
{
    seq 1000 | sed 's/.*/a & 400/'
    seq 1000 | sed 's/.*/r & 900/'
    seq 0 1000 | sed 's/.*/f &/'
    echo "f 0"
} >>"$T"
sed -i '$d' "$T"
sed -i 's/^ops .*/ops 3002/' "$T"

run() {
    try "$MDRIVER" -r 2 -s 4 -f "$T" "$@"
}

# ---- one that works ----------------------------------------------------------
cp $example "$SCRATCH/s4711.c"
for n in 1 4; do
    run -a "$SCRATCH/s4711.c" -n $n
    expect_output "a file of C is compiled and measured, $n thread(s)" 0 \
        "^s4711 +$n +$n/$n +[0-9.]+% .* [0-9.]+x"
done
"${CC:-gcc}" -std=gnu11 -O2 -g -fPIC -shared -I. -D_GNU_SOURCE \
    -o "$SCRATCH/ready.so" "$SCRATCH/s4711.c"
run -a "$SCRATCH/ready.so,$SCRATCH/s4711.c,global"
expect_output "a library with a table is the same" 0 '^ready +1 +1/1 +[0-9.]+%'
expect_output "and others stand beside it" 0 '^global +1 +1/1 '
(cd "$SCRATCH" && "$OLDPWD/$MDRIVER" -r 1 -f "$T" -a s4711.c) \
    >"$SCRATCH/out" 2>&1
expect "a file needs no slash, and no lab around it" \
    grep -qE '^s4711 +1 +1/1 ' "$SCRATCH/out"
cp $example "$SCRATCH/global.c"
run -a "$SCRATCH/global.c,global"
expect_output "one that is called like the lab's own has another name" 0 \
    '^global-2 +1 +1/1 '
{
    printf '%s\n' '#include <sys/mman.h>'
    sed 's/^    return mem_init();/    int failed = mem_init();\
    mmap((char *)mem_brk() + (1 << 20), 64 << 20, PROT_NONE,\
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);\
    return failed;/' $example
} >"$SCRATCH/jumps.c"
run -a "$SCRATCH/jumps.c"
expect_output "what its break jumps over is no part of its heap" 0 \
    '^jumps +1 +1/1 +[3-9][0-9]\.'
run -g -a "$SCRATCH/s4711.c"
expect_output "it has its grade" 0 \
    '^grade allocator=s4711 valid=1/1 correctness=20.00/20 .*total=[0-9.]+/120$'
try make -n grade A="$SCRATCH/s4711.c"
expect_output "make grade takes the file" 0 \
    '^\./mdriver --grade .* -a [^ ]*/s4711\.c '
sed 's/\.init = mine_init/.single_threaded = true, &/' $example \
    >"$SCRATCH/alone.c"
run -a "$SCRATCH/alone.c,$SCRATCH/s4711.c" -n 2
expect "what its table says is known before: no two threads" \
    test "$(grep -c '^alone  *2  *1/1' <<<"$out")" = 0
printf '%s\n' 'static __thread char own[60000];' >"$SCRATCH/tls.c"
sed 's/^static void mine_free.*/&/;s/    if (!p)$/    own[1]++;\n&/' $example \
    >>"$SCRATCH/tls.c"
run -a "$SCRATCH/tls.c" -n 2
expect_output "thread-local data of 60 KB has room" 0 '^tls +2 +2/2 '
run -a "$SCRATCH/s4711.c" --heapmap "$SCRATCH/map.csv"
expect "it has a heap map" grep -q '^s4711,' "$SCRATCH/map.csv"
run -a "$SCRATCH/s4711.c" --watch="$SCRATCH/w.html"
expect "it can be watched" test $status = 0 -a -s "$SCRATCH/w.html"
# Piped, few moments are drawn: the one before a fault is.
made crashes '*(volatile char *)16 = 1;'
seq 1 99 | sed 's/.*/a & 400/;1i mmtrace 1\nids 100\nops 100' \
    >"$SCRATCH/late.trace"
sed -i '6i a 0 777' "$SCRATCH/late.trace"
try "$MDRIVER" -f "$SCRATCH/late.trace" -a "$SCRATCH/crashes.c" --watch
expect_output "the heap before a fault is drawn, though it is an early one" 1 \
    "^crashes: late: operation 2 of 100: malloc\(400\) of block 2 "
if [[ -z ${SAN-} ]] && grep -q '^Seccomp:' /proc/self/status; then
    made kills 'kill(getppid(), SIGKILL);' '#include <signal.h>' \
        '#include <unistd.h>'
    run -a "$SCRATCH/kills.c" --watch="$SCRATCH/k.html"
    expect_output "who watches it is out of its reach, too" 1 \
        '^FAULT crash: kills: .*malloc\(777\): it crashed: Bad system call'
    expect "and the page is whole" grep -q '</html>' "$SCRATCH/k.html"
fi
run -a "$SCRATCH/s4711.c" --once
expect_output "it replays for tools" 0 '^s4711: t: ops=3002'

# ---- ones that do not --------------------------------------------------------
place="mine_malloc \\(.*/crash\\.c:[0-9]+\\)"
made crash '*(volatile int *)16 = 1;'
run -a "$SCRATCH/crash.c"
expect_output "a crash has its function and line" 1 \
    "^FAULT crash: .*t\.trace:4: malloc\(777\) .*SIGSEGV at address 0x10 in $place"
sed 's/\.init = mine_init/.check = no_check, &/
    s/^const struct mm_alloc/static size_t no_check(void) { return 0; }\n&/' \
    "$SCRATCH/crash.c" >"$SCRATCH/checked.c"
run -a "$SCRATCH/checked.c"
expect_output "what helps is a command that names the file" 1 \
    "own check after each operation: \./mdriver -a $SCRATCH/checked\.c -f "
made warns 'int unused_here;'
run -a "$SCRATCH/warns.c"
expect_output "a warning is shown, and no error" 0 'unused_here'
echo 'int x' >"$SCRATCH/bad.c"
run -a "$SCRATCH/bad.c"
expect_output "what does not compile is said by the compiler" 2 'bad\.c:1:.*err'
expect_output "and by the driver" 2 '^mdriver: option -a: .*/bad\.c does not'
echo 'int x;' >"$SCRATCH/none.c"
run -a "$SCRATCH/none.c"
expect_output "without a table it says what it expects" 2 \
    'none\.c: found no table in it, expected one .const struct mm_allocator'
cp $example "$SCRATCH/two.c"
echo 'const struct mm_allocator mm_two = {0};' >>"$SCRATCH/two.c"
run -a "$SCRATCH/two.c"
expect_output "two tables are one too many" 2 'two\.c: found 2 tables, exp'
sed 's/\.realloc = .*//' $example >"$SCRATCH/lacks.c"
run -a "$SCRATCH/lacks.c"
expect_output "a table with a hole is refused" 2 'mm_mine lacks one of init, '
made missing 'void missing_function(void); missing_function();'
run -a "$SCRATCH/missing.c"
expect_output "a function that no one has is named" 2 'missing\.c: .*missing_f'
run -a "$SCRATCH/nowhere.c"
expect_output "a file that is not there is named" 2 'nowhere\.c: No such file'
printf 'junk' >"$SCRATCH/junk.so"
run -a "$SCRATCH/junk.so"
expect_output "a file that is no library at all is refused" 2 'junk\.so: prel'
{
    cat $example
    echo '__attribute__((constructor)) static void first(void) { _exit(0); }'
} | sed '0,/#include/s//#include <unistd.h>\n&/' >"$SCRATCH/first.c"
run -a "$SCRATCH/first.c"
expect_output "a constructor that ends the process is found out" 2 \
    'first\.c: loading it ends the process'
finish
