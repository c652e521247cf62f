/* fit_tlsf.h - a policy: two levels of segregated lists, in bounded time.
 *
 *   rows: bit f ─► columns[f]: bit s ─► heads[f][s] ─► block ⇄ block
 *
 *   row 0     16  32  48 ... 496           one size a list
 *   row 1     512 528 544 ... 1008         each row a doubling,
 *   row 2     1024 1056 ... 2016           in 32 equal steps
 *
 * A request is rounded up to the next step: then every block of the list that
 * it leads to is large enough, and no list is searched, whatever the heap looks
 * like. Insert, remove and find take a bounded number of instructions, O(1),
 * for programs that must answer in time. The price: a block that is large
 * enough, but of the same step as the request, is passed by, for one that is up
 * to 1/32 larger. (What the engine adds is not bounded: system calls, when the
 * heap grows or is purged.)
 *
 * Invariants (fit_check)
 *   H5 a free block is in the list of its size
 *   H6 links are symmetric; a bit of columns is set iff its list is not empty,
 *      and of rows iff one of its columns is
 *
 * TLSF: Masmano, Ripoll, Crespo and Real (2004). It has two pointers in a free
 * block where this has two 32-bit links, which a mini holds, too. */
#ifndef MM_ENGINE_FIT_TLSF_H
#define MM_ENGINE_FIT_TLSF_H

#include "mm/engine/fit.h"

#define FIT_NAME "fit-tlsf"
#define FIT_SUMMARY "global, free blocks in TLSF's lists: bounded time"
#define FIT_VICTIM 0
#define FIT_BY_CLASS 0

#define COLUMNS_LOG2 5
#define COLUMNS (1u << COLUMNS_LOG2)
#define ROW0_LOG2 9 /* row 0: below 512 bytes, in steps of 16 */
#define ROWS 28     /* up to 64 GiB: no heap has a larger block */

struct fit {
    char *base;           /* links count from here */
    struct block *victim; /* in no list (fit.h) */
    uint32_t rows, columns[ROWS];
    uint32_t heads[ROWS][COLUMNS]; /* links */
};

_Static_assert(COLUMNS *ALIGN == 1 << ROW0_LOG2, "one size a list in row 0");

/* A list's place: row * COLUMNS + column. */
static inline size_t tlsf_list(size_t size)
{
    if (size < 1 << ROW0_LOG2)
        return size / ALIGN;
    unsigned top = log2_floor(size);
    size_t column = size >> (top - COLUMNS_LOG2); /* COLUMNS too much */
    return ((size_t)(top - ROW0_LOG2) << COLUMNS_LOG2) + column;
}

static inline uint32_t *tlsf_head(struct fit *f, size_t list)
{
    return &f->heads[list / COLUMNS][list % COLUMNS];
}

/* ---- insert, remove -------------------------------------------------- */

static inline void fit_insert(struct fit *f, struct block *b, size_t size)
{
    size_t list = tlsf_list(size);
    uint32_t *head = tlsf_head(f, list), link = block_link(f->base, b);
    b->next = *head;
    b->prev = 0;
    if (*head)
        link_block(f->base, *head)->prev = link;
    *head = link;
    f->rows |= 1u << list / COLUMNS;
    f->columns[list / COLUMNS] |= 1u << list % COLUMNS;
}

static inline void fit_remove(struct fit *f, struct block *b, size_t size)
{
    size_t list = tlsf_list(size), row = list / COLUMNS;
    if (b->next)
        link_block(f->base, b->next)->prev = b->prev;
    if (b->prev) {
        link_block(f->base, b->prev)->next = b->next;
        return;
    }
    *tlsf_head(f, list) = b->next;
    if (b->next)
        return;
    f->columns[row] &= ~(1u << list % COLUMNS);
    if (!f->columns[row])
        f->rows &= ~(1u << row);
}

/* ---- fit ------------------------------------------------------------- */

static inline uint32_t fit_exact(const struct fit *f, size_t asize)
{
    (void)f;
    (void)asize;
    return 0; /* fit_find is as fast */
}

/* The first block of the first list >= list that is not empty, or NULL. */
static inline struct block *tlsf_first(const struct fit *f, size_t list)
{
    size_t row = list / COLUMNS;
    if (row >= ROWS)
        return NULL;
    uint32_t columns = f->columns[row] & ~0u << list % COLUMNS;
    if (!columns) {
        uint32_t rows = f->rows & ~1u << row;
        if (!rows)
            return NULL;
        row = (size_t)__builtin_ctz(rows);
        columns = f->columns[row];
    }
    return link_block(f->base, f->heads[row][__builtin_ctz(columns)]);
}

/* The least size from whose list on all blocks have size bytes or more. */
static inline size_t tlsf_round(size_t size)
{
    if (size < 1 << ROW0_LOG2)
        return size;
    return size + ((size_t)1 << (log2_floor(size) - COLUMNS_LOG2)) - 1;
}

static inline struct block *fit_find(const struct fit *f, size_t asize)
{
    return tlsf_first(f, tlsf_list(tlsf_round(asize)));
}

static inline struct block *fit_find_aligned(const struct fit *f, size_t asize,
                                             size_t align)
{
    return fit_find(f, asize + align - ALIGN);
}

/* ---- all of them ----------------------------------------------------- */

static inline void fit_each(struct fit *f, size_t least, fit_visit_fn *visit,
                            void *arg)
{
    for (size_t list = tlsf_list(least); list < ROWS * COLUMNS; list++)
        for (uint32_t link = *tlsf_head(f, list); link;) {
            struct block *b = link_block(f->base, link);
            visit(b, arg);
            link = b->next;
        }
}

static inline void fit_splice(struct fit *dst, struct fit *src)
{
    for (size_t list = 0; list < ROWS * COLUMNS; list++)
        for (uint32_t link = *tlsf_head(src, list); link;) {
            struct block *b = link_block(src->base, link);
            link = b->next;
            fit_insert(dst, b, block_size(b));
        }
}

/* H5, H6 of one list. @return its length */
static inline size_t tlsf_check(const struct fit *f, fit_holds_fn *holds,
                                const void *h, size_t list, size_t nfree,
                                size_t *bad)
{
    size_t n = 0;
    uint32_t before = 0, head = f->heads[list / COLUMNS][list % COLUMNS];
    bool bit = f->columns[list / COLUMNS] >> list % COLUMNS & 1;
    *bad += broken(bit != (head != 0), "H6 a list's bit: it is not empty",
                   &f->columns[list / COLUMNS], "list", list);
    for (uint32_t link = head; link; n++) {
        const struct block *b = link_block(f->base, link);
        if (broken(n > nfree || !holds(h, b),
                   "H6 links lead to blocks of the heap", b, "not so in list",
                   list)) {
            ++*bad;
            break;
        }
        *bad += broken(block_used(b) || tlsf_list(block_size(b)) != list,
                       "H5 a listed block is free and of its list", b,
                       "not so in list", list);
        *bad += broken(b->prev != before, "H6 links are symmetric", b,
                       "not so in list", list);
        before = link;
        link = b->next;
    }
    return n;
}

static inline size_t fit_check(const struct fit *f, fit_holds_fn *holds,
                               const void *h, size_t nfree, size_t *bad)
{
    size_t n = 0;
    for (size_t row = 0; row < ROWS; row++)
        *bad += broken((f->rows >> row & 1) != (f->columns[row] != 0),
                       "H6 a row's bit: it has a list that is not empty",
                       &f->rows, "row", row);
    for (size_t list = 0; list < ROWS * COLUMNS; list++)
        n += tlsf_check(f, holds, h, list, nfree, bad);
    return n;
}

#endif
