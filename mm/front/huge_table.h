/* huge_table.h - where blocks of more than HUGE_OVER bytes begin: each is a
 * mapping of its own (huge.h).
 *
 *   address ─► top[address / 16 GiB] ─► node[address / 4 MiB % 4096] ─► word
 *
 *   word   | freed | pages of the block | its first page, counted in the slot |
 *            1 bit   53 bits; 0 if freed  10 bits; word 0: no block began here
 *
 * A pointer outside the heap's range is one of these, or wild: the table tells
 * which. No block is shorter than a slot of 4 MiB, so at most one begins in
 * each. (A design that maps smaller blocks has smaller slots, and more nodes on
 * the way: designs/large.h.)
 *
 * There is no lock. A thread that takes the word out owns the block: of two
 * frees of one block only one finds it. A word that says that its block was
 * freed stays until the next block begins in the slot, so that a second free is
 * found out. So all of this may be done in a signal handler, and a thread that
 * is killed, or missing in a child of fork, costs what it was about to map or
 * unmap. Nodes are mapped, not records: fork copies no page while anything is
 * mapped, so what the child's table leads to is there.
 *
 * Invariants (huge_check)
 *   U1 a word's block begins in the slot of the word, has HUGE_LEAST bytes or
 *      more, and ends before the next block begins
 *   U2 bytes == all that the words say */
#ifndef MM_FRONT_HUGE_TABLE_H
#define MM_FRONT_HUGE_TABLE_H

#include "config.h"
#include "count.h"
#include "memlib.h"
#include "mm/util.h"

#include <stdatomic.h>

/* What the file that includes this one may choose. */
#ifndef SLOT_LOG2
#define SLOT_LOG2 22                   /* bytes of a slot */
#define NODES 1                        /* from top to a word */
#define NODE_LOG2 12                   /* words of a node */
#define HUGE_LEAST (HUGE_OVER + 1)     /* bytes of the smallest block */
#define SPARES 16                      /* that are kept */
#define HUGE_MAPPED(more) (void)(more) /* bytes were mapped; -n: n unmapped */
#endif

#define HUGE_PAGE_LOG2 12 /* the unit of words: the smallest system's page */
#define SLOT_PAGES_LOG2 (SLOT_LOG2 - HUGE_PAGE_LOG2)
#define NODE_SLOTS ((size_t)1 << NODE_LOG2)
#define ADDRESS_LOG2 48
#define TOP_SLOTS ((size_t)1 << (ADDRESS_LOG2 - SLOT_LOG2 - NODES * NODE_LOG2))

_Static_assert(HUGE_LEAST >= (size_t)1 << SLOT_LOG2 ||
                   SLOT_LOG2 == HUGE_PAGE_LOG2,
               "one block in a slot");

/* Words of slots; or, further up, addresses of nodes. */
struct huge_node {
    _Atomic uint64_t words[NODE_SLOTS];
};

static struct {
    _Atomic uint64_t top[TOP_SLOTS]; /* addresses of nodes */
    _Atomic size_t bytes, blocks;
} huge;

/* ---- words ----------------------------------------------------------- */

#define WORD_FREED ((uint64_t)1 << 63)

static inline size_t word_bytes(uint64_t word)
{
    return (size_t)(word >> SLOT_PAGES_LOG2) << HUGE_PAGE_LOG2;
}

static inline uint64_t huge_word(const void *p, size_t bytes)
{
    uint64_t page = (uintptr_t)p >> HUGE_PAGE_LOG2;
    uint64_t in_slot = page & (((uint64_t)1 << SLOT_PAGES_LOG2) - 1);
    return (uint64_t)(bytes >> HUGE_PAGE_LOG2) << SLOT_PAGES_LOG2 | in_slot;
}

/* What a word says of a block in use; 0: there is none. */
static inline uint64_t word_in_use(const _Atomic uint64_t *at)
{
    uint64_t word = atomic_load_explicit(at, memory_order_relaxed);
    return word & WORD_FREED ? 0 : word;
}

/* The node that a word leads to, or NULL. Acquire, paired with the release in
 * child_put: the node is zero. */
static inline struct huge_node *child_at(_Atomic uint64_t *at)
{
    return (struct huge_node *)(uintptr_t)atomic_load_explicit(
        at, memory_order_acquire);
}

