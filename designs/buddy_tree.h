/* buddy_tree.h - binary buddies without headers: one byte per unit says it all.
 *
 *   region: 4 GiB of addresses, aligned to its size, mapped from both starts
 *   on as blocks are needed
 *   | header | one byte per unit: 1/16 | 1/16 | 1/8  | 1/4   | 1/2          |
 *   base     |<------ metadata ------->|<-- blocks: all of it is payload -->|
 *
 *   the byte of a block's first unit (16 bytes)      of all its other units: 0
 *   | order 5 | state 3 |   state 1 free, 2 clean (free and zero), 4 used,
 *                                 5 and 6 used in part: that many eighths
 *
 *   order 8, used in part:  | 5/8 of 4 KiB         | 1/8| 1/4     |
 *                           ^ byte: 8, 5           ^ 5  ^ 6: free, or used
 *
 * A free block of order k has 16 << k bytes and starts at a multiple of that.
 * Its buddy differs from it in one address bit: metadata and buddy are found by
 * masking, and the tree of halves is in the bytes. Unless the forest is plain,
 * a used block may also be the first 5/8 or 3/4 of a power of two, and start
 * in the middle of one: what is around it is free in pieces that are powers of
 * two, so only malloc and free know the difference.
 *
 * A tree has a free list for each order and state, over all its regions, and a
 * bit for each list: finding a block is O(1), split and merge are O(log n).
 * Lists are nearly in order of address, so that blocks gather at low ones.
 * Links stand in the free block; from a page on, in its metadata, so that
 * clean pages stay untouched.
 *
 * Invariants (tree_check names what is broken)
 *   B1 the blocks of a region follow each other to its end, each aligned
 *   B2 a byte at which no block starts is 0, but for links of free blocks
 *   B3 no two buddies are both free or both clean
 *   B4 a block is in the list of its order and state, once, if it is free
 *   B5 held == bytes that are not clean; idle == bytes that are free, in
 *      blocks of a page and more
 *
 * Knows no thread: the caller owns the tree. Knowlton (1965), Knuth (1968);
 * sizes between the powers of two: Hinds (1975), Shen and Peterson (1974). */
#ifndef DESIGNS_BUDDY_TREE_H
#define DESIGNS_BUDDY_TREE_H

#include "memlib.h"
#include "mm/util.h"

#define UNIT_LOG2 4
#define UNIT ((size_t)1 << UNIT_LOG2)
#define ORDERS 28
#define PAGE_ORDER 8 /* from here on links are in the metadata: 4 KiB */
#define REGION_LOG2 (ORDERS + UNIT_LOG2)
#define NEAR 8  /* steps of a list in which a freed block's place is sought */
#define HOLES 4 /* free blocks behind which more free memory is sought */

enum state { INSIDE, FREE, CLEAN, USED = 4 /* 5, 6: eighths in use */ };

struct links {
    char *next, *prev;
};

struct tree {
    size_t held, idle;
    uint32_t has[CLEAN + 1]; /* bit k of has[s]: lists[s][k] is not empty */
    char *lists[CLEAN + 1][ORDERS];
};

/* Written before the first tree is. */
static struct {
    bool plain;           /* used blocks, too, are aligned powers of two */
    unsigned shift;       /* log2 of a region's bytes */
    uintptr_t mask;       /* a region's bytes - 1 */
    unsigned purge_order; /* of the system's pages; PAGE_ORDER at least */
} forest;

static inline size_t order_bytes(unsigned order)
{
    return UNIT << order;
}

static inline unsigned top_order(void) /* of half a region */
{
    return forest.shift - UNIT_LOG2 - 1;
}

/* The order of the largest block that may start at p. */
static inline unsigned order_at(const char *p)
{
    return (unsigned)__builtin_ctzl((uintptr_t)p) - UNIT_LOG2;
}

static inline bool is_before(const char *p, const char *q)
{
    return (uintptr_t)p < (uintptr_t)q; /* also of different regions */
}

/* ---- bytes ----------------------------------------------------------- */

static always_inline uint8_t *byte_of(const void *p)
{
    uintptr_t in = (uintptr_t)p & forest.mask;
    return (uint8_t *)((uintptr_t)p - in + (in >> UNIT_LOG2));
}

