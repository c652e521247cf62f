#!/bin/bash
# e2e_thread_memory.sh - a thread that sleeps on ten small blocks costs no more
# resident memory under libmm.so than under glibc: 2000 of them at once, against
# as many that allocate nothing, in the same run.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
THREADS=2000 BLOCKS=10
SLACK=64 # bytes a thread: pages are whole

cat >"$SCRATCH/sleepers.c" <<'END'
/* sleepers THREADS BLOCKS: resident bytes of each thread while all sleep */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_barrier_t asleep;
static int blocks;

static long resident(void)
{
    char text[100] = "";
    long size, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || !fgets(text, sizeof text, f) ||
        sscanf(text, "%ld %ld", &size, &pages) != 2)
        abort();
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static void *sleeper(void *number)
{
    unsigned seed = (unsigned)(size_t)number * 7919u + 1;
    void *mine[64];
    for (int i = 0; i < blocks; i++) {
        size_t size = 16 + (size_t)rand_r(&seed) % 112;
        mine[i] = memset(malloc(size), 1, size);
    }
    pthread_barrier_wait(&asleep);
    pthread_barrier_wait(&asleep);
    for (int i = 0; i < blocks; i++)
        free(mine[i]);
    return NULL;
}

int main(int argc, char **argv)
{
    int n = argc == 3 ? atoi(argv[1]) : 0;
    pthread_t *threads = malloc(sizeof *threads * (size_t)n);
    pthread_attr_t small;
    if (!n)
        return 2;
    blocks = atoi(argv[2]);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 << 10);
    pthread_barrier_init(&asleep, NULL, (unsigned)n + 1);
    long before = resident();
    for (int i = 0; i < n; i++)
        if (pthread_create(&threads[i], &small, sleeper, (void *)(size_t)i))
            abort();
    pthread_barrier_wait(&asleep);
    printf("%ld\n", (resident() - before) / n);
    pthread_barrier_wait(&asleep);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
END
gcc -O2 -pthread -o "$SCRATCH/sleepers" "$SCRATCH/sleepers.c"

# cost [LIBRARY]: bytes that a thread's blocks cost, with all that belongs to it
cost() {
    local with without
    with=$(LD_PRELOAD=${1:+$PWD/$1} "$SCRATCH/sleepers" $THREADS $BLOCKS)
    without=$(LD_PRELOAD=${1:+$PWD/$1} "$SCRATCH/sleepers" $THREADS 0)
    echo $((with - without))
}

if ! "$SCRATCH/sleepers" $THREADS 0 >/dev/null 2>&1; then
    ok "a thread costs no more than glibc's # SKIP $THREADS do not start"
    finish
fi
for _ in 1 2 3 4 5 6; do
    theirs=$(cost)
    ((theirs <= 0)) || break
done
for library in libmm.so libmm-arena.so libmm-arena-favorite.so; do
    [[ -e $library ]] || continue
    # Threads that are preempted in malloc cost a little more; and where memory
    # is short the system may take pages from one of the two runs.
    for _ in 1 2 3 4 5 6; do
        ours=$(cost $library)
        ((ours <= 0 || ours > theirs + SLACK)) || break
    done
    name="$library: a thread costs no more than glibc's"
    if ((ours > 0 && ours <= theirs + SLACK)); then
        ok "$name"
    else
        not_ok "$name" "$ours bytes, glibc $theirs"
    fi
    [[ -z ${SHOW_PEAKS-} ]] || echo "# $library $ours bytes, glibc $theirs"
done
finish
