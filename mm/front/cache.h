/* cache.h - a thread's own blocks: bins that need no lock.
 *
 * A bin holds free blocks of one size of the thread's own shard. For the engine
 * a cached block is in use: only the thread that holds it writes to it, and
 * only to its payload.
 *
 *   bins[i]  head ─► block ─► block ─► 0   link in the payload's first word,
 *            room    how many more may     the key of a free block in its
 *            limit   wait there            second (slab.h)
 *
 *   bin 0       nothing waits there, ever
 *   1 .. 64     blocks of slabs, 16 bytes to 1 KiB: a class each; a bin has
 *               16 bytes, too, so a block's bytes lead to its bin
 *   then        blocks with headers: of 32 to 1040 bytes, one size a bin;
 *               to 1 MiB, eight bins a doubling
 *
 * Nothing overflows. While a bin has room, a block that is freed goes there:
 * what is hot in the processor's cache serves first. Once it has none, blocks
 * of slabs go straight back to their slabs, one push each. A bin that is empty
 * takes all free blocks of one slab at once, even more than it has room for. So
 * how much may wait is a matter of memory, not of speed: 32 KiB a class.
 * Bins shrink while a thread only frees, and grow again when it allocates. Of
 * large blocks 16 KiB may wait, or one block, or a share of the heap.
 * Before the heap grows, all bins are emptied, though not too often
 * (cache_worth).
 *
 * No block has fewer than two words: requests are for LEAST_REQUEST bytes at
 * least. */
#ifndef MM_FRONT_CACHE_H
#define MM_FRONT_CACHE_H

#include "mm/engine/arena.h"

#define NBINS (SLAB_CLASSES + 1)
#define SMALL_BIN_MAX (SLAB_MAX + ALIGN) /* bytes; one size a bin */
#define SMALL_BINS (SMALL_BIN_MAX / ALIGN - 1)
#define LARGE_BIN_MAX ((size_t)1 << 20) /* bytes of the largest one cached */
#define LARGE_STEPS_LOG2 3
#define LARGE_BINS ((size_t)10 << LARGE_STEPS_LOG2)
#define ALL_BINS (NBINS + SMALL_BINS + LARGE_BINS)

#define LEAST_REQUEST ((size_t)9)    /* bytes: the block has 32, or no header */
#define BIN_LEAST ((size_t)256)      /* of a slab class's bin, at least, */
#define BIN_BYTES ((size_t)32 << 10) /* and at most */
#define GIVEN_MOST 64                /* slow frees in a row: then bins shrink */
#define BIN_BLOCKS ((size_t)256)     /* of any bin */
#define COLD_BYTES ((size_t)8 << 10) /* of a small header bin */
#define LARGE_BYTES ((size_t)32 << 10) /* of a large one, or one block */
#define HITS_MOST 64   /* of header bins: then the thread comes by its shard */
#define LARGE_BUSY 200 /* misses: then requests of a large bin get one size */
#define WORTH_BYTES ((size_t)16 << 10) /* a request worth all that waits */

/* What may wait in all large bins together: 16 KiB as programs ask for them, in
 * powers of two, whose headers come on top; or one block; or part of the heap.
 */
#define LARGE_BUDGET (((size_t)16 << 10) + 16 * ALIGN)
#define LARGE_ONE ((size_t)64 << 10)
#define LARGE_SHARE 32

struct bin {
    void *head;
    int32_t room, limit; /* room < 0: a whole slab's blocks came at once */
};

_Static_assert(sizeof(struct bin) == ALIGN, "bytes lead to a bin");

struct cache {
    struct bin bins[ALL_BINS];
    uint8_t misses[LARGE_BINS]; /* of each, up to LARGE_BUSY */
    size_t bin_bytes;           /* that may wait in a slab class's bin */
    unsigned hits;              /* of bins of blocks with headers, ever */
    unsigned given;             /* slow frees since the last refill */
    size_t large;               /* bytes that wait in large bins, ... */
    size_t budget;              /* ... and that may */
    size_t moved;               /* blocks fetched and flushed, ever */
    size_t ask_at;              /* cache_worth: not before moved is this */
};

/* The value of `open` while a thread may use its bins; otherwise it is 0. One
 * comparison with it so answers two questions: may it, and is a request, or a
 * block, of so few bytes that it has a bin? */
#define OPEN (SLAB_MAX + 1)

/* Bytes of the slab block that serves a request; 0: none is so small. */
static always_inline size_t request_bytes(size_t size)
{
    return round_up(size, ALIGN);
}