static always_inline uint8_t make_byte(unsigned order, unsigned state)
{
    return (uint8_t)(order << 3 | state);
}

static always_inline bool is_used(uint8_t byte)
{
    return byte & USED;
}

/* What a block's byte says of its size. */
static always_inline size_t byte_bytes(uint8_t byte)
{
    size_t eighths = (byte & USED) && (byte & 3) ? byte & 7 : 8;
    return (eighths << (byte >> 3) >> 3) << UNIT_LOG2;
}

/* The byte of a used block for a request. 7/8 are not used: the 1/8 that is
 * left keeps others from merging, which costs more than it saves. */
static always_inline uint8_t request_byte(size_t size)
{
    size_t units = size ? (size + UNIT - 1) / UNIT : 1;
    unsigned order = units > 1 ? log2_floor(units - 1) + 1 : 0;
    if (!forest.plain && units * 8 <= (size_t)5 << order && order >= 3)
        return make_byte(order, 5);
    if (!forest.plain && units * 8 <= (size_t)6 << order && order >= 2)
        return make_byte(order, 6);
    return make_byte(order, USED);
}

/* ---- lists ----------------------------------------------------------- */

static always_inline struct links *links_of(char *p, unsigned order)
{
    return (struct links *)(order < PAGE_ORDER ? p : (char *)byte_of(p) + UNIT);
}

static void list_insert(struct tree *t, char *p, unsigned order,
                        enum state state)
{
    char *prev = NULL, *next = t->lists[state][order];
    for (unsigned n = 0; next && is_before(next, p) && n < NEAR; n++) {
        prev = next;
        next = links_of(next, order)->next;
    }
    *links_of(p, order) = (struct links){next, prev};
    if (next)
        links_of(next, order)->prev = p;
    *(prev ? &links_of(prev, order)->next : &t->lists[state][order]) = p;
    *byte_of(p) = make_byte(order, state);
    t->has[state] |= 1u << order;
    if (state == CLEAN)
        t->held -= order_bytes(order);
    else if (order >= forest.purge_order)
        t->idle += order_bytes(order);
}

static void list_remove(struct tree *t, char *p, unsigned order,
                        enum state state)
{
    struct links *l = links_of(p, order);
    if (l->next)
        links_of(l->next, order)->prev = l->prev;
    if (l->prev)
        links_of(l->prev, order)->next = l->next;
    else if (!(t->lists[state][order] = l->next))
        t->has[state] &= ~(1u << order);
    *byte_of(p) = INSIDE;
    if (order >= PAGE_ORDER)
        *l = (struct links){0}; /* these bytes are inside, too */
    if (state == CLEAN)
        t->held += order_bytes(order);
    else if (order >= forest.purge_order)
        t->idle -= order_bytes(order);
}

/* ---- split and merge ------------------------------------------------- */

/* Clean memory is handed out by the system's pages: a part of one is not clean,
 * or it would never merge with what is free beside it and could not go back. */
static inline enum state part_state(enum state whole, unsigned order)
{
    return order < forest.purge_order ? FREE : whole;
}

/* Halve the block at p, which is in no list, down to an order. */
static void split(struct tree *t, char *p, unsigned from, unsigned to,
                  enum state state)
{
    while (from > to) {
        from--;
        list_insert(t, p + order_bytes(from), from, part_state(state, from));
    }
}

/* List the block at p, which is in no list, merged with its buddy, and up. */
static void merge(struct tree *t, char *p, unsigned order, enum state state)
{
    while (order < top_order()) {
        char *b = (char *)((uintptr_t)p ^ order_bytes(order));
        if (*byte_of(b) != make_byte(order, state))
            break;
        list_remove(t, b, order, state);
        p = b < p ? b : p;
        order++;
    }
    list_insert(t, p, order, state);
}

/* The order of the largest block at p that ends by end. */
static inline unsigned piece_order(const char *p, const char *end)
{
    unsigned fits = log2_floor((size_t)(end - p)) - UNIT_LOG2;
    return order_at(p) < fits ? order_at(p) : fits;
}

/* Free [p, end), in as few blocks as there are. */
static void give_range(struct tree *t, char *p, const char *end,
                       enum state state)
{
    while (p < end) {
        unsigned order = piece_order(p, end);
        merge(t, p, order, part_state(state, order));
        p += order_bytes(order);
    }
}

