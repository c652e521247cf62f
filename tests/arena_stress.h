/* arena_stress.h - random traffic of eight threads that come and go: every
 * operation, 0 .. 64 KiB, blocks handed over through mailboxes, each block with
 * a pattern that must still be there whoever frees it. */
#ifndef TESTS_ARENA_STRESS_H
#define TESTS_ARENA_STRESS_H

#include "tests/arena_variants.h"

#include <stdatomic.h>

#define STRESS_THREADS 8
#define STRESS_SLOTS 64 /* blocks that a thread holds at most */
#define MAILBOXES 256

/* What a block's first bytes say of it, where they fit. */
struct note {
    uint32_t size;
    uint32_t seed;
};

/* Any thread may put a block in, and take what is there: one exchange each.
 * The exchange publishes the block's bytes. */
static _Atomic(unsigned char *) mailboxes[MAILBOXES];

struct stress {
    uint64_t random;
    unsigned operations;
    unsigned char *held[STRESS_SLOTS];
};

static unsigned char pattern_of(const struct note *n, size_t i)
{
    return (unsigned char)(n->seed + i * 7);
}

/* @pre size >= 2 notes */
static void stress_fill(unsigned char *p, size_t size, uint32_t seed)
{
    struct note n = {(uint32_t)size, seed};
    memcpy(p, &n, sizeof n);
    size_t step = size > 4096 ? 61 : 1; /* large ones: a sample */
    for (size_t i = sizeof n; i < size; i += step)
        p[i] = pattern_of(&n, i);
    p[size - 1] = pattern_of(&n, size - 1);
}

/* Is the pattern of p, which had its bytes once, whole in the first size? */
static void stress_look(const unsigned char *p, size_t size)
{
    struct note n;
    if (lab->usable_size(p) < 2 * sizeof n)
        return;
    memcpy(&n, p, sizeof n);
    size_t end = n.size < size ? n.size : size, step = n.size > 4096 ? 61 : 1;
    for (size_t i = sizeof n; i < end; i += step)
        if (p[i] != pattern_of(&n, i))
            ck_abort_msg("%p, byte %zu of %u: %u, not %u", (const void *)p, i,
                         n.size, p[i], pattern_of(&n, i));
}

static size_t stress_size(uint64_t *random)
{
    uint64_t r = next_random(random);
    switch (r % 16) {
    case 0: return r >> 8 & 0xffff;
    case 1:
    case 2: return r >> 8 & 0xfff;
    default: return r >> 8 & 0xff;
    }
}

/* By malloc, calloc or memalign. */
static unsigned char *stress_new(size_t size, uint64_t random)
{
    unsigned char *p;
    if (random % 8 == 0) {
        p = lab->calloc(1, size);
        demand(p);
        for (size_t i = 0; i < size; i++)
            if (p[i])
                ck_abort_msg("calloc: byte %zu is not 0", i);
        return p;
    }
    size_t align = random % 8 == 1 ? (size_t)8 << (random >> 8) % 10 : 0;
    p = align ? lab->memalign(align, size) : lab->malloc(size);
    demand(p);
    demand(align == 0 || (uintptr_t)p % align == 0);
    return p;
}

/* A block with a pattern; one that is too small has none and says so. */
static unsigned char *stress_take(struct stress *s)
{
    size_t size = stress_size(&s->random);
    uint64_t r = next_random(&s->random);
    unsigned char *p = stress_new(size, r);
    demand(lab->usable_size(p) >= size);
    memset(p, 0, size);
    if (size >= 2 * sizeof(struct note))
        stress_fill(p, size, (uint32_t)r);
    else if (lab->usable_size(p) >= sizeof(struct note))
        memset(p, 0, sizeof(struct note));
    return p;
}

static void stress_give(unsigned char *p)
{
    if (p)
        stress_look(p, lab->usable_size(p));
    lab->free(p);
}

static unsigned char *stress_resize(struct stress *s, unsigned char *p)
{
    size_t size = 16 + stress_size(&s->random);
    p = lab->realloc(p, size);
    demand(p);
    stress_look(p, size);
    stress_fill(p, size, (uint32_t)next_random(&s->random));
    return p;
}

/* One operation, whose blocks anybody may have made and may get. */
static void stress_step(struct stress *s)
{
    uint64_t r = next_random(&s->random);
    unsigned char **slot = &s->held[r % STRESS_SLOTS];
    if (!*slot) {
        *slot = stress_take(s);
    } else if (r >> 8 & 1) {
        stress_give(*slot);
        *slot = NULL;
    } else if (r >> 8 & 2) {
        *slot = stress_resize(s, *slot);
    } else { /* hand it over, and take what another left there */
        *slot = atomic_exchange_explicit(&mailboxes[(r >> 16) % MAILBOXES],
                                         *slot, memory_order_acq_rel);
    }
}

static void *stress_run(void *arg)
{
    struct stress *s = arg;
    for (unsigned i = 0; i < s->operations; i++)
        stress_step(s);
    return NULL;
}

/* What waits in the mailboxes, checked and freed. */
static void stress_empty_inboxes(void)
{
    for (unsigned i = 0; i < MAILBOXES; i++)
        stress_give(atomic_exchange(&mailboxes[i], NULL));
}

/* What s holds, checked and freed. */
static void stress_empty(struct stress *s)
{
    for (unsigned k = 0; k < STRESS_SLOTS; k++) {
        stress_give(s->held[k]);
        s->held[k] = NULL;
    }
}

/* Threads end in the middle: what they hold goes to the next ones. */
static inline void stress(unsigned operations, unsigned generations)
{
    static struct stress states[STRESS_THREADS];
    pthread_t threads[STRESS_THREADS];
    for (unsigned g = 0; g < generations; g++)
        for (unsigned i = 0; i < STRESS_THREADS; i++) {
            if (g)
                thread_wait(threads[i]);
            states[i].random = g * STRESS_THREADS + i;
            states[i].operations = operations / generations;
            threads[i] = thread_start(stress_run, &states[i]);
        }
    for (unsigned i = 0; i < STRESS_THREADS; i++)
        thread_wait(threads[i]);
    ck_assert_uint_eq(lab->check(), 0);
    for (unsigned i = 0; i < STRESS_THREADS; i++)
        stress_empty(&states[i]);
    stress_empty_inboxes();
    ck_assert_uint_eq(lab->check(), 0);
}

#endif