/* The bin of slab blocks of this size. @pre bytes < OPEN */
static always_inline struct bin *slab_bin(struct cache *c, size_t bytes)
{
    return (struct bin *)((char *)c->bins + bytes);
}

/* The bin of a block of size bytes, its header included; >= ALL_BINS: none,
 * also where no block is as small. */
static always_inline size_t header_bin(size_t size)
{
    if (size <= SMALL_BIN_MAX)
        return NBINS - 2 + (size < 2 * ALIGN ? ALL_BINS : size / ALIGN);
    unsigned top = log2_floor(size - 1);
    size_t step = ((size - 1) >> (top - LARGE_STEPS_LOG2)) &
                  ((1u << LARGE_STEPS_LOG2) - 1);
    return NBINS + SMALL_BINS + (((size_t)top - 10) << LARGE_STEPS_LOG2) + step;
}

static inline bool bin_is_large(size_t i)
{
    return i >= NBINS + SMALL_BINS;
}

/* Bytes of a block of bin i, at least. */
static inline size_t bin_bytes(size_t i)
{
    if (i < NBINS)
        return i * ALIGN;
    if (!bin_is_large(i))
        return (i - NBINS + 2) * ALIGN;
    size_t large = i - NBINS - SMALL_BINS;
    size_t step = large & ((1u << LARGE_STEPS_LOG2) - 1);
    size_t top = large >> LARGE_STEPS_LOG2;
    return (((size_t)1 << LARGE_STEPS_LOG2) + step)
           << (top + 10 - LARGE_STEPS_LOG2);
}

/* At most these bytes may wait in bin i from now on, but at least one block. */
static inline void bin_set_limit(struct cache *c, size_t i, size_t bytes)
{
    struct bin *b = &c->bins[i];
    size_t limit = max_size(min_size(bytes / bin_bytes(i), BIN_BLOCKS), 1);
    b->room += (int32_t)limit - b->limit;
    b->limit = (int32_t)limit;
}

static inline void slab_bins_set_limits(struct cache *c, size_t bytes)
{
    c->bin_bytes = bytes;
    for (size_t i = 1; i < NBINS; i++)
        bin_set_limit(c, i, bytes);
}

static inline void cache_init(struct cache *c)
{
    *c = (struct cache){.budget = LARGE_BUDGET};
    slab_bins_set_limits(c, BIN_BYTES);
    for (size_t i = NBINS; i < ALL_BINS; i++)
        bin_set_limit(c, i, bin_is_large(i) ? LARGE_BYTES : COLD_BYTES);
}

/* Blocks that wait in b. */
static inline unsigned bin_count(const struct bin *b)
{
    return (unsigned)(b->limit - b->room);
}

static always_inline void *bin_pop(struct bin *b)
{
    void *p = b->head;
    if (likely(p != NULL)) {
        b->head = *(void **)p;
        b->room++;
        block_clear_key(p);
    }
    return p;
}

/* p, which has its key, waits in b. @return false: there is no room */
static always_inline bool bin_push(struct bin *b, void *p)
{
    int32_t room = b->room;
    if (unlikely(room <= 0))
        return false;
    *(void **)p = b->head;
    b->head = p;
    b->room = room - 1;
    return true;
}

/* Fill b, which is empty, with a chain of n blocks that have their keys. */
static inline void bin_fill(struct cache *c, struct bin *b, void *chain,
                            unsigned n)
{
    b->head = chain;
    b->room = b->limit - (int32_t)n;
    c->moved += n;
}

/* Take all out of b. @return their chain, *n blocks */
static inline void *bin_take_all(struct cache *c, struct bin *b, unsigned *n)
{
    void *chain = b->head;
    *n = bin_count(b);
    c->moved += *n;
    b->head = NULL;
    b->room = b->limit;
    return chain;
}

/* ---- blocks with headers ----------------------------------------------- */

/* As bin_pop, if the first block of large bin i is large enough. */
static inline void *large_bin_take(struct cache *c, size_t i, size_t need)
{
    void *p = c->bins[i].head;
    size_t has = p ? header_read_remote(payload_block(p)) & BLOCK_SIZE : 0;
    if (has < need) {
        uint8_t *misses = &c->misses[i - NBINS - SMALL_BINS];
        *misses = (uint8_t)(*misses + (*misses < LARGE_BUSY));
        return NULL;
    }
    c->large -= has;
    return bin_pop(&c->bins[i]);
}

