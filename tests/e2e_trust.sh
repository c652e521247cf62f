#!/bin/bash
# e2e_trust.sh - every attack on a grade that docs/trust.md lists, by a file
# that is handed in; and what is said where it cannot be isolated.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
. tests/submitted.sh
T=$SCRATCH/t.trace
chmod 755 "$SCRATCH"
{
    printf '%s\n' "mmtrace 1" "ids 1001" "ops 3002" "a 0 777"
    seq 1000 | sed 's/.*/a & 400/'
    seq 1000 | sed 's/.*/r & 900/'
    seq 0 1000 | sed 's/.*/f &/'
} >"$T"

grade() { # NAME OPTION...
    out=$("$MDRIVER" -g -r 3 -f "${TRACE:-$T}" -a "$SCRATCH/$1" "${@:2}" \
        2>"$SCRATCH/err" </dev/null)
    status=$?
}
no_points() {
    grep -qE '"utilization": 0\.00, "throughput": 0\.00}}$' \
        <<<"$(tail -n 1 <<<"$out")"
}
# caught NAME REGEX OPTION...: found, by this fault, and without points.
caught() {
    grade "$1.c" "${@:3}"
    expect_output "$1 is found out" 1 "^FAULT $1: .*$2"
    expect "$1 gets no points" no_points
}
# each NAME STATEMENT [LINE...]: as made, but before each malloc.
each() {
    made "$1" '' "${@:3}"
    sed -i "s/    return mine_memalign(16, size);/    $2;\n&/" "$SCRATCH/$1.c"
}

# ---- memory that memlib knows nothing of -------------------------------------
made honest ''
grade honest.c
expect_output "an honest one has its points" 0 'correctness=20.00/20 .*/120$'
honest=$(sed -n 's/.*utilization=\([0-9.]*\).*/\1/p' <<<"$out")

sed 's/\.heap = mem_heapsize(), .heap_peak = mem_peak()/.heap = 1/' \
    docs/examples/mine.c >"$SCRATCH/stats.c"
expect "the cheat is one" grep -q 'heap = 1}' "$SCRATCH/stats.c"
grade stats.c
expect_output "invented stats are not asked" 0 "utilization=$honest/60"

made from-libc 'return malloc(size);' '#include <stdlib.h>'
caught from-libc "not inside the allocator's heap"
made by-dlsym 'void *(*f)(size_t) = dlsym(RTLD_DEFAULT, "malloc");
    return f(size);' '#include <dlfcn.h>'
caught by-dlsym "not inside the allocator's heap"
made by-mmap 'return mmap(NULL, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);' \
    '#include <sys/mman.h>'
caught by-mmap "not inside the allocator's heap"
each headers-by-mmap '*(char *)mmap(NULL, 4096, 3, 34, -1, 0) = 1' \
    '#include <sys/mman.h>'
caught headers-by-mmap 'it has memory of its own'
each headers-by-malloc '*(volatile char *)malloc(9000) = 1' \
    '#include <stdlib.h>'
caught headers-by-malloc 'it has memory of its own'
each large-array 'array[n++ % 2048][0] = 1' \
    'static volatile char array[2048][4096]; static unsigned n;'
caught large-array 'it has memory of its own'
each records '*(char *)mem_record(4096) = 1' '#include "memlib.h"'
grade records.c
expect "memlib's records count, too" \
    grep -qE "utilization=([0-9]|1[0-9])\..* total" <<<"$out"
{
    echo 'static char memory[1 << 26], *at = memory;'
    echo 'void *mem_sbrk(unsigned long n) { at += n; return at - n; }'
    cat docs/examples/mine.c
} >"$SCRATCH/own-memlib.c"
"${CC:-gcc}" -w -O2 -g -fPIC -shared -I. -Wl,-Bsymbolic -D_GNU_SOURCE \
    -o "$SCRATCH/own-memlib.so" "$SCRATCH/own-memlib.c"
grade own-memlib.so
expect_output "a memlib of its own is none" 1 "not inside the allocator's heap"

# ---- good only when watched --------------------------------------------------
made lazy 'passes++;' 'static _Atomic int passes;'
sed -i 's/    if (p && q)/    if (p \&\& q \&\& passes <= 2)/' "$SCRATCH/lazy.c"
caught lazy 'in a replay that is not checked at every operation: byte' -r 40
made lazy-free 'passes++;' 'static _Atomic int passes;'
sed -i 's/^    if (!p)/    if (!p || passes > 2)/' "$SCRATCH/lazy-free.c"
caught lazy-free 'heap is [0-9]+ bytes after timed replays' -r 40

