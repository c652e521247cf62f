#!/bin/bash
# e2e_names.sh - MM_NAMES=1: the heap, records and large blocks have names in
# /proc/PID/smaps. Kernels that cannot do that are asked once; here a library
# loaded first plays one that can (it notes what is named), and one that cannot.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

cat >"$SCRATCH/kernel.c" <<'END'
/* prctl(PR_SET_VMA, ...): a line for each on file 9; refused if KERNEL=old */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int prctl(int option, ...)
{
    char line[100];
    va_list list;
    unsigned long a[4];
    va_start(list, option);
    for (int i = 0; i < 4; i++)
        a[i] = va_arg(list, unsigned long);
    va_end(list);
    if (option != 0x53564d41)
        return (int)syscall(SYS_prctl, option, a[0], a[1], a[2], a[3]);
    int n = snprintf(line, sizeof line, "%lx %lx %s\n", a[1], a[1] + a[2],
                     (char *)a[3]);
    if (write(9, line, n) != n)
        abort();
    if (!strcmp(getenv("KERNEL"), "old")) {
        errno = EINVAL;
        return -1;
    }
    return 0;
}
END
cat >"$SCRATCH/program.c" <<'END'
/* Grow the heap by blocks of 1000 bytes to so many MiB, take two large blocks.
 * On standard output: each one's address and what it is; then the maps. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    static char text[1 << 16];
    char *small = malloc(1000), *large = malloc(5000000), *p = small;
    errno = 0;
    for (size_t n = atol(argv[argc - 1]) * 1000; n; n--)
        memset(p = malloc(1000), 1, 1000);
    printf("%d\n%p heap\n%p heap\n%p block\n%p block\n", errno, (void *)small,
           (void *)p, (void *)large, malloc(6000000));
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(text, sizeof text, maps))
        fputs(text, stdout);
    return 0;
}
END
cc -O2 -shared -fPIC -o "$SCRATCH/kernel.so" "$SCRATCH/kernel.c"
cc -O2 -o "$SCRATCH/program" "$SCRATCH/program.c"

# run KERNEL MM_NAMES MIB: what was named in $SCRATCH/named, the rest in said
run() {
    KERNEL=$1 MM_NAMES=$2 LD_PRELOAD="$SCRATCH/kernel.so $PWD/$library" \
        "$SCRATCH/program" "$3" 9>"$SCRATCH/named" >"$SCRATCH/said"
}

# Each block lies in what has its name, and all that was named is private memory
# of the process's, readable and writable, without a file.
right() {
    python3 - "$SCRATCH/named" "$SCRATCH/said" <<'END'
import sys
named = [line.split(" ", 2) for line in open(sys.argv[1])]
named = [(int(a, 16), int(b, 16), name.strip()) for a, b, name in named]
said = open(sys.argv[2]).read().split("\n")
assert said[0] == "0", said[0]
for line in said[1:5]:
    at, what = line.split()
    names = {n for a, b, n in named if a <= int(at, 16) < b}
    assert names == {f"libmm: {what}"}, (line, names)
maps = [line.split() for line in said[5:] if line]
ours = [[int(n, 16) for n in words[0].split("-")] for words in maps
        if words[1] == "rw-p" and len(words) == 5]
for start, end, name in named:
    at = start
    for a, b in ours:
        if a <= at < b:
            at = b
    assert at >= end, (hex(start), hex(end), name)
assert {n for *_, n in named} == {"libmm: heap", "libmm: records",
                                  "libmm: block"}, named
END
}

asked() {
    [[ $(wc -l <"$SCRATCH/named") -le $1 && -s $SCRATCH/named ]]
}

for library in libmm.so libmm-arena.so libmm-global.so; do
    expect "$library: runs where names work" run new 1 200
    expect "$library: names lie where they belong" right
    expect "$library: 200 MB need no more than 100 calls" asked 100
    expect "$library: runs where there are none" run old 1 200
    expect "$library: ... and asks once" asked 1
    expect "$library: runs without MM_NAMES" run new 0 200
    expect "$library: ... and names nothing" [ ! -s "$SCRATCH/named" ]
done
finish