static inline size_t slot_of(const void *p)
{
    return (uintptr_t)p >> SLOT_LOG2;
}

/* One node down from at: the slot's entry, `level` nodes above its word; at
 * level 0 it is the word. @pre the nodes before are there */
static inline _Atomic uint64_t *step_down(_Atomic uint64_t *at, size_t slot,
                                          unsigned level)
{
    return &child_at(at)->words[slot >> (level * NODE_LOG2) & (NODE_SLOTS - 1)];
}

/* Walk down to the slot's word as far as there are nodes. @return the word, and
 * *level is 0; or where a node is missing, that many levels above it */
static inline _Atomic uint64_t *walk_down(size_t slot, unsigned *level)
{
    _Atomic uint64_t *at = &huge.top[slot >> (NODES * NODE_LOG2)];
    for (*level = NODES; *level > 0 && child_at(at); --*level)
        at = step_down(at, slot, *level - 1);
    return at;
}

static inline bool has_slot(const void *p)
{
    return slot_of(p) < TOP_SLOTS << (NODES * NODE_LOG2);
}

/* The word of p's slot; NULL: there is none, and so no block. */
static inline _Atomic uint64_t *word_at(const void *p)
{
    unsigned level;
    if (!has_slot(p))
        return NULL;
    _Atomic uint64_t *at = walk_down(slot_of(p), &level);
    return level == 0 ? at : NULL;
}

/* Put a node where there is none. @return false: another thread was faster */
static inline bool child_put(_Atomic uint64_t *at, struct huge_node *n)
{
    uint64_t none = 0;
    count_rmw();
    return atomic_compare_exchange_strong_explicit(
        at, &none, (uintptr_t)n, memory_order_release, memory_order_relaxed);
}

/* Make sure that p has a word. @return false: no memory */
static inline bool word_make(const void *p)
{
    unsigned level;
    if (!has_slot(p))
        return false;
    for (;;) {
        _Atomic uint64_t *at = walk_down(slot_of(p), &level);
        if (level == 0)
            return true;
        struct huge_node *n = mem_map(sizeof *n, 1);
        if (!n)
            return false;
        if (!child_put(at, n))
            mem_unmap(n, sizeof *n);
    }
}

/* p, a mapping of bytes that nobody else knows, is a block from now on.
 * Relaxed: the thread that frees it was given p by other means. */
static inline void word_put(void *p, size_t bytes)
{
    count_rmw();
    atomic_fetch_add_explicit(&huge.bytes, bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&huge.blocks, 1, memory_order_relaxed);
    atomic_store_explicit(word_at(p), huge_word(p, bytes),
                          memory_order_relaxed);
}

/* @return bytes of the block that begins at p, which stays; 0: none does */
static inline size_t huge_usable(const void *p)
{
    _Atomic uint64_t *at = word_at(p);
    uint64_t word = at ? word_in_use(at) : 0;
    size_t bytes = word_bytes(word);
    return word && word == huge_word(p, bytes) &&
                   (uintptr_t)p % ((size_t)1 << HUGE_PAGE_LOG2) == 0
               ? bytes
               : 0;
}

/** Was p the last block that began in its slot, and is freed? */
static inline bool huge_freed(const void *p)
{
    const _Atomic uint64_t *at = word_at(p);
    return at && (uintptr_t)p % ((size_t)1 << HUGE_PAGE_LOG2) == 0 &&
           atomic_load_explicit(at, memory_order_relaxed) ==
               (WORD_FREED | huge_word(p, 0));
}

/* Take the block at p out: it is the caller's. @return its bytes; 0: none, or
 * another thread was faster */
static inline size_t word_take(const void *p)
{
    size_t bytes = huge_usable(p);
    uint64_t word = huge_word(p, bytes);
    if (!bytes)
        return 0;
    count_rmw();
    if (!atomic_compare_exchange_strong_explicit(
            word_at(p), &word, WORD_FREED | huge_word(p, 0),
            memory_order_relaxed, memory_order_relaxed))
        return 0;
    atomic_fetch_sub_explicit(&huge.bytes, bytes, memory_order_relaxed);
    atomic_fetch_sub_explicit(&huge.blocks, 1, memory_order_relaxed);
    return bytes;
}

/** Bytes of blocks in use. */
static inline size_t huge_used(void)
{
    return atomic_load_explicit(&huge.bytes, memory_order_relaxed);
}

#endif
