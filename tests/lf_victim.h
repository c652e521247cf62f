/* lf_victim.h - a thread that works until it is frozen, for test_lf_freeze.c.
 *
 * It makes, resizes, frees and hands over blocks from 8 bytes to 4 MiB, and
 * ends and begins as a thread of the allocator. Its handler freezes it only
 * inside the allocator, so that what others wait for, if they wait, is ours. */
#ifndef TESTS_LF_VICTIM_H
#define TESTS_LF_VICTIM_H

#include "tests/lf_test.h"

#include <linux/futex.h>

#define NSHARED 64       /* blocks that any thread may take, give and free */
#define LARGEST 22       /* log2 of the largest size: 4 MiB */
#define RESTART_EVERY 64 /* operations between its ends and starts */

enum mode { RELEASED, PARKED_FOR_GOOD, KILLED, MODES };

static enum mode mode;
static _Atomic(unsigned char *) shared[NSHARED];
static atomic_bool over;

/* ---- blocks -------------------------------------------------------------- */

/* From 8 bytes to 4 MiB, all magnitudes as likely. */
static size_t any_size(uint64_t random)
{
    unsigned bits = 3 + random % (LARGEST - 3);
    return ((size_t)1 << bits) + (random >> 8) % ((size_t)1 << bits);
}

/* Its first bytes and its last one say its size. */
static void sign(unsigned char *p, size_t size)
{
    uint32_t n = (uint32_t)size;
    memcpy(p, &n, sizeof n);
    p[size - 1] = (unsigned char)(n >> 8 ^ n);
    if (size < 2 * sizeof n)
        p[size - 1] = 0;
    memcpy(p, &n, sizeof n);
}

static void ck_signed(const unsigned char *p)
{
    uint32_t n;
    memcpy(&n, p, sizeof n);
    demand(n <= (size_t)2 << LARGEST && lab->usable_size(p) >= n);
    demand(n < 2 * sizeof n || p[n - 1] == (unsigned char)(n >> 8 ^ n));
}

/* ---- the victim ------------------------------------------------------------
 */

enum { RUNNING, ASKED, FROZEN, MISSED };

struct victim {
    pthread_t thread;
    pid_t id;
    uint64_t random;
    atomic_uint operations;
    atomic_int state;
    atomic_bool within; /* a call of the allocator */
    bool was_inside;    /* ... and its thread was not outside */
};

static __thread struct victim *me;
static __thread unsigned char *held[8]; /* the victim's own */

static void stay(struct victim *v)
{
    while (mode != RELEASED || atomic_load(&v->state) == FROZEN)
        syscall(SYS_futex, &v->state, FUTEX_WAIT_PRIVATE, FROZEN, NULL);
}

static void release(struct victim *v)
{
    atomic_store(&v->state, RUNNING);
    syscall(SYS_futex, &v->state, FUTEX_WAKE_PRIVATE, 1);
}

/* Freeze here, if this is inside the allocator. */
static void freeze(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info, (void)context;
    struct victim *v = me;
    int saved = errno;
    if (!atomic_load(&v->within)) {
        atomic_store(&v->state, MISSED);
        return;
    }
    v->was_inside = inside();
    atomic_store(&v->state, FROZEN);
    if (mode == KILLED)
        syscall(SYS_exit, 0); /* of this thread: no destructor, nothing */
    stay(v);
    errno = saved;
}

static unsigned char *victim_take(size_t size, uint64_t random)
{
    if (random % 8 == 0)
        return lab->memalign((size_t)16 << (random >> 8) % 9, size);
    return lab->malloc(size);
}

/* One operation; a block that is half made when the thread dies is lost, so
 * none is in a table meanwhile. */
static void victim_call(struct victim *v, uint64_t r)
{
    unsigned char **slot = &held[r % 8], *p = *slot;
    size_t size = any_size(r >> 16);
    *slot = NULL;
    if (p)
        ck_signed(p);
    atomic_store(&v->within, true);
    if (!p)
        p = victim_take(size, r >> 8);
    else if (r >> 8 & 1)
        p = lab->realloc(p, size);
    else
        lab->free(p), p = NULL;
    atomic_store(&v->within, false);
    if (p)
        sign(p, size);
    *slot = atomic_exchange(&shared[(r >> 40) % NSHARED], p);
}

static void victim_restart(struct victim *v)
{
    atomic_store(&v->within, true);
    lab->thread_exit();
    demand(lab->thread_init() == 0);
    atomic_store(&v->within, false);
}

static void *run_victim(void *arg)
{
    struct victim *v = me = arg;
    v->id = thread_id();
    atomic_store(&v->state, RUNNING);
    while (!atomic_load(&over)) {
        victim_call(v, next_random(&v->random));
        if (atomic_fetch_add(&v->operations, 1) % RESTART_EVERY == 0)
            victim_restart(v);
    }
    for (int i = 0; i < 8; i++)
        lab->free(held[i]);
    return NULL;
}

#endif
