/* huge.h - blocks of more than HUGE_OVER bytes: each is a mapping of its own.
 *
 *   address ─► top[address / 16 GiB] ─► node[address / 4 MiB % 4096] ─► word
 *
 *   word   | freed | pages of the block | its first page, counted in the slot |
 *            1 bit   53 bits; 0 if freed  10 bits; word 0: no block began here
 *
 * Such a block grows by mremap, which moves page tables and no byte, and goes
 * back to the system as soon as it is freed. A pointer outside the heap's range
 * is one of these, or wild: the table tells which. No block is shorter than a
 * slot of 4 MiB, so at most one begins in each. (A design that maps smaller
 * blocks has smaller slots, and more nodes on the way: designs/large.h.)
 *
 * There is no lock. A thread that takes the word out owns the block: of two
 * frees of one block only one finds it. A word that says that its block was
 * freed stays until the next block begins in the slot, so that a second free is
 * found out. So all of this may be done in a signal handler, and a thread that
 * is killed, or missing in a child of fork, costs what it was about to map or
 * unmap. Nodes are mapped, not records: fork copies no page while anything is
 * mapped, so what the child's table leads to is there.
 *
 * Spares. A program that frees and allocates such blocks in turn would pay for
 * a system call and all page faults each time. So the last few freed blocks
 * leave a ghost: their size. A request that fits a ghost shows that keeping the
 * block would have paid; only as long as such requests come are freed blocks
 * kept, SPARES of them and SPARES_MOST bytes; one that fits nothing drops one.
 *
 * Invariants (huge_check)
 *   U1 a word's block begins in the slot of the word, has HUGE_LEAST bytes or
 *      more, and ends before the next block begins
 *   U2 bytes == all that the words say */
#ifndef MM_HUGE_H
#define MM_HUGE_H

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
#define SPARES 4                       /* that are kept */
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

#define CREDIT_MOST 8 /* requests that fit nothing, until none is kept */

static struct {
    _Atomic uint64_t top[TOP_SLOTS]; /* addresses of nodes */
    _Atomic size_t bytes, blocks;
    _Atomic uint64_t spares[SPARES]; /* first page << 16 | pages; page 0: a
                                        ghost; 0: nothing */
    _Atomic unsigned oldest;         /* the spare that is replaced next */
    _Atomic unsigned credit;         /* 0: keep nothing */
} huge;

/* ---- the table ------------------------------------------------------- */

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
 * *level is 0; or where a node is missing, so many levels above it */
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

/* ---- spares ---------------------------------------------------------- */

static inline void *huge_map(size_t bytes, size_t align)
{
    void *p = mem_map(bytes, align);
    if (p)
        HUGE_MAPPED(bytes);
    return p;
}

static inline void huge_unmap(void *p, size_t bytes)
{
    HUGE_MAPPED(-bytes);
    mem_unmap(p, bytes);
}

#define SPARE_PAGES ((uint64_t)0xffff)

_Static_assert(SPARE_MOST >> HUGE_PAGE_LOG2 <= SPARE_PAGES, "16 bits");

static inline size_t spare_bytes(uint64_t spare)
{
    return (size_t)(spare & SPARE_PAGES) << HUGE_PAGE_LOG2;
}

/* @return its mapping; NULL: a ghost, or nothing */
static inline void *spare_map(uint64_t spare)
{
    return (void *)(uintptr_t)(spare >> 16 << HUGE_PAGE_LOG2);
}

static inline size_t spare_unmap(uint64_t spare)
{
    if (!spare_map(spare))
        return 0;
    huge_unmap(spare_map(spare), spare_bytes(spare));
    return spare_bytes(spare);
}

static inline unsigned credit_get(void)
{
    return atomic_load_explicit(&huge.credit, memory_order_relaxed);
}

/* Two threads may lose a count to each other: it is a hint. */
static inline void credit_set(unsigned credit)
{
    count_shared();
    atomic_store_explicit(&huge.credit, credit, memory_order_relaxed);
}

static inline unsigned spare_turn(void)
{
    count_rmw();
    return atomic_fetch_add_explicit(&huge.oldest, 1, memory_order_relaxed) %
           SPARES;
}

/* Put spare there; what was there goes back to the system. Release and acquire
 * are partners, here and in spare_find: the last owner's work is done.
 * @return bytes that went */
static inline size_t spare_put(unsigned i, uint64_t spare)
{
    count_rmw();
    return spare_unmap(
        atomic_exchange_explicit(&huge.spares[i], spare, memory_order_acq_rel));
}

/* Take a spare or a ghost of these bytes or little more. 0: there is none */
static inline uint64_t spare_find(size_t bytes)
{
    for (unsigned i = 0; i < SPARES; i++) {
        uint64_t spare =
            atomic_load_explicit(&huge.spares[i], memory_order_relaxed);
        size_t has = spare_bytes(spare);
        if (has < bytes || has - bytes > bytes / 8)
            continue;
        count_rmw();
        if (atomic_compare_exchange_strong_explicit(&huge.spares[i], &spare, 0,
                                                    memory_order_acquire,
                                                    memory_order_relaxed))
            return spare;
    }
    return 0;
}

