/* nodes.c - designs/fit_cas_list.h: the pool of nodes, and the tables. The list
 * itself is too large to be walked through (docs/lock-free.md).
 *
 * Three nodes in the pool; one thread takes one and puts it back, the other
 * takes two, and puts the first back. TABLE: a table is made by two threads; a
 * third looks into it. */
#include "checked.h"

#include "mm/util.h"

#define MEM_ZONE ((size_t)16 << 12) /* one table */
#define UNITS 16

static uint64_t heap[2 * UNITS];
static struct {
    char *base;
} mem_range = {(char *)heap};

static char *mem_brk(void)
{
    return (char *)&heap[2 * UNITS - 1];
}

static bool mem_extend(char *brk, size_t size)
{
    (void)brk, (void)size;
    errno = ENOMEM;
    return false;
}

static void *mem_record(size_t size);

#define MEMLIB_H /* the driver's own */
#include "designs/fit_cas_list.h"

static uint32_t take(uint32_t units)
{
    (void)units;
    return 0;
}

static struct table records[2];
static _Atomic unsigned nrecords;

/* What was there before is no zero: who sees it has come too early. */
static void *mem_record(size_t size)
{
    unsigned n = atomic_fetch_add_explicit(&nrecords, 1, memory_order_relaxed);
    (void)size;
    word_init(&records[n].most[0], 0);
    return &records[n];
}

#ifdef TABLE
static void *maker(void *unused)
{
    tables_make(1);
    return unused;
}

static void *looker(void *unused)
{
    struct table *t = table_of(0);
    if (t)
        assert(word_load(&t->most[0]) == 0);
    return unused;
}

static body *const bodies[] = {maker, maker, looker};
#define THREADS 3
#else
static int owned[UNITS]; /* plain: two owners of one node are a race */

static void use(struct node *n)
{
    owned[unit_of(n)]++;
    assert(owned[unit_of(n)] == 1);
    owned[unit_of(n)] = 0;
}

static void *one(void *unused)
{
    struct node *n = pool_pop();
    if (n) {
        use(n);
        pool_push(n);
    }
    return unused;
}

static void *two(void *unused)
{
    struct node *first = pool_pop(), *second = pool_pop();
    if (first) {
        use(first);
        pool_push(first);
    }
    if (second)
        owned[unit_of(second)] = 1; /* it keeps that */
    return unused;
}

static body *const bodies[] = {one, two};
#define THREADS 2
#endif

int main(void)
{
    for (int i = 0; i < 2; i++)
        word_init(&records[i].most[0], 7);
#ifndef TABLE
    nodes_make(2, 6);
#endif
    run_all(bodies, THREADS);
#ifndef TABLE
    int left = 0;
    for (struct node *n = pool_pop(); n; n = pool_pop(), left++)
        use(n);
    assert(left == 2);
#endif
    return 0;
}
