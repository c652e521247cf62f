/* shadow.c - see shadow.h. */
#include "driver/check/shadow.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define ADDRESS_BITS 48
#define LEAF_BITS 26
#define PAGE_BITS 12
#define GRANULE_BITS 3
#define ROOT_SIZE ((size_t)1 << (ADDRESS_BITS - LEAF_BITS))
#define LEAF_PAGES ((size_t)1 << (LEAF_BITS - PAGE_BITS))
#define PAGE_GRANULES ((size_t)1 << (PAGE_BITS - GRANULE_BITS))
#define FIND_ROUNDS 1000 /* scans for a clashing key before giving it up */

static_assert(SHADOW_GRANULE == (size_t)1 << GRANULE_BITS, "one size");

struct leaf {
    struct leaf *next; /* of all leaves */
    _Atomic int32_t page[LEAF_PAGES];
    _Atomic uint32_t granule[LEAF_PAGES][PAGE_GRANULES];
};

struct shadow {
    _Atomic(struct leaf *) leaves; /* all, so that freeing need not search */
    _Atomic(struct leaf *) root[ROOT_SIZE];
};

/* The part of a block that lies in one page: granules [from, to). */
struct part {
    _Atomic int32_t *page;
    _Atomic uint32_t *granule;
    size_t from, to;
};

/* Lazily backed zeros: driver_mem would be right but for MAP_NORESERVE, without
 * which a machine that forbids overcommit could not hold the map. */
static void *reserve(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        fprintf(stderr,
                "mdriver: no %zu bytes of address space for the shadow map; "
                "raise `ulimit -v` or check less with -d 0\n",
                size);
        exit(3);
    }
    return p;
}

struct shadow *shadow_new(void)
{
    return reserve(sizeof(struct shadow));
}

void shadow_free(struct shadow *s)
{
    if (!s)
        return;
    struct leaf *leaf = atomic_load_explicit(&s->leaves, memory_order_acquire);
    while (leaf) {
        struct leaf *next = leaf->next;
        munmap(leaf, sizeof *leaf);
        leaf = next;
    }
    munmap(s, sizeof *s);
}

static void remember(struct shadow *s, struct leaf *leaf)
{
    leaf->next = atomic_load_explicit(&s->leaves, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(
        &s->leaves, &leaf->next, leaf,
        memory_order_release, /* pairs with the acquire in shadow_free */
        memory_order_relaxed))
        ;
}

/* The leaf of an address; made by the thread that needs it first. */
static struct leaf *leaf_of(struct shadow *s, uintptr_t at)
{
    _Atomic(struct leaf *) *slot = &s->root[at >> LEAF_BITS];
    struct leaf *leaf = atomic_load_explicit(
        slot, memory_order_acquire); /* pairs with the release below */
    if (leaf)
        return leaf;
    struct leaf *made = reserve(sizeof *made);
    if (!atomic_compare_exchange_strong_explicit(
            slot, &leaf, made, memory_order_release, memory_order_acquire)) {
        munmap(made, sizeof *made);
        return leaf;
    }
    remember(s, made);
    return made;
}

/* The part of [at, end) in the page of at. */
static struct part part_at(struct shadow *s, uintptr_t at, uintptr_t end)
{
    struct leaf *leaf = leaf_of(s, at);
    size_t page = (at >> PAGE_BITS) % LEAF_PAGES;
    uintptr_t next = ((at >> PAGE_BITS) + 1) << PAGE_BITS;
    uintptr_t last = (end < next ? end : next) - 1;
    return (struct part){.page = &leaf->page[page],
                         .granule = leaf->granule[page],
                         .from = (at >> GRANULE_BITS) % PAGE_GRANULES,
                         .to = (last >> GRANULE_BITS) % PAGE_GRANULES + 1};
}

static bool part_is_page(const struct part *t)
{
    return t->to - t->from == PAGE_GRANULES;
}

/* Some block has a part of the page: which? 0 if it went meanwhile. Between
 * its page word and its granules a claim may be on its way: look again. */
static uint32_t part_find(const struct part *t)
{
    for (int i = 0; i < FIND_ROUNDS; i++)
        for (size_t g = t->from; g < t->to; g++) {
            uint32_t key = atomic_load_explicit(
                &t->granule[g],
                memory_order_acquire); /* pairs with granules_claim */
            if (key)
                return key;
        }
    return 0;
}

static bool page_claim(const struct part *t, uint32_t key, uint32_t *clash)
{
    int32_t word = 0;
    if (atomic_compare_exchange_strong_explicit(
            t->page, &word, (int32_t)key,
            memory_order_release,  /* what key stands for is written */
            memory_order_acquire)) /* and a thread that clashes may read it */
        return true;
    *clash = word > 0 ? (uint32_t)word : part_find(t);
    return false;
}

static void granules_release(const struct part *t, size_t to)
{
    for (size_t g = t->from; g < to; g++)
        atomic_store_explicit(&t->granule[g], 0, memory_order_relaxed);
    atomic_fetch_add_explicit(t->page, 1, memory_order_release); /* S2 */
}

static bool granules_claim(const struct part *t, uint32_t key, uint32_t *clash)
{
    int32_t word = atomic_load_explicit(t->page, memory_order_acquire);
    do {
        if (word > 0) {
            *clash = (uint32_t)word;
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(
        t->page, &word, word - 1, memory_order_release, memory_order_acquire));
    for (size_t g = t->from; g < t->to; g++) {
        uint32_t other = 0;
        if (!atomic_compare_exchange_strong_explicit(
                &t->granule[g], &other, key, memory_order_release,
                memory_order_acquire)) { /* as in page_claim */
            *clash = other;
            granules_release(t, g);
            return false;
        }
    }
    return true;
}

bool shadow_covers(const void *p, size_t size)
{
    uintptr_t at = (uintptr_t)p, top = (uintptr_t)1 << ADDRESS_BITS;
    return at != 0 && at < top && size < top - at;
}

static void release_range(struct shadow *s, uintptr_t at, uintptr_t end)
{
    while (at < end) {
        struct part t = part_at(s, at, end);
        if (part_is_page(&t))
            atomic_store_explicit(t.page, 0, memory_order_relaxed);
        else
            granules_release(&t, t.to);
        at = ((at >> PAGE_BITS) + 1) << PAGE_BITS;
    }
}

bool shadow_claim(struct shadow *s, const void *p, size_t size, uint32_t key,
                  uint32_t *clash)
{
    uintptr_t start = (uintptr_t)p, end = start + (size ? size : 1);
    for (uintptr_t at = start; at < end;) {
        struct part t = part_at(s, at, end);
        if (!(part_is_page(&t) ? page_claim(&t, key, clash)
                               : granules_claim(&t, key, clash))) {
            release_range(s, start, at);
            return false;
        }
        at = ((at >> PAGE_BITS) + 1) << PAGE_BITS;
    }
    return true;
}

void shadow_release(struct shadow *s, const void *p, size_t size)
{
    release_range(s, (uintptr_t)p, (uintptr_t)p + (size ? size : 1));
}

uint32_t shadow_owner(struct shadow *s, const void *p)
{
    struct part t = part_at(s, (uintptr_t)p, (uintptr_t)p + 1);
    int32_t word = atomic_load_explicit(t.page, memory_order_acquire);
    return word > 0
               ? (uint32_t)word
               : atomic_load_explicit(&t.granule[t.from], memory_order_acquire);
}
