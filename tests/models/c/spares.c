/* spares.c - front/huge.h: freed mappings that wait for a request, and
 * front/huge_table.h: a node that several threads make, and one keeps. What is
 * in a mapping and in a node is a plain word. TABLE: the second of the two. */
#include "checked.h"

#define count_rmw() ((void)0)
#define HUGE_PAGE_LOG2 12
#define SPARES 2

static struct {
    _Atomic uint64_t at[SPARES];
} spares;
static int used[4]; /* by how many threads at once each mapping is */

static void huge_unmap(void *p, size_t bytes)
{
    (void)bytes;
    assert(!used[(uintptr_t)p >> HUGE_PAGE_LOG2]);
    used[(uintptr_t)p >> HUGE_PAGE_LOG2] = 1; /* nobody's for good */
}

#define SPARE_PAGES ((uint64_t)0xffff)
#include "extracted_spares.h"
struct huge_node {
    int zero;
};
#include "extracted_table.h"

#ifdef TABLE
static _Atomic uint64_t top;
static struct huge_node nodes[2];

static void *use(void *n)
{
    struct huge_node *own = &nodes[(intptr_t)n & 1];
    if (!child_at(&top)) {
        own->zero = 5;
        child_put(&top, own);
    }
    assert(child_at(&top)->zero == 5);
    return NULL;
}

static void *look(void *unused)
{
    struct huge_node *n = child_at(&top);
    assert(!n || n->zero == 5);
    return unused;
}

int main(void)
{
    body *const bodies[] = {use, use, look};
    run_all(bodies, 3);
    return 0;
}
#else
static uint64_t spare_of(uint64_t map)
{
    return map << 16 | 1;
}

static void *use(void *n)
{
    uint64_t spare = spare_find(1 << HUGE_PAGE_LOG2);
    uint64_t map = (uintptr_t)spare_map(spare) >> HUGE_PAGE_LOG2;
    if (map) {
        assert(!used[map]);
        used[map] = 1;
        used[map] = 0;
        spare_put((unsigned)(intptr_t)n & 1, spare);
    }
    return NULL;
}

int main(void)
{
    body *const bodies[] = {use, use, use};
    spare_put(0, spare_of(1));
    spare_put(1, spare_of(2));
    run_all(bodies, 3);
    return 0;
}
#endif
