#!/bin/bash
# e2e_thrash.sh - pages that go back and are taken again cost no more page
# faults than with glibc, or thrice as many: threads that come and go, fill
# their heaps, hand some blocks over, and free all. (glibc's faults differ by a
# half.)
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
TIMES=3

cat >"$SCRATCH/rounds.c" <<'END'
/* rounds THREADS BLOCKS ROUNDS: page faults of rounds of threads, each of which
 * makes so many blocks of 8 bytes to 8 KiB, one in a hundred a hundred times as
 * large, frees three of four again, and swaps some with others. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { SWAPS = 100, MOST = 512 << 10 };

static _Atomic(char *) places[1000];
static size_t nblocks;

static uint64_t dice(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static char *any_block(uint64_t r)
{
    size_t size = (size_t)8 << r % 11;
    size = size / 2 + (r >> 20) % size;
    size *= (r >> 50) % 100 ? 1 : 100;
    size = size < MOST ? size : MOST;
    char *p = malloc(size);
    for (size_t at = 0; at < size; at += 4096)
        p[at] = 1;
    return p;
}

static void *fill_and_free(void *number)
{
    uint64_t seed = ((uintptr_t)number + 1) * 88172645463325253u;
    char **blocks = calloc(nblocks, sizeof *blocks);
    for (size_t i = 0; i < nblocks; i++) {
        blocks[i] = any_block(dice(&seed));
        size_t k = dice(&seed) % (i + 1);
        if (dice(&seed) % 4) {
            free(blocks[k]);
            blocks[k] = NULL;
        }
        if (i % (nblocks / SWAPS) == 0) {
            char *p = blocks[i];
            blocks[i] = NULL;
            free(atomic_exchange(&places[dice(&seed) % 1000], p));
        }
    }
    for (size_t i = 0; i < nblocks; i++)
        free(blocks[i]);
    free(blocks);
    return NULL;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    size_t n = argc == 4 ? strtoul(argv[1], NULL, 10) : 0;
    pthread_t threads[64];
    if (n == 0 || n > 64)
        return 2;
    nblocks = strtoul(argv[2], NULL, 10);
    for (size_t left = strtoul(argv[3], NULL, 10); left; left--) {
        for (size_t i = 0; i < n; i++)
            if (pthread_create(&threads[i], NULL, fill_and_free,
                               (void *)(left * 64 + i)))
                abort();
        for (size_t i = 0; i < n; i++)
            pthread_join(threads[i], NULL);
    }
    getrusage(RUSAGE_SELF, &usage);
    printf("%ld\n", usage.ru_minflt);
    return 0;
}
END
gcc -O2 -pthread -o "$SCRATCH/rounds" "$SCRATCH/rounds.c"

# faults LIBRARY THREADS BLOCKS ROUNDS
faults() {
    LD_PRELOAD=${1:+$PWD/$1} "$SCRATCH/rounds" "${@:2}"
}

# few THREADS BLOCKS ROUNDS: with each library
few() {
    local library ours theirs
    theirs=$(faults "" "$@")
    for library in libmm.so libmm-arena.so libmm-per-thread.so libmm-global.so
    do
        [[ -e $library ]] || continue
        for _ in 1 2 3; do # what thrashes does it each time
            ours=$(faults $library "$@")
            ((ours > TIMES * theirs)) || break
        done
        name="$library: $1 threads, $2 blocks, $3 rounds: few page faults"
        name+=${MM_DECAY:+", MM_DECAY=$MM_DECAY"}
        if ((ours <= TIMES * theirs)); then
            ok "$name"
        else
            not_ok "$name" "$ours, and glibc has $theirs"
        fi
        [[ -z ${SHOW_PEAKS-} ]] || echo "# $library $ours, glibc $theirs"
    done
}

few 2 1000 1500
few 2 50000 30
# As on a machine that is busier, where time passes that the program lacks.
MM_DECAY=400 few 2 50000 30
few 16 1000 200
finish
