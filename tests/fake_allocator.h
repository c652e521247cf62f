/* fake_allocator.h - an allocator that gives what a test tells it to give, and
 * traces written in the test, performed operation by operation.
 *
 * Each function that makes a block returns the next of the places given with
 * give(); free does nothing. Its heap is `heap`, unless fake.anywhere. */
#ifndef TESTS_FAKE_ALLOCATOR_H
#define TESTS_FAKE_ALLOCATOR_H

#include "driver/base/driver_mem.h"
#include "driver/check/oracle.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char heap[1 << 16] __attribute__((aligned(4096)));

static struct {
    void *next[16];
    unsigned given, taken;
    size_t asked; /* by the last call that gave a block */
    long slack;   /* usable_size is this more than asked */
    int error;    /* errno with NULL */
    size_t broken, heap_now, heap_peak;
    bool anywhere;            /* contains is always true */
    void (*in_realloc)(void); /* called while a realloc is going on */
} fake;

static inline void give(void *p)
{
    ck_assert_uint_lt(fake.given, 16);
    fake.next[fake.given++] = p;
}

static inline void *fake_take(size_t size)
{
    ck_assert_uint_lt(fake.taken, fake.given);
    errno = fake.error;
    void *p = fake.next[fake.taken++];
    if (p)
        fake.asked = size;
    return p;
}

static inline int fake_init(void)
{
    return 0;
}

static inline void fake_fini(void)
{
}

static inline void fake_free(void *p)
{
    (void)p;
}

static inline void *fake_realloc(void *p, size_t size)
{
    (void)p;
    void *q = fake_take(size);
    if (fake.in_realloc) {
        fake.in_realloc();
        fake.asked = size;
    }
    return q;
}

static inline void *fake_calloc(size_t n, size_t size)
{
    return fake_take(n * size);
}

static inline void *fake_memalign(size_t align, size_t size)
{
    (void)align;
    return fake_take(size);
}

static inline size_t fake_usable_size(const void *p)
{
    (void)p;
    return fake.asked + (size_t)fake.slack;
}

static inline size_t fake_check(void)
{
    return fake.broken;
}

static inline bool fake_contains(const void *p, size_t size)
{
    const char *at = p;
    return fake.anywhere || (at >= heap && at + size <= heap + sizeof heap);
}

static inline void fake_stats(struct mm_stats *out)
{
    *out =
        (struct mm_stats){.heap = fake.heap_now, .heap_peak = fake.heap_peak};
}

static const struct mm_allocator fake_allocator = {
    .name = "fake",
    .summary = "gives what it is told to give",
    .init = fake_init,
    .fini = fake_fini,
    .malloc = fake_take,
    .free = fake_free,
    .realloc = fake_realloc,
    .calloc = fake_calloc,
    .memalign = fake_memalign,
    .usable_size = fake_usable_size,
    .check = fake_check,
    .contains = fake_contains,
    .stats = fake_stats,
};

/* ---- a replay -------------------------------------------------------- */

static struct fault fault;
static struct oracle *oracle;

struct run {
    struct trace *t;
    struct oracle_block *blocks;
    struct oracle_where where;
    unsigned nops; /* those that the test gave */
};

#define FAKE_IDS 8

/* @param ops  lines of operations; the first is line 4 of the trace. A trace
 * has no fewer operations than ids: what is missing becomes free(NULL). */
static inline struct run run_begin(const char *name, const char *ops,
                                   unsigned thread)
{
    char text[2048], err[256];
    unsigned nops = 0;
    for (const char *p = ops; *p; p++)
        nops += *p == '\n';
    unsigned all = nops > FAKE_IDS ? nops : FAKE_IDS;
    int n = snprintf(text, sizeof text, "mmtrace 1\nids %d\nops %u\n%s",
                     FAKE_IDS, all, ops);
    for (unsigned i = nops; i < all; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "f -1\n");
    struct run r = {.t = trace_parse(name, text, (size_t)n, err, sizeof err),
                    .nops = nops};
    ck_assert_msg(r.t != NULL, "%s", err);
    r.blocks = oracle_begin(oracle, r.t);
    r.where = (struct oracle_where){.trace = r.t, .thread = thread};
    return r;
}

static inline bool run_step(struct run *r)
{
    bool ok = oracle_op(oracle, &r->where, r->blocks);
    r->where.op++;
    return ok;
}

static inline bool run_end(struct run *r)
{
    bool ok = oracle_end(oracle, r->t, r->where.thread, r->blocks);
    trace_free(r->t);
    return ok;
}

/* All operations and the end; whether each of them succeeded. */
static inline bool run_all(const char *name, const char *ops)
{
    struct run r = run_begin(name, ops, 0);
    bool ok = true;
    while (ok && r.where.op < r.nops)
        ok = run_step(&r);
    return run_end(&r) && ok;
}

static inline void new_oracle(const struct mm_allocator *a, int level)
{
    memset(&fake, 0, sizeof fake);
    fake.error = ENOMEM;
    memset(heap, 0, sizeof heap);
    memset(&fault, 0, sizeof fault);
    oracle_free(oracle);
    oracle = oracle_new(a, level, &fault);
}

/* The fault that stands is of this kind, and its text has all these parts. */
#define assert_fault(kind_, ...)                                               \
    do {                                                                       \
        const char *parts_[] = {__VA_ARGS__};                                  \
        ck_assert_str_eq(fault_name(fault.kind), fault_name(kind_));           \
        for (size_t i_ = 0; i_ < sizeof parts_ / sizeof *parts_; i_++)         \
            ck_assert_msg(strstr(fault.text, parts_[i_]) != NULL,              \
                          "no '%s' in: %s", parts_[i_], fault.text);           \
    } while (0)

#endif
