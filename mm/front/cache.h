/* cache.h - a thread's own blocks: bins that need no lock.
 *
 * A bin holds free blocks of one size, whoever's arena they came from. For the
 * engine a cached block is in use: only the thread that holds it writes to it,
 * and only to its payload.
 *
 *   heads[i] ─► block ─► block ─► 0        link in the payload's first word
 *   rooms[i]    how many more may wait there: < 0, flush
 *   bytes of i  1: 8   2: 16   3: 24 ... 129: 1032
 *
 * Bin i holds blocks of 8i bytes. Even bins are the tight sizes, whose
 * blocks lie in slabs or have a header without the roomy bit; above SLAB_MAX
 * there are none. So a block's bin follows from its tag or, by two shifts, from
 * its header, exactly. What such shifts make of a header that is no live
 * block's is no bin, or bin 0, in which nothing may wait.
 *
 * How much may wait here: each bin has a limit, at first BIN_BYTES worth of
 * blocks. It doubles when a flush is followed by a refill (the bin was too
 * small), while all limits together stay within the thread's budget; it is
 * halved for each SHRINK_BYTES that are flushed without a refill: the thread
 * gives memory up, and blocks left here, a page each, would keep it from the
 * system. A cached block serves its thread faster and everybody else not at
 * all: so before the heap grows, the cache is emptied, though not too often
 * (cache_worth).
 *
 * The limit that grows on a miss after a flush is after tcmalloc's slow start
 * (Ghemawat & Menage, 2007). */
#ifndef MM_FRONT_CACHE_H
#define MM_FRONT_CACHE_H

#include "mm/engine/arena.h"

#define BIN_MAX ((size_t)1032) /* bytes of the largest request served */
#define NBINS (BIN_MAX / 8 + 1)
#define BIN_BYTES ((size_t)1024)          /* of a bin at first */
#define BIN_BYTES_MAX ((size_t)256 << 10) /* of a bin at most */
#define SHRINK_BYTES ((size_t)64 << 10)   /* flushed without a refill */
#define CACHE_BUDGET ((size_t)128 << 10)  /* of all limits, at least */
#define WORTH_BYTES ((size_t)16 << 10)    /* a request worth all that waits */

struct bin {
    uint16_t limit;  /* blocks; more: flush */
    uint8_t batch;   /* blocks that the next refill asks for */
    uint8_t flushes; /* since the last refill */
};

_Static_assert(BIN_MAX % ALIGN == HEADER_SIZE, "the last bin is an odd one");
_Static_assert(BIN_BYTES_MAX / 8 <= INT16_MAX + 1u, "a limit fits a room");

struct cache {
    void *heads[NBINS];
    int16_t rooms[NBINS];
    struct bin bins[NBINS];
    size_t limits; /* bytes of all limits above the first */
    size_t moved;  /* blocks fetched and flushed, ever */
    size_t ask_at; /* cache_worth: not before so many have moved */
};

/* The bin that serves a request; >= NBINS: none does, as for 0 bytes. */
static always_inline size_t request_bin(size_t size)
{
    return ((size - 1) / 8 + 1) | (size > SLAB_MAX);
}

/* The bin that a block in use belongs to by its header, if it has one. */
static always_inline size_t header_bin(uint64_t header)
{
    const unsigned above = 64 - BLOCK_OWNER_SHIFT;
    return (header << above >> (above + 3)) - 2;
}

/* The bin of a block of a slab. */
static always_inline size_t slab_bin(unsigned slab_class)
{
    return slab_class * 2;
}

/* The bin that p, a block in use in a page with this tag, belongs to; >= NBINS:
 * to none, or p is no such block; 0: it is not, either. */
static always_inline size_t payload_bin(const void *p, uint32_t tag)
{
    unsigned slab_class = tag & TAG_CLASS;
    if (slab_class)
        return slab_bin(slab_class);
    return header_bin(header_read_remote(payload_block(p)));
}

/* Bytes of a block of bin i. */
static always_inline size_t bin_bytes(size_t i)
{
    return i * 8;
}

static inline uint16_t bin_first_limit(size_t i)
{
    return (uint16_t)max_size(BIN_BYTES / bin_bytes(i), 2);
}

/* Blocks that wait in bin i. */
static inline unsigned bin_count(const struct cache *c, size_t i)
{
    return (unsigned)(c->bins[i].limit - c->rooms[i]);
}

static inline void cache_init(struct cache *c)
{
    *c = (struct cache){0};
    for (size_t i = 1; i < NBINS; i++) {
        c->bins[i].limit = bin_first_limit(i);
        c->rooms[i] = (int16_t)c->bins[i].limit;
        c->bins[i].batch = 1;
    }
}

static always_inline void *bin_pop(struct cache *c, size_t i)
{
    void *p = c->heads[i];
    if (likely(p != NULL)) {
        c->heads[i] = *(void **)p;
        c->rooms[i]++;
    }
    return p;
}