/* Is all of [p, end) free or clean? */
static bool range_is_free(const char *p, const char *end)
{
    while (p < end) {
        uint8_t byte = *byte_of(p);
        if (byte == INSIDE || is_used(byte))
            return false;
        p += order_bytes(byte >> 3);
    }
    return true;
}

/* Take [p, end) out of the lists. @pre range_is_free */
static void take_range(struct tree *t, char *p, const char *end)
{
    while (p < end) {
        uint8_t byte = *byte_of(p);
        unsigned order = byte >> 3, part = piece_order(p, end);
        if (part > order)
            part = order;
        list_remove(t, p, order, byte & 7);
        split(t, p, order, part, byte & 7);
        p += order_bytes(part);
    }
}

/* ---- blocks ---------------------------------------------------------- */

/** A tree gets [p, end) of a region, the next that it had not: zero, and so are
 * its bytes and the one behind them, which end's block would have. Unit 0's
 * byte, the region's first, is and stays zero. So each byte of a buddy can be
 * read. */
static void tree_add(struct tree *t, char *p, const char *end)
{
    t->held += (size_t)(end - p);
    give_range(t, p, end, CLEAN);
}

static inline bool tree_has(const struct tree *t, enum state state,
                            unsigned order)
{
    return t->has[state] >> order;
}

/* May a used block of this byte start at p, which is in a region? */
static inline bool may_start(const char *p, uint8_t byte)
{
    unsigned order = byte >> 3;
    if (forest.plain || order == 0)
        return order_at(p) >= order;
    return order_at(p) >= order - 1 &&
           byte_bytes(byte) <= forest.mask + 1 - ((uintptr_t)p & forest.mask);
}

/* A place for a block of this byte that starts with a free block of half its
 * order and goes on in free memory; NULL: there is none close by. */
static char *find_hole(const struct tree *t, uint8_t byte)
{
    unsigned half = (byte >> 3) - 1;
    char *p = t->lists[FREE][half];
    for (unsigned n = 0; p && n < HOLES; n++, p = links_of(p, half)->next)
        if (may_start(p, byte) &&
            range_is_free(p + order_bytes(half), p + byte_bytes(byte)))
            return p;
    return NULL;
}

/** A used block of this byte in free memory that is in pieces. @return NULL:
 * cut one from a larger block. */
static char *tree_fill_hole(struct tree *t, uint8_t byte)
{
    char *p = forest.plain || byte >> 3 == 0 ? NULL : find_hole(t, byte);
    if (p) {
        take_range(t, p, p + byte_bytes(byte));
        *byte_of(p) = byte;
    }
    return p;
}

/** Cut a used block of this byte from the start of a free one that is of this
 * order at least. @param zero  set: whether all its bytes are zero. */
static char *tree_cut(struct tree *t, unsigned order, uint8_t byte, bool *zero)
{
    enum state state = tree_has(t, FREE, order) ? FREE : CLEAN;
    unsigned from = (unsigned)__builtin_ctz(t->has[state] >> order) + order;
    char *p = t->lists[state][from];
    list_remove(t, p, from, state);
    split(t, p, from, order, state);
    state = part_state(state, order);
    *byte_of(p) = byte;
    give_range(t, p + byte_bytes(byte), p + order_bytes(order), state);
    *zero = state == CLEAN;
    return p;
}

/** Free the used block p. If it was used in part and the rest is free, that
 * is joined first: then one block is merged, not up to three. */
static void tree_release(struct tree *t, char *p)
{
    uint8_t byte = *byte_of(p);
    char *end = p + byte_bytes(byte), *all = p + order_bytes(byte >> 3);
    while (end < all && order_at(end) < byte >> 3 &&
           *byte_of(end) == make_byte(order_at(end), FREE)) {
        unsigned order = order_at(end);
        list_remove(t, end, order, FREE);
        end += order_bytes(order);
    }
    *byte_of(p) = INSIDE;
    give_range(t, p, end, FREE);
}

/** Resize the used block p in place: shrinking frees its end, growing takes
 * what is free behind it. @return false: it does not go. */
