/* stages.c - what the stages promise and designs need not: realloc that stays,
 * mallinfo that counts, malloc_trim that gives back. */
#include "conform.h"

#include <fcntl.h>
#include <pthread.h>

enum { NSIZES = 3000 };

/* Each usable size that a fresh block of size may be given. */
static void stays(size_t size, size_t step)
{
    size_t usable = malloc_usable_size(malloc(size));
    for (size_t to = 1; to <= usable; to += to < usable - step ? step : 1) {
        char *p = malloc(size);
        usable = malloc_usable_size(p);
        demand(to > usable || realloc(p, to) == p);
        free(p);
    }
}

static void *make_all_sizes(void *blocks)
{
    for (size_t i = 0; i < NSIZES; i++)
        ((void **)blocks)[i] = malloc(i);
    return blocks;
}

/* Alone, and one of many of its size; and what another thread has made. */
static void usable_bytes_do_not_move(void)
{
    void *others[NSIZES];
    pthread_t thread;
    for (size_t size = 1; size < 600; size++)
        stays(size, 1);
    for (size_t size = 1; size < 200; size++) {
        for (int i = 0; i < 100; i++)
            malloc(size);
        stays(size, 1);
    }
    demand(pthread_create(&thread, NULL, make_all_sizes, others) == 0);
    demand(pthread_join(thread, NULL) == 0);
    for (size_t i = 0; i < NSIZES; i++) {
        size_t usable = malloc_usable_size(others[i]);
        demand(realloc(others[i], usable) == others[i]);
        demand(realloc(others[i], usable / 2 + 1) == others[i]);
    }
    for (size_t size = 600; size < 200000; size += size / 3)
        stays(size, size / 50);
}

static size_t used(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void each_block_counts(void)
{
    for (size_t size = 1; size < 10 * MIB; size += 1 + size / 7) {
        size_t before = used();
        void *p = malloc(size);
        demand(used() >= before + size);
        demand(mallinfo2().arena >= mallinfo2().uordblks);
        size_t with = used();
        free(p);
        demand(used() + size <= with);
    }
}

/* What a program finds that asks how much of its memory is mapped. */
static void mapped_blocks_count_apart(void)
{
    struct mallinfo2 none = mallinfo2(), info;
    char *p[3];
    for (int i = 0; i < 3; i++)
        p[i] = malloc(10 * MIB);
    p[2] = realloc(p[2], 30 * MIB);
    info = mallinfo2();
    demand(info.hblks == none.hblks + 3);
    demand(info.hblkhd >= none.hblkhd + 50 * MIB);
    demand(info.hblkhd < none.hblkhd + 51 * MIB);
    demand(info.uordblks < none.uordblks + MIB);
    demand(info.arena < none.arena + MIB);
    demand((size_t)mallinfo().hblks == info.hblks);
    demand((size_t)mallinfo().hblkhd == info.hblkhd);
    for (int i = 0; i < 3; i++)
        free(p[i]);
    demand(mallinfo2().hblks == none.hblks);
    demand(mallinfo2().hblkhd == none.hblkhd);
}

static void *make_many(void *blocks)
{
    for (int i = 0; i < 1000; i++)
        ((void **)blocks)[i] = malloc(1000);
    return blocks;
}

static void all_threads_count(void)
{
    void *mine[1000], *others[1000];
    pthread_t thread;
    size_t before = used();
    make_many(mine);
    demand(pthread_create(&thread, NULL, make_many, others) == 0);
    demand(pthread_join(thread, NULL) == 0);
    demand(used() >= before + 2000000 && used() < before + 2200000);
    demand((size_t)mallinfo().uordblks == mallinfo2().uordblks);
    for (int i = 0; i < 1000; i++) {
        free(mine[i]);
        free(others[i]);
    }
    demand(used() < before + 100000);
    struct mallinfo2 info = mallinfo2();
    demand(info.fordblks == info.arena - info.uordblks);
    demand(info.usmblks >= info.arena);
}

/* Bytes of this process in memory, without asking stdio. */
static size_t resident(void)
{
    char text[4000];
    int from = open("/proc/self/status", O_RDONLY);
    ssize_t n = read(from, text, sizeof text - 1);
    close(from);
    demand(n > 0);
    text[n] = '\0';
    const char *line = strstr(text, "\nVmRSS:");
    demand(line);
    return strtoul(line + 7, NULL, 10) << 10;
}

enum { NBLOCKS = 16000 };
static void *blocks[NBLOCKS];

static void make_blocks(void)
{
    for (int i = 0; i < NBLOCKS; i++)
        blocks[i] = memset(malloc(3000), 'x', 3000);
}

/* All but each stay-th block goes: what lies between goes back; where pages are
 * larger, so are the holes. */
static void holes_go_back(int stay, size_t least)
{
    stay *= (int)(sysconf(_SC_PAGESIZE) / 4096);
    make_blocks();
    for (int i = 0; i < NBLOCKS; i++)
        if (i % stay)
            free(blocks[i]);
    size_t before = resident();
    demand(malloc_trim(0) == 1);
    demand(resident() + least <= before);
    for (int i = 0; i < NBLOCKS; i += stay)
        demand(filled(blocks[i], 3000, 'x'));
    make_blocks();
    free(malloc(10 * MIB));
}

static void free_memory_goes_back(void)
{
    holes_go_back(NBLOCKS, 40 * MIB);
}

static void large_holes_go_back(void)
{
    holes_go_back(10, 28 * MIB);
}

static void small_holes_go_back(void)
{
    holes_go_back(5, 20 * MIB);
}

static void *free_all(void *stays)
{
    for (int i = 0; i < NBLOCKS; i++)
        free(blocks[i]);
    pthread_barrier_wait(stays);
    pthread_barrier_wait(stays);
    return NULL;
}

/* What another thread owns, who sleeps and does not end. */
static void memory_of_others_goes_back(void)
{
    pthread_t thread;
    pthread_barrier_t stays;
    pthread_barrier_init(&stays, NULL, 2);
    make_blocks();
    size_t before = resident();
    demand(pthread_create(&thread, NULL, free_all, &stays) == 0);
    pthread_barrier_wait(&stays);
    malloc_trim(0);
    demand(resident() + 35 * MIB <= before);
    pthread_barrier_wait(&stays);
    pthread_join(thread, NULL);
}

int main(void)
{
    contract("C29 realloc within the usable size does not move",
             usable_bytes_do_not_move);
    contract("C30 mallinfo2 counts each block while it is used",
             each_block_counts);
    contract("C72 mallinfo2 counts mapped blocks apart",
             mapped_blocks_count_apart);
    contract("C31 mallinfo2 counts the blocks of all threads",
             all_threads_count);
    contract("C32 malloc_trim gives free memory back", free_memory_goes_back);
    contract("C33 malloc_trim gives large holes back", large_holes_go_back);
    contract("C34 malloc_trim gives small holes back", small_holes_go_back);
    contract("C35 malloc_trim gives back what a thread that sleeps freed",
             memory_of_others_goes_back);
    return contracts_broken;
}