/* A block with a header for a request of at most SLAB_MAX bytes. NULL: none
 * waits. Its bytes lead to its bin, of which the first has 2 * ALIGN. */
static always_inline void *small_bin_take(struct cache *c, size_t size)
{
    size_t bytes = request_to_block(max_size(size, LEAST_REQUEST));
    return bin_pop((struct bin *)((char *)(c->bins + NBINS - 2) + bytes));
}

/* A block for any request, if the first that waits happens to be aligned: as it
 * does where a program asks for no others of its size. */
static always_inline void *header_bin_take(struct cache *c, size_t align,
                                           size_t size)
{
    size_t need = request_to_aligned(align, max_size(size, LEAST_REQUEST));
    size_t i = header_bin(need);
    if (i >= ALL_BINS || (align > ALIGN && (uintptr_t)c->bins[i].head % align))
        return NULL;
    return bin_is_large(i) ? large_bin_take(c, i, need) : bin_pop(&c->bins[i]);
}

/* Bytes to ask for instead of size: all blocks of a large bin that is busy have
 * one size, so that the first always fits. */
static inline size_t header_bin_round(const struct cache *c, size_t size)
{
    size_t i = header_bin(request_to_block(size));
    if (i >= ALL_BINS || !bin_is_large(i) ||
        c->misses[i - NBINS - SMALL_BINS] < LARGE_BUSY)
        return size;
    return bin_bytes(i + 1) - HEADER_SIZE; /* the largest of bin i */
}

/* A header bin served. @return whether the thread is to come by its shard: one
 * that only its bins serve would never look at the clock */
static inline bool cache_comes_by(struct cache *c)
{
    return unlikely(++c->hits % HITS_MOST == 0);
}

/* p, of size bytes with its header, waits. @return false: there is no room */
static inline bool header_bin_put(struct cache *c, void *p, size_t size)
{
    size_t i = header_bin(size);
    if (i >= ALL_BINS)
        return false;
    if (!bin_is_large(i))
        return bin_push(&c->bins[i], p);
    if (c->large + size > (c->large ? c->budget : LARGE_ONE) ||
        !bin_push(&c->bins[i], p))
        return false;
    c->large += size;
    return true;
}

/* A refill came, and the heap has heap_size bytes now. */
static inline void cache_fit(struct cache *c, size_t heap_size)
{
    c->budget = max_size(LARGE_BUDGET, heap_size / LARGE_SHARE);
    c->given = 0;
    if (unlikely(c->bin_bytes < BIN_BYTES))
        slab_bins_set_limits(c, 2 * c->bin_bytes);
}

/* A free took more than a push. @return whether bins are to shrink: the thread
 * gives memory up, and a block that waits keeps its slab from going back */
static inline bool cache_gives_up(struct cache *c)
{
    return unlikely(++c->given % GIVEN_MOST == 0) && c->bin_bytes > BIN_LEAST;
}

/* ---- all bins ----------------------------------------------------------- */

/* Bytes of the heap that a chain of blocks takes up, with their headers. */
static inline size_t chain_bytes(const void *p)
{
    size_t bytes = 0;
    for (; p; p = *(void *const *)p) {
        uint32_t slab = tag_bytes(page_tag(p));
        bytes +=
            slab ? slab : header_read_remote(payload_block(p)) & BLOCK_SIZE;
    }
    return bytes;
}

/* Bytes of the blocks that wait here, as arena_used counts. */
static inline size_t cache_bytes(const struct cache *c)
{
    size_t bytes = 0;
    for (size_t i = 1; i < ALL_BINS; i++)
        bytes += chain_bytes(c->bins[i].head);
    return bytes;
}

/* Is c to be emptied before a heap of this size grows for need bytes? For many
 * bytes, yes: one block that waits here may be all that keeps as many apart.
 * Else no, if little waits here. It asks again only after twice as many blocks
 * have moved in and out as waited the last time: so emptying costs each block
 * that moves no more than a few instructions. */
static inline bool cache_worth(struct cache *c, size_t heap_size, size_t need)
{
    if (need >= WORTH_BYTES)
        return true;
    if (c->moved < c->ask_at)
        return false;
    size_t blocks = 0, bytes = 0;
    for (size_t i = 1; i < ALL_BINS; i++) {
        if (!c->bins[i].head)
            continue;
        blocks += bin_count(&c->bins[i]);
        bytes += bin_count(&c->bins[i]) * bin_bytes(i);
    }
    c->ask_at = c->moved + max_size(2 * blocks, 2 * ALL_BINS);
    return bytes > heap_size / 64;
}

#endif
