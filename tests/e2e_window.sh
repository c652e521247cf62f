#!/bin/bash
# e2e_window.sh - small address spaces: the heap finds a window and works. On
# this machine a library loaded first lets no mmap go above a border; other
# machines' programs run under qemu-user, which has spaces of any size.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

# ---- here --------------------------------------------------------------------
cat >"$SCRATCH/space.c" <<'END'
/* mmap as in a space of SPACE_BITS bits: from the top down, none above. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic uintptr_t lowest; /* of what was placed */

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t off)
{
    const char *bits = getenv("SPACE_BITS");
    uintptr_t end = (uintptr_t)1 << (bits ? atoi(bits) : 47), none = 0;
    atomic_compare_exchange_strong(&lowest, &none, end - (64 << 20));
    uintptr_t bytes = (size + 4095) & ~(size_t)4095;
    if (!at)
        at = (void *)(atomic_fetch_sub(&lowest, bytes) - bytes);
    if ((uintptr_t)at + bytes > end) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, off);
}
END
cat >"$SCRATCH/program.c" <<'END'
/* Small blocks and large ones, by threads. Says where they are at most. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uintptr_t work(int seed)
{
    static __thread char *blocks[4000];
    uintptr_t most = 0;
    for (int i = 0; i < 400000; i++) {
        char **b = &blocks[rand_r((unsigned *)&seed) % 4000];
        size_t size = i % 10000 ? 1 + i % 3000 : 6000000;
        if (*b && **b != 7)
            abort();
        free(*b);
        if (!(*b = malloc(size)))
            abort();
        memset(*b, 7, size < 100 ? size : 100);
        most = (uintptr_t)*b > most ? (uintptr_t)*b : most;
    }
    for (int i = 0; i < 4000; i++)
        free(blocks[i]);
    return most;
}

static void *run(void *seed)
{
    return (void *)work((int)(intptr_t)seed);
}

int main(void)
{
    pthread_t threads[4];
    int bits = 0;
    for (intptr_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, run, (void *)(i + 1));
    for (int i = 0; i < 4; i++) {
        void *most;
        pthread_join(threads[i], &most);
        while ((uintptr_t)most >> bits)
            bits++;
    }
    printf("all within %d bits\n", bits);
    return 0;
}
END
cc -O2 -shared -fPIC -o "$SCRATCH/space.so" "$SCRATCH/space.c"
cc -O2 -pthread -o "$SCRATCH/program" "$SCRATCH/program.c"
for library in libmm.so libmm-arena.so libmm-global.so; do
    for bits in 33 36 38 39; do
        try env SPACE_BITS=$bits LD_PRELOAD="$SCRATCH/space.so $PWD/$library" \
            "$SCRATCH/program"
        expect_output "$library works within $bits bits" 0 \
            "^all within ($bits|$((bits - 1))|$((bits - 2))) bits$"
    done
done

# ---- other machines ----------------------------------------------------------
cat >"$SCRATCH/window.c" <<'END'
/* Grow the heap to 64 MiB and say how large it might be. */
#include "memlib.h"
#include <stdio.h>
#include <string.h>

int main(void)
{
    if (mem_init() != 0)
        return 1;
    for (int i = 0; i < 64; i++) {
        void *p = mem_sbrk(1 << 20);
        if (!p)
            return 1;
        memset(p, 1, 1 << 20);
    }
    printf("%zu GiB\n", mem_range.size >> 30);
    return 0;
}
END
for machine in aarch64 riscv64; do
    if ! command -v qemu-$machine >"$SCRATCH/.which" ||
        ! "$machine-linux-gnu-gcc" -static -O2 -I. -D_GNU_SOURCE -pthread \
            -o "$SCRATCH/window" "$SCRATCH/window.c" memlib.c \
            2>"$SCRATCH/.cc"; then
        echo "# no qemu-$machine, or no compiler for it: left out"
        continue
    fi
    while read -r space gib; do
        try qemu-$machine -R "$space" "$SCRATCH/window"
        expect_output "qemu-$machine: $gib GiB in a space of $space" 0 \
            "^$gib GiB$"
    done <<'END'
0x8000000000 64
0x4000000000 64
0x1000000000 32
0x200000000 4
END
done
finish