/* A request fits no spare: one goes; in the end, all. */
static inline void spare_miss(void)
{
    unsigned credit = credit_get();
    if (!credit)
        return;
    credit_set(credit - 1);
    for (unsigned i = 0; i < SPARES; i++)
        if (spare_put(i, 0) && credit > 1)
            return;
}

/* A request of these bytes comes. @return a spare that serves it, or 0 */
static inline uint64_t spare_ask(size_t bytes)
{
    uint64_t spare = bytes <= SPARE_MOST ? spare_find(bytes) : 0;
    if (spare)
        credit_set(CREDIT_MOST);
    else
        spare_miss();
    return spare_map(spare) ? spare : 0;
}

/* Bytes that are kept at this moment; others may change that. */
static inline size_t spares_bytes(void)
{
    size_t sum = 0;
    for (unsigned i = 0; i < SPARES; i++) {
        uint64_t spare =
            atomic_load_explicit(&huge.spares[i], memory_order_relaxed);
        sum += spare_map(spare) ? spare_bytes(spare) : 0;
    }
    return sum;
}

/* p, freed, is kept or goes. */
static inline void spare_offer(void *p, size_t bytes)
{
    uint64_t pages = bytes >> HUGE_PAGE_LOG2;
    uint64_t page = (uintptr_t)p >> HUGE_PAGE_LOG2;
    bool keep = credit_get() && bytes <= SPARE_MOST &&
                bytes + spares_bytes() <= SPARES_MOST;
    if (!keep)
        huge_unmap(p, bytes);
    if (bytes <= SPARE_MOST)
        spare_put(spare_turn(), keep ? page << 16 | pages : pages);
}

/** Give all spares back to the system. @return bytes */
static inline size_t huge_trim(void)
{
    size_t given = 0;
    for (unsigned i = 0; i < SPARES; i++)
        given += spare_put(i, 0);
    return given;
}

/* ---- blocks ---------------------------------------------------------- */

static inline size_t huge_exact(size_t size)
{
    return round_up(max_size(size, HUGE_LEAST), mem_pagesize());
}

static inline size_t huge_bytes(size_t size)
{
    return round_up(huge_exact(size), mem_block_unit(size));
}

/* Does p lie where the heap may grow to? Then it would look like a block of the
 * heap. */
static inline bool in_window(const void *p)
{
    return (size_t)((const char *)p - mem_range.base) < mem_range.size;
}

/** A block of zeros. @return NULL, errno == ENOMEM
 * @pre align is a power of two */
static cold_noinline void *huge_calloc(size_t align, size_t size)
{
    if (size > MAX_REQUEST || align > MAX_REQUEST)
        return no_memory();
    size_t bytes = huge_bytes(size);
    void *p = huge_map(bytes, align);
    if (!p && (huge_trim() || huge_exact(size) < bytes))
        p = huge_map(bytes = huge_exact(size), align);
    if (!p)
        return NULL;
    if (in_window(p) || !word_make(p)) {
        huge_unmap(p, bytes);
        return no_memory();
    }
    mem_will_be(false, p, bytes); /* calloc's may be touched here and there */
    word_put(p, bytes);
    return p;
}

/* A block that is a spare, if one fits. @return NULL: none */
static cold_noinline void *huge_spare(size_t align, size_t size)
{
    uint64_t spare = 0;
    if (align <= mem_pagesize() && size <= MAX_REQUEST)
        spare = spare_ask(huge_bytes(size));
    if (!spare)
        return NULL;
    word_put(spare_map(spare), spare_bytes(spare));
    return spare_map(spare);
}

/** A block of anything. @return NULL, errno == ENOMEM
 * @pre align is a power of two */
static inline void *huge_malloc(size_t align, size_t size)
{
    void *p = huge_spare(align, size);
    if (!p && (p = huge_calloc(align, size)))
        mem_will_be(true, p, huge_usable(p));
    return p;
}

/** There was no memory for a mapping: may the heap have room all the same? What
 * was freed there stays mapped, under a limit of addresses too. */
static inline bool heap_may_hold(size_t size)
{
    return size < (size_t)((char *)mem_brk() - mem_range.base);
}

/** @return false: no block begins at p. errno is kept */
static inline bool huge_free(void *p)
{
    size_t bytes = word_take(p);
    if (bytes)
        spare_offer(p, bytes);
    return bytes != 0;
}

/* A node for a block that mremap has moved is missing, and a mapping for it is
 * refused: take what is left for records. */
static cold_noinline void word_force(const void *p)
{
    unsigned level;
    for (;;) {
        _Atomic uint64_t *at = walk_down(slot_of(p), &level);
        if (level == 0)
            return;
        struct huge_node *n = mem_record(sizeof *n);
        if (!n)
            mm_die("no memory left to note where a block moved", p);
        child_put(at, n);
    }
}

/** Resize the block at p to size bytes, or HUGE_LEAST if that is more. No byte
 * is copied. @return where it is now; NULL, errno == ENOMEM: it stays as it was
 * @pre huge_usable(p), size <= MAX_REQUEST */