static bool tree_resize(struct tree *t, char *p, uint8_t byte)
{
    char *end = p + byte_bytes(*byte_of(p)), *wanted = p + byte_bytes(byte);
    if (wanted > end) {
        if (!may_start(p, byte) || !range_is_free(end, wanted))
            return false;
        take_range(t, end, wanted);
    }
    *byte_of(p) = byte;
    give_range(t, wanted, end, FREE);
    return true;
}

/** Give idle blocks of this order and more back to the system. */
static cold_noinline void tree_purge(struct tree *t, unsigned least)
{
    unsigned order = least > forest.purge_order ? least : forest.purge_order;
    for (; order < ORDERS; order++) {
        char *p;
        size_t bytes = order_bytes(order);
        while ((p = t->lists[FREE][order])) {
            if (mem_purge(p, bytes) != bytes)
                return; /* the system keeps it: it stays idle */
            list_remove(t, p, order, FREE);
            merge(t, p, order, CLEAN);
        }
    }
}

/* ---- check ----------------------------------------------------------- */

struct tree_sums {
    size_t held, idle, listed; /* listed: free blocks met */
};

/* Of a large block the first page's worth will do: check is O(blocks). */
static size_t check_inside(const char *p, uint8_t byte)
{
    size_t bad = 0, units = min_size(byte_bytes(byte) / UNIT, 1 << PAGE_ORDER);
    bool links = !is_used(byte) && byte >> 3 >= PAGE_ORDER;
    for (size_t u = 1; u < units; u++)
        if (!links || u / sizeof(struct links) != 1)
            bad += broken(byte_of(p)[u] != INSIDE, "B2 inside", p,
                          "a byte in the middle is not 0, at unit", u);
    return bad;
}

static size_t check_block(const char *p, const char *end, struct tree_sums *s)
{
    uint8_t byte = *byte_of(p);
    unsigned order = byte >> 3, state = byte & 7;
    const char *b = (const char *)((uintptr_t)p ^ order_bytes(order));
    bool aligned = is_used(byte) ? may_start(p, byte) : order_at(p) >= order;
    if (broken(state == INSIDE || state == 3 || order > top_order() ||
                   !aligned || byte_bytes(byte) > (size_t)(end - p),
               "B1 blocks in sequence", p, "no block starts here: byte", byte))
        return 1;
    size_t bytes = byte_bytes(byte), bad = check_inside(p, byte);
    s->held += state == CLEAN ? 0 : bytes;
    s->idle += state == FREE && order >= forest.purge_order ? bytes : 0;
    s->listed += !is_used(byte);
    return bad +
           broken(!is_used(byte) && order < top_order() && *byte_of(b) == byte,
                  "B3 merged", p, "its buddy is free, too; order", order);
}

/** Count what is broken from p to end in a region; add to the sums what is
 * there. */
static size_t tree_check_range(const char *p, const char *end,
                               struct tree_sums *s)
{
    while (p < end) {
        size_t bad = check_block(p, end, s);
        if (bad)
            return bad; /* what follows would be found by guessing */
        p += byte_bytes(*byte_of(p));
    }
    return 0;
}

static size_t check_list(const struct tree *t, unsigned order, enum state state,
                         struct tree_sums *s)
{
    size_t bad = 0;
    char *p = t->lists[state][order], *prev = NULL;
    bad += broken(!p != !(t->has[state] >> order & 1), "B4 has", p,
                  "the bit and the list differ; order", order);
    for (; p && !bad; prev = p, p = links_of(p, order)->next) {
        bad += broken(*byte_of(p) != make_byte(order, state) ||
                          links_of(p, order)->prev != prev,
                      "B4 listed", p, "not a block of this list; order", order);
        s->listed--;
    }
    return bad;
}

/** Count what is broken in the lists and sums. */
static size_t tree_check(const struct tree *t, struct tree_sums *s)
{
    size_t bad = 0;
    for (unsigned order = 0; order < ORDERS; order++)
        bad += check_list(t, order, FREE, s) + check_list(t, order, CLEAN, s);
    bad += broken(s->listed != 0, "B4 listed", t,
                  "free blocks are not each listed once; short by", s->listed);
    bad += broken(s->held != t->held, "B5 held", t, "counted", s->held);
    bad += broken(s->idle != t->idle, "B5 idle", t, "counted", s->idle);
    return bad;
}

#endif
