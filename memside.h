/* memside.h - side blocks: what malloc gives to a thread that is inside the
 * allocator already, as memlib.c calls the system and a hook of that call
 * allocates. Locks may be held then and lists half linked, so such a block
 * comes from records, which need neither.
 *
 *   start                      payload
 *     | not used, if aligned | struct side |  usable                    |
 *     |<------ before ------------------->|                            |
 *     |<-------------------------- 1 << log2 bytes ------------------->|
 *
 * Freed blocks wait in a stack for each power of two, changed by
 * compare-and-swap by any thread; a head has a count beside the place, so that
 * a block that was taken and put back is noticed (ABA). What is not a side
 * block but freed inside such a call waits, too, in a list that is only pushed
 * to and taken whole.
 *
 * Heads stand in the page that a child of fork finds zeroed: it is copied page
 * by page, so that a head may not match the blocks. What they led to is lost to
 * the child. */
#ifndef MEMSIDE_H
#define MEMSIDE_H

#include "count.h"
#include "memlib.h"

#define SIDE_LOG2_MIN 6 /* bytes: records' unit */
#define SIDE_LOG2_MAX 36
#define SIDE_LIVE 0x51deb10cu

struct side {
    _Atomic uint32_t is; /* SIDE_LIVE, or it is none */
    uint32_t log2;
    uint64_t before;
};

/* Of a freed one: where its payload was, or would be. */
struct side_free {
    struct side unused;
    _Atomic uint32_t next; /* place + 1; 0: none */
};

struct sides {
    _Atomic uint64_t heads[SIDE_LOG2_MAX + 1]; /* count << 32 | place + 1 */
    void *_Atomic later; /* each block's first word leads to the next */
};

static inline struct side_free *side_at(uint32_t place)
{
    return (void *)(mem_range.records + ((size_t)place << SIDE_LOG2_MIN));
}

static inline uint32_t side_place(const void *start)
{
    size_t at = (size_t)((const char *)start - mem_range.records);
    return (uint32_t)(at >> SIDE_LOG2_MIN);
}

/* Acquire, paired with the release in sides_push: the block's next, and what
 * its last owner did with the block. That the head is still the same, which the
 * count says, needs no order. A next read from a block that another thread has
 * taken meanwhile is of no consequence: the count has changed.
 * @return NULL: there is none */
static inline char *sides_pop(_Atomic uint64_t *head)
{
    uint64_t old, new;
    struct side_free *f;
    do {
        old = atomic_load_explicit(head, memory_order_acquire);
        if ((uint32_t)old == 0)
            return NULL;
        f = side_at((uint32_t)old - 1);
        new = ((old >> 32) + 1) << 32 |
              atomic_load_explicit(&f->next, memory_order_relaxed);
        count_rmw();
    } while (!atomic_compare_exchange_weak_explicit(
        head, &old, new, memory_order_relaxed, memory_order_relaxed));
    return (char *)f;
}

static inline void sides_push(_Atomic uint64_t *head, char *start)
{
    struct side_free *f = (void *)start;
    uint64_t old = atomic_load_explicit(head, memory_order_relaxed), new;
    do {
        atomic_store_explicit(&f->next, (uint32_t)old, memory_order_relaxed);
        new = ((old >> 32) + 1) << 32 | (side_place(start) + 1);
        count_rmw();
    } while (!atomic_compare_exchange_weak_explicit(
        head, &old, new, memory_order_release, memory_order_relaxed));
}

/* The least log2 of a block for this request; SIDE_LOG2_MAX + 1: too large */
static inline unsigned side_log2(size_t align, size_t size)
{
    size_t most = (size_t)1 << SIDE_LOG2_MAX;
    unsigned log2 = SIDE_LOG2_MIN;
    if (size > most / 4 || align > most / 4)
        return SIDE_LOG2_MAX + 1;
    size += sizeof(struct side) + (align > sizeof(struct side) ? align : 0);
    while ((size_t)1 << log2 < size)
        log2++;
    return log2;
}

/* The block's payload, from now on live. @pre align is a power of two */
static inline void *side_make(char *start, unsigned log2, size_t align)
{
    uintptr_t least = (uintptr_t)start + sizeof(struct side);
    size_t skip = align > sizeof(struct side) ? -least & (align - 1) : 0;
    char *p = start + sizeof(struct side) + skip;
    struct side *s = (struct side *)(void *)p - 1;
    s->log2 = log2;
    s->before = (uint64_t)(p - start);
    atomic_store_explicit(&s->is, SIDE_LIVE, memory_order_relaxed);
    return p;
}

/* Of the live side block at p; NULL: none is. @param end  of all records */
static inline struct side *side_of(const void *p, size_t end)
{
    size_t at = (uintptr_t)p - (uintptr_t)mem_range.records;
    if (at % sizeof(struct side) || at < sizeof(struct side) || at >= end)
        return NULL;
    struct side *s = (struct side *)p - 1;
    bool live = atomic_load_explicit(&s->is, memory_order_relaxed) == SIDE_LIVE;
    return live ? s : NULL;
}

/* @return false: another thread was faster */
static inline bool side_kill(struct side *s)
{
    uint32_t is = SIDE_LIVE;
    count_rmw();
    return atomic_compare_exchange_strong_explicit(
        &s->is, &is, 0, memory_order_relaxed, memory_order_relaxed);
}

/* p, freed inside a call, waits. Release, paired with the acquire of the thread
 * that takes all: p is the caller's no more. */
static inline void later_push(struct sides *sides, void *p)
{
    void *old = atomic_load_explicit(&sides->later, memory_order_relaxed);
    do {
        *(void **)p = old;
        count_rmw();
    } while (!atomic_compare_exchange_weak_explicit(
        &sides->later, &old, p, memory_order_release, memory_order_relaxed));
}

#endif