static cold_noinline void *huge_resize(void *p, size_t size)
{
    size_t bytes = huge_bytes(size), before = huge_usable(p);
    if (bytes == before)
        return p;
    if (!word_take(p))
        mm_die("realloc of a block that another thread frees", p);
    void *q = mem_remap(p, before, bytes);
    if (!q && (huge_trim() || huge_exact(size) < bytes))
        q = mem_remap(p, before, bytes = huge_exact(size));
    if (!q) {
        word_put(p, before);
        return no_memory();
    }
    HUGE_MAPPED(bytes - before);
    mem_will_be(true, q, bytes);
    if (!word_make(q))
        word_force(q);
    word_put(q, bytes);
    return q;
}

/* What p held is in a mapping of its own now, and p, in the heap, is freed
 * next. A buffer that grows leaves such a hole once: its pages go back at once,
 * which costs less than the copy did; but not where blocks come and go so fast
 * that spares are kept. The heap still counts the pages as dirty. */
static inline void huge_moved(void *p, size_t usable)
{
    if (!credit_get())
        mem_give_back(p, usable);
}

/* ---- all of them ----------------------------------------------------- */

/** Bytes of blocks in use. */
static inline size_t huge_used(void)
{
    return atomic_load_explicit(&huge.bytes, memory_order_relaxed);
}

/** How many these are. */
static inline size_t huge_blocks(void)
{
    return atomic_load_explicit(&huge.blocks, memory_order_relaxed);
}

/* The last slot up to this one in which a block begins; SIZE_MAX: none. */
static inline size_t slot_below(size_t slot)
{
    unsigned level;
    for (slot = min_size(slot, (TOP_SLOTS << (NODES * NODE_LOG2)) - 1) + 1;
         slot-- > 0;) {
        _Atomic uint64_t *at = walk_down(slot, &level);
        if (level == 0 && word_in_use(at))
            return slot;
        slot = round_down(slot, (size_t)1 << (level * NODE_LOG2));
    }
    return SIZE_MAX;
}

/* The block of a slot, if there is one. @return its bytes */
static inline size_t slot_block(size_t slot, uintptr_t *start)
{
    _Atomic uint64_t *at = word_at((void *)(slot << SLOT_LOG2));
    uint64_t word = word_in_use(at);
    uint64_t page = word & (((uint64_t)1 << SLOT_PAGES_LOG2) - 1);
    *start = (slot << SLOT_LOG2) + (page << HUGE_PAGE_LOG2);
    return word_bytes(word);
}

static inline bool block_covers(size_t slot, uintptr_t p, size_t size)
{
    uintptr_t start;
    size_t bytes = slot_block(slot, &start), at = p - start;
    return at < bytes && size <= bytes - at;
}

/** Is [p, p + size) inside one block? A block may begin in the slot of p, but
 * after it; then the one before counts. */
static inline bool huge_contains(const void *address, size_t size)
{
    uintptr_t p = (uintptr_t)address;
    size_t slot = slot_below(slot_of(address));
    if (slot == SIZE_MAX)
        return false;
    if (block_covers(slot, p, size))
        return true;
    slot = slot == slot_of(address) && slot ? slot_below(slot - 1) : SIZE_MAX;
    return slot != SIZE_MAX && block_covers(slot, p, size);
}

/** Count what is broken. @pre quiescent */
static cold_noinline size_t huge_check(void)
{
    size_t bad = 0, sum = 0;
    uintptr_t above = UINTPTR_MAX, start;
    for (size_t slot = slot_below(SIZE_MAX - 1); slot != SIZE_MAX;
         slot = slot ? slot_below(slot - 1) : SIZE_MAX) {
        size_t bytes = slot_block(slot, &start);
        bad += broken(bytes < HUGE_LEAST || above - start < bytes,
                      "U1 a block is huge, and ends before the next",
                      (void *)start, "its bytes are", bytes);
        above = start;
        sum += bytes;
    }
    return bad + broken(sum != huge_used(), "U2 bytes are counted", &huge.bytes,
                        "the count says", huge_used());
}

static inline void nodes_unmap(_Atomic uint64_t *at, size_t n, unsigned level)
{
    for (size_t i = 0; level > 0 && i < n; i++) {
        struct huge_node *node = child_at(&at[i]);
        if (!node)
            continue;
        nodes_unmap(node->words, NODE_SLOTS, level - 1);
        mem_unmap(node, sizeof *node);
        atomic_store_explicit(&at[i], 0, memory_order_relaxed);
    }
}

/** Unmap all. @pre quiescent; no block is used any more */
static cold_noinline void huge_fini(void)
{
    huge_trim();
    for (size_t slot; (slot = slot_below(SIZE_MAX - 1)) != SIZE_MAX;) {
        uintptr_t start;
        size_t bytes = slot_block(slot, &start);
        word_take((void *)start);
        huge_unmap((void *)start, bytes);
    }
    nodes_unmap(huge.top, TOP_SLOTS, NODES);
    credit_set(0);
}

#endif