/* Of no return, but whoever calls it need not know and so needs no frame. */
static cold_noinline void die_double_free(void *p)
{
    hide(p);
    if (p)
        mm_die("double free of a small block", p);
}

/* p is not the block that was pushed last: that is a double free.
 * @return whether the bin is over its limit now */
static always_inline bool bin_push(struct cache *c, size_t i, void *p)
{
    *(void **)p = c->heads[i];
    c->heads[i] = p;
    return --c->rooms[i] < 0;
}

/* p comes home to its owner, who has bins: into its bin, if that has room.
 * @param own  false: it does not belong here after all, and stays out
 * @return false: it stays out; the bin was too small, then, if it has one */
static inline bool bin_take_home(struct cache *c, void *p, bool own)
{
    size_t i = payload_bin(p, page_tag(p));
    if (own && i - 1 < NBINS - 1 && c->rooms[i] > 0) {
        bin_push(c, i, p);
        return true;
    }
    if (i < NBINS)
        c->bins[i].flushes |= 1;
    return false;
}

/* Take all but the keep newest blocks out of bin i. @return their chain */
static inline void *bin_cut(struct cache *c, size_t i, unsigned keep)
{
    void **tail = &c->heads[i];
    unsigned kept = 0;
    for (; kept < keep && *tail; kept++)
        tail = *tail;
    void *chain = *tail;
    *tail = NULL;
    c->moved += bin_count(c, i) - kept;
    c->bins[i].batch = 1;
    c->rooms[i] = (int16_t)(c->bins[i].limit - kept);
    return chain;
}

/* Another limit for bin i. */
static inline void bin_set_limit(struct cache *c, size_t i, unsigned limit)
{
    c->rooms[i] = (int16_t)(c->rooms[i] + (int)limit - c->bins[i].limit);
    c->bins[i].limit = (uint16_t)limit;
}

/* A refill came: was the bin too small? Grow it within the budget; ask for
 * more each time. @return blocks to fetch, one of them for the caller */
static inline unsigned bin_grow(struct cache *c, size_t i, size_t heap_size)
{
    struct bin *bin = &c->bins[i];
    size_t bytes = bin->limit * bin_bytes(i);
    size_t budget = max_size(CACHE_BUDGET, heap_size / 8);
    if (bin->flushes && bytes * 2 < BIN_BYTES_MAX &&
        c->limits + bytes <= budget) {
        bin_set_limit(c, i, bin->limit * 2u);
        c->limits += bytes;
    }
    bin->flushes = 0;
    unsigned n = bin->batch;
    c->moved += n;
    if (bin->batch * 2u <= bin->limit && bin->batch < 64)
        bin->batch = (uint8_t)(bin->batch * 2);
    return n;
}

/* Half the bin was flushed: once more without a refill. */
static inline void bin_shrink(struct cache *c, size_t i)
{
    struct bin *bin = &c->bins[i];
    size_t most = SHRINK_BYTES / (bin->limit * bin_bytes(i) / 2);
    if (bin->flushes < min_size(most, UINT8_MAX)) {
        bin->flushes++;
    } else if (bin->limit / 2 >= bin_first_limit(i)) {
        bin->flushes = 1;
        bin_set_limit(c, i, bin->limit / 2u);
        c->limits -= bin->limit * bin_bytes(i);
    }
}

/* Bytes of the heap that a chain of blocks takes up, with their headers. */
static inline size_t chain_bytes(const void *p)
{
    size_t bytes = 0;
    for (; p; p = *(void *const *)p) {
        unsigned slab_class = page_tag(p) & TAG_CLASS;
        bytes += slab_class ? bin_bytes(slab_bin(slab_class))
                            : header_read_remote(payload_block(p)) & BLOCK_SIZE;
    }
    return bytes;
}

/* Bytes of the blocks that wait here, as arena_used counts. */
static inline size_t cache_bytes(const struct cache *c)
{
    size_t bytes = 0;
    for (size_t i = 1; i < NBINS; i++)
        bytes += chain_bytes(c->heads[i]);
    return bytes;
}

/* Shall c be emptied before a heap of this size grows for so many bytes? For
 * many, yes: a block that waits here may be all that keeps as many apart. Else
 * not when little waits here. And the question is only worth asking again when
 * twice as many blocks have moved in and out as waited here the last time: so
 * that emptying costs each block that moves no more than a few instructions. */
static inline bool cache_worth(struct cache *c, size_t heap_size, size_t need)
{
    if (need >= WORTH_BYTES)
        return true;
    if (c->moved < c->ask_at)
        return false;
    size_t blocks = 0, bytes = 0;
    for (size_t i = 1; i < NBINS; i++) {
        blocks += bin_count(c, i);
        bytes += bin_count(c, i) * bin_bytes(i);
    }
    c->ask_at = c->moved + max_size(2 * blocks, NBINS);
    return bytes > heap_size / 64;
}

#endif