# Only the oracle asks for usable_size before the first free: where nobody does,
# nothing is freed. Its heap stays within what one may scatter in many replays.
made waste-unasked '' 'static _Atomic int asked;'
sed -i 's/^    if (!p)/    if (!p || !asked)/
    s/^    size_t old = p ? mine_usable_size(p)/    int was = asked;\n&/
    s/^    if (p && q)/    asked = was;\n&/
    /^static size_t mine_usable_size/,/^}/s/^{/{\n    asked = 1;/' \
    "$SCRATCH/waste-unasked.c"
{
    printf '%s\n' "mmtrace 1" "ids 201" "ops 402" "a 0 777" "f 0"
    seq 200 | sed 's/.*/a & 900\nf &/'
} >"$SCRATCH/again.trace"
TRACE=$SCRATCH/again.trace caught waste-unasked \
    'heap is [0-9]+ bytes in a replay that is not checked'

# The same, where it is some few blocks: the heap is hardly larger.
{
    printf '%s\n' "mmtrace 1" "ids 21" "ops 42" "a 0 777" "f 0"
    seq 20 | sed 's/.*/a & 900\nf &/'
} >"$SCRATCH/few.trace"
cp "$SCRATCH/waste-unasked.c" "$SCRATCH/strays.c"
TRACE=$SCRATCH/few.trace caught strays \
    'few.trace:[0-9]+: from about this line on its blocks lie elsewhere'
# Places by chance are no fault: lots, or addresses, decide where blocks lie.
each lots 'unsigned char lot; getrandom(\&lot, 1, 0); mem_sbrk(lot % 8u * 64)' \
    '#include "memlib.h"' '#include <sys/random.h>'
each by-address 'mem_sbrk(((unsigned long)\&at >> 12) % 8 * 64)' \
    '#include "memlib.h"' 'static char at;'
for name in lots by-address; do
    TRACE=$SCRATCH/few.trace grade $name.c
    expect_output "$name: places by chance are no fault" 0 'valid=1/1'
done

# What was computed from the traces that a student has: each malloc has its
# place. Other traces of the same kind find it.
cat >"$SCRATCH/table.c" <<'END'
#include "memlib.h"
#include "mm.h"
#include <errno.h>
#include <string.h>
static char *base;
static unsigned next;
static int start(void) { return mem_init() || !(base = mem_sbrk(2001 << 10)); }
static void *get(size_t n) { (void)n; return base + (next++ % 2001 << 10); }
static void *get_calloc(size_t n, size_t m) { return memset(get(0), 0, n * m); }
static void *get_align(size_t a, size_t n) { (void)a; return get(n); }
static void keep(void *p) { (void)p; }
static void *more(void *p, size_t n)
{
    return p ? memcpy(get(n), p, 400) : get(n);
}
static size_t usable(const void *p) { (void)p; return 1024; }
const struct mm_allocator mm_table = {.init = start, .fini = mem_fini,
    .malloc = get, .free = keep, .realloc = more, .calloc = get_calloc,
    .memalign = get_align, .usable_size = usable};
END
grade table.c
expect_output "a table for a known trace works on that one" 0 'valid=1/1'
sed 's/^r 500 .*/r 500 1900/' "$T" >"$SCRATCH/hidden.trace"
TRACE=$SCRATCH/hidden.trace caught table 'overlap|usable_size'

# ---- against the driver ------------------------------------------------------
scores='{\"scores\": {\"correctness\": 20, \"utilization\": 60}}\n'
made prints "for (int i = 0; i < 64; i++) dprintf(i, \"\\n$scores\");" \
    '#include <stdio.h>'
caught prints "wrote to the driver's socket|SIGXFSZ"
expect "the only scores are the driver's" \
    test "$(grep -c '"scores"' <<<"$out")" = 1
expect "what it prints has its name" grep -q '^prints| {"sc' "$SCRATCH/err"
made at-exit "static int n; if (!n++) atexit(forge);" '#include <stdlib.h>' \
    '#include <stdio.h>' "static void forge(void) { printf(\"$scores\"); }"
grade at-exit.c
expect "what it leaves for exit is not run" \
    test "$(cat "$SCRATCH/err" - <<<"$out" | grep -c '"scores"')" = 1
made exits 'exit(0);' '#include <stdlib.h>'
caught exits 'the process ended itself, exit status 0'
sed 's/    return mem_init();/    _exit(0);/
    0,/#include/s//#include <unistd.h>\n&/' docs/examples/mine.c \
    >"$SCRATCH/exits-in-init.c"
caught exits-in-init 'in init.*the process ended itself, exit status 0'
made closes 'for (int i = 0; i < 64; i++) close(i); for (;;) pause();' \
    '#include <unistd.h>'
caught closes 'crashed: SIGKILL|ended'
each sleeps 'usleep(30000)' '#include <unistd.h>'
caught sleeps 'is too slow' --limit 1 -s 5

# What the driver notes lies in its memory: see docs/trust.md, "What is left".
notes='#include "driver/run/child.h"
#include <stdio.h>
#include <time.h>
static struct shared *notes;
__attribute__((constructor)) static void find(void)
{
    char line[512];
    unsigned long from;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "memfd:mdriver") && sscanf(line, "%lx-", &from) == 1)
            notes = (void *)(from + 64);
}
static inline void restart(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    if (notes)
        notes->marks[0].start_ns = t.tv_sec * 1000000000ull + t.tv_nsec;
}'
made silences 'if (notes) atomic_store(&notes->fault.claimed, 1);' \
    '#include <string.h>' "$notes"
