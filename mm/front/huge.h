/* huge.h - blocks of more than HUGE_OVER bytes: each is a mapping of its own.
 *
 *   malloc ─► a spare, made as long as is asked for ─► a new mapping
 *   free   ─► kept as a spare, if that has paid lately ─► back to the system
 *
 * Such a block grows by mremap, which moves page tables and no byte. A table
 * says where one begins (huge_table.h).
 *
 * Spares. A program that frees and allocates such blocks in turn would pay for
 * a system call and all page faults each time. So the last few freed blocks
 * leave a ghost: their size. A request that a ghost could have served shows
 * that keeping the block would have paid; only as long as such requests come
 * are freed blocks kept, SPARES of them and SPARES_MOST bytes; a request that
 * none of these fits drops one. A spare serves any request of up to twice its
 * size: mremap makes it as long as is asked for, and only what it lacks is
 * faulted. */
#ifndef MM_FRONT_HUGE_H
#define MM_FRONT_HUGE_H

#include "mm/front/huge_table.h"

#define CREDIT_MOST 8 /* requests that fit nothing, until none is kept */

static struct {
    _Atomic uint64_t at[SPARES]; /* first page << 16 | pages; page 0: a ghost;
                                    0: nothing */
    _Atomic unsigned oldest;     /* the spare that is replaced next */
    _Atomic unsigned credit;     /* 0: keep nothing */
} spares;

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
    return atomic_load_explicit(&spares.credit, memory_order_relaxed);
}

/* Two threads may lose a count to each other: it is a hint. */
static inline void credit_set(unsigned credit)
{
    count_shared();
    atomic_store_explicit(&spares.credit, credit, memory_order_relaxed);
}

static inline unsigned spare_turn(void)
{
    count_rmw();
    return atomic_fetch_add_explicit(&spares.oldest, 1, memory_order_relaxed) %
           SPARES;
}

static inline uint64_t spare_get(unsigned i)
{
    return atomic_load_explicit(&spares.at[i], memory_order_relaxed);
}

/* Where the next one goes: in turn, but where no block is kept, if there is
 * such a place. */
static inline unsigned spare_place(void)
{
    unsigned turn = spare_turn();
    for (unsigned n = 0; n < SPARES; n++)
        if (!spare_map(spare_get((turn + n) % SPARES)))
            return (turn + n) % SPARES;
    return turn;
}

/* Put spare there; what was there goes back to the system. Release and acquire
 * are partners, here and in spare_find: the last owner's work is done.
 * @return bytes that went */
static inline size_t spare_put(unsigned i, uint64_t spare)
{
    count_rmw();
    return spare_unmap(
        atomic_exchange_explicit(&spares.at[i], spare, memory_order_acq_rel));
}

/* Bytes that are kept at this moment; others may change that. */
static inline size_t spares_bytes(void)
{
    size_t sum = 0;
    for (unsigned i = 0; i < SPARES; i++) {
        uint64_t spare = spare_get(i);
        sum += spare_map(spare) ? spare_bytes(spare) : 0;
    }
    return sum;
}

/* How far a spare of `has` bytes is from serving a request; SIZE_MAX: too
 * far. One that is half as large has half of the pages; of one that is larger
 * none is lost that will be missed soon. */
static inline size_t spare_misfit(size_t has, size_t bytes)
{
    if (has < bytes / 2 || !has)
        return SIZE_MAX;
    return has < bytes ? bytes - has : has - bytes;
}

/* The spare or ghost that fits these bytes best; SPARES: none does. */
static inline unsigned spare_best(size_t bytes, uint64_t *spare)
{
    unsigned best = SPARES;
    size_t least = SIZE_MAX;
    for (unsigned i = 0; i < SPARES; i++) {
        uint64_t s = spare_get(i);
        size_t misfit = spare_misfit(spare_bytes(s), bytes);
        if (misfit < least) {
            least = misfit;
            best = i;
            *spare = s;
        }
    }
    return best;
}

/* Take a spare or a ghost that serves these bytes. 0: there is none */
static inline uint64_t spare_find(size_t bytes)
{
    uint64_t spare;
    for (;;) {
        unsigned i = spare_best(bytes, &spare);
        if (i == SPARES)
            return 0;
        count_rmw();
        if (atomic_compare_exchange_strong_explicit(&spares.at[i], &spare, 0,
                                                    memory_order_acquire,
                                                    memory_order_relaxed))
            return spare;
    }
}

/* A request fits no spare: one goes; in the end, all. Where none is kept, as
 * those that were are in use, that says nothing. */
static inline void spare_miss(void)
{
    unsigned credit = credit_get();
    for (unsigned i = 0; i < SPARES && credit; i++)
        if (spare_map(spare_get(i))) {
            credit_set(credit - 1);
            spare_put(i, 0);
            if (credit > 1)
                return;
        }
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
        spare_put(spare_place(), keep ? page << 16 | pages : pages);
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

/* Can p, a new place of a mapping, be the start of a block? Else the mapping
 * goes back. */
static inline bool huge_place(void *p, size_t bytes)
{
    if (!in_window(p) && word_make(p))
        return true;
    huge_unmap(p, bytes);
    return false;
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
    if (!huge_place(p, bytes))
        return no_memory();
    mem_will_be(false, p, bytes, 0); /* it may be touched here and there */
    word_put(p, bytes);
    return p;
}

/* Huge pages are asked for where one, mostly untouched, is little beside the
 * rest (mem_will_be): beside all huge blocks, in a program whose blocks come
 * and go, as it fills one after the other; beside this block only, in one that
 * makes many and keeps them, as it may touch no more than the first page of
 * each. */
static inline void huge_will_be_written(void *p, size_t bytes)
{
    mem_will_be(true, p, bytes, credit_get() ? huge_used() + bytes : bytes);
}

/* Make a spare, which is the caller's, a mapping of these bytes, if it is not
 * near enough. Its pages move with it: that costs less than to fault them.
 * @return where it is now; NULL: it went back to the system */
static inline void *spare_fit(uint64_t spare, size_t *bytes)
{
    size_t has = spare_bytes(spare);
    if (has >= *bytes && has - *bytes <= *bytes / 8) {
        *bytes = has;
        return spare_map(spare);
    }
    void *p = mem_remap(spare_map(spare), has, *bytes);
    if (!p) {
        spare_unmap(spare);
        return NULL;
    }
    HUGE_MAPPED(*bytes - has);
    if (!huge_place(p, *bytes))
        return NULL;
    huge_will_be_written(p, *bytes);
    return p;
}

/* A block that is a spare, if one fits. @return NULL: none */
static cold_noinline void *huge_spare(size_t align, size_t size)
{
    if (align > mem_pagesize() || size > MAX_REQUEST)
        return NULL;
    size_t bytes = huge_bytes(size);
    uint64_t spare = spare_ask(bytes);
    void *p = spare ? spare_fit(spare, &bytes) : NULL;
    if (p)
        word_put(p, bytes);
    return p;
}

/** A block of anything. @return NULL, errno == ENOMEM
 * @pre align is a power of two */
static inline void *huge_malloc(size_t align, size_t size)
{
    void *p = huge_spare(align, size);
    if (!p && (p = huge_calloc(align, size)))
        huge_will_be_written(p, huge_usable(p));
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
    mem_will_be(true, q, bytes, bytes);
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

/** Is it in the heap, or inside one block? */
static inline bool heap_or_huge_contains(const void *p, size_t size)
{
    return mem_contains(p, size) || huge_contains(p, size);
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