caught silences "it wrote to the driver's notes"
each its-own-clock 'restart()' '#include <string.h>' "$notes"
{
    printf '%s\n' "mmtrace 1" "ids 1" "ops 200000"
    seq 100000 | sed 's/.*/a 0 400\nf 0/'
} >"$SCRATCH/long.trace"
TRACE=$SCRATCH/long.trace caught its-own-clock \
    'processor time|does nothing' -r 5

if ! grep -q '^Seccomp:' /proc/self/status; then finish; fi
made kills 'kill(getppid(), SIGKILL); kill(0, SIGKILL);' '#include <signal.h>' \
    '#include <unistd.h>'
caught kills 'SIGSYS: it made a system call'
made forks 'if (fork() == 0) for (;;) pause();' '#include <unistd.h>'
caught forks 'SIGSYS: it made a system call'
made connects 'socket(1, 1, 0);' '#include <sys/socket.h>'
caught connects 'SIGSYS: it made a system call'
made writes 'open("results.csv", O_WRONLY | O_CREAT, 0666);' \
    '#include <fcntl.h>'
caught writes 'SIGSYS: it made a system call'
start='pthread_create(&t, NULL, run, NULL)'
thread='static void *run(void *p) { for (;;) pause(); return p; }'
made threads "pthread_t t; $start;" '#include <pthread.h>' \
    '#include <unistd.h>' "$thread"
caught threads 'SIGSYS: it made a system call'
made early-thread '' '#include <pthread.h>' '#include <unistd.h>' "$thread" \
    "__attribute__((constructor)) static void first(void)
    { pthread_t t; $start; }"
caught early-thread 'its process has 2 threads, expected 1'
made reads 'dprintf(2, open("/etc/passwd", O_RDONLY) < 0 ? "no\n" : "yes\n");' \
    '#include <fcntl.h>' '#include <stdio.h>'
grade reads.c
expect "it can open no file, not even to read" \
    grep -q '^reads| no$' "$SCRATCH/err"

# ---- as whom -----------------------------------------------------------------
made user 'dprintf(2, "user %u\n", getuid());' '#include <stdio.h>' \
    '#include <unistd.h>'
grade user.c
if ((EUID == 0)); then
    expect "root's are another user's" \
        grep -q '^user| user 65534$' "$SCRATCH/err"
fi
# In a folder that only root may look into: another user's compiler works on
# copies, and brings in nothing else of it.
if ((EUID == 0)); then
    (umask 077 && mkdir "$SCRATCH/closed")
    cp "$SCRATCH/honest.c" "$SCRATCH/closed"
    echo 'secret' >"$SCRATCH/closed/hidden.trace"
    printf '__asm__(".incbin \\"%s\\"");\n' "$SCRATCH/closed/hidden.trace" |
        cat - docs/examples/mine.c >"$SCRATCH/closed/brings-in.c"
    grade closed/honest.c
    expect_output "one in a closed folder has its points" 0 '.*/120$'
    grade closed/brings-in.c
    expect_output "it cannot bring in what only root may read" 2 ''
    expect "and the assembler says so" \
        grep -q 'hidden.trace.*Permission denied\|not found' "$SCRATCH/err"
fi
"${CC:-gcc}" -o "$SCRATCH/without" tests/trust/without.c
mkdir "$SCRATCH/lab"
cp -L "$MDRIVER" "$SCRATCH/lab/mdriver"
cp mm.h memlib.h "$SCRATCH/lab"
chmod -R a+rX "$SCRATCH"
if ((EUID == 0)); then
    try setpriv --reuid=4711 --regid=4711 --clear-groups \
        "$SCRATCH/lab/mdriver" -g -r 2 -f "$T" -a "$SCRATCH/honest.c"
    expect_output "who is not root can grade, too" 0 \
        'valid=1/1 .*/120( not-isolated)?$'
fi
for what in seccomp user "seccomp user"; do
    # shellcheck disable=SC2086 # words
    try "$SCRATCH/without" $what -- "$MDRIVER" -g -r 2 -f "$T" \
        -a "$SCRATCH/honest.c"
    expect_output "without $what it runs" 0 'valid=1/1 .*/120 not-isolated$'
    expect_output "and is said not to be isolated: $what" 0 \
        '^mdriver: honest is not isolated: the system has no .*docs/trust.md'
    expect "the points, too: $what" grep -q '^  not isolated: ' <<<"$out"
done
finish
