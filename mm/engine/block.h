/* block.h - what a block looks like in memory, and the only code that knows.
 *
 * Sizes are bytes, multiples of 16, header included. Payloads are 16-aligned,
 * so headers lie at addresses that are 8 mod 16.
 *
 *            8            4      4                        8
 *   in use | size|flags | payload ... (size - 8 bytes)            |
 *   free   | size|flags | next | prev | .................. | size |
 *   large  | size|flags | next | prev | dirty | .......... | size |  free
 *   mini   |   16|flags | next | prev |      free and exactly 16 bytes
 *                       ^ 16-aligned: what malloc returned
 *
 * An in-use block has no footer: a neighbour that is in use is never merged,
 * so no one looks for its start. A free mini has no room for a footer: the
 * block after it says so in a bit. Links are 32-bit: the block's distance from
 * the heap's base in units of 16 bytes, 0 for none; they reach 64 GiB and let
 * a mini carry both, so that every unlink is O(1).
 *
 *   header bit 0  zero
 *          bit 1  the block before is in use
 *          bit 2  the block before is a free mini
 *          bit 3  zero
 *          4..46  size / 16
 *          bit 47 free
 *         48..63  in use: the arena that owns the block; free: zero
 *
 * Only the heap's owner writes headers, under its lock or alone. Meanwhile the
 * user of a block in use may be reading the block's size and owner, which stay,
 * and bit 1 of the header after it, which says that the block is in use. So
 * headers of blocks in use, and those after them, are written and read by
 * relaxed atomics: nothing is published through them. */
#ifndef MM_ENGINE_BLOCK_H
#define MM_ENGINE_BLOCK_H

#include "mm/util.h"

struct block {
    uint64_t header;
    uint32_t next, prev; /* links; only in a free block */
};

#define HEADER_SIZE ((size_t)8)
#define MIN_BLOCK ((size_t)16)
#define MAX_BLOCK (((size_t)1 << 47) - ALIGN)

#define BLOCK_FREE ((uint64_t)1 << 47)
#define BLOCK_PREV_USED ((uint64_t)2)
#define BLOCK_PREV_MINI ((uint64_t)4)
#define BLOCK_PREV_BITS (BLOCK_PREV_USED | BLOCK_PREV_MINI)
#define BLOCK_SIZE (MAX_BLOCK) /* mask: bits 4..46 */
#define BLOCK_OWNER_SHIFT 48
#define BLOCK_OWNER (~(uint64_t)0 << BLOCK_OWNER_SHIFT)

_Static_assert(offsetof(struct block, next) == HEADER_SIZE, "payload start");
_Static_assert(sizeof(struct block) == MIN_BLOCK, "a mini is one struct block");

static always_inline size_t block_size(const struct block *b)
{
    return b->header & BLOCK_SIZE;
}

/* Write a header that a thread which does not own the heap may be reading. */
static always_inline void header_write(struct block *b, uint64_t header)
{
    __atomic_store_n(&b->header, header, __ATOMIC_RELAXED);
}

/* The header of a block in use, or of the one after it, read by such a thread.
 */
static always_inline uint64_t header_read_remote(const struct block *b)
{
    return __atomic_load_n(&b->header, __ATOMIC_RELAXED);
}

/* What the block before b is. b may be in use, and its user reading. */
static always_inline void header_set_prev(struct block *b, uint64_t prev_bits)
{
    header_write(b, (b->header & ~BLOCK_PREV_BITS) | prev_bits);
}

static always_inline bool block_used(const struct block *b)
{
    return !(b->header & BLOCK_FREE);
}

static always_inline bool prev_used(const struct block *b)
{
    return b->header & BLOCK_PREV_USED;
}

/* A header of size 0 that is in use ends each region. */
static always_inline bool block_is_end(const struct block *b)
{
    return block_size(b) == 0;
}

static always_inline struct block *block_at(const void *start, size_t offset)
{
    return (struct block *)((char *)start + offset);
}

static always_inline struct block *block_next(const struct block *b)
{
    return block_at(b, block_size(b));
}

static always_inline void *block_payload(const struct block *b)
{
    return (char *)b + HEADER_SIZE;
}

static always_inline struct block *payload_block(const void *p)
{
    return (struct block *)((char *)p - HEADER_SIZE);
}

static always_inline size_t block_usable(const struct block *b)
{
    return block_size(b) - HEADER_SIZE;
}

/* No block starts at b any more: a free of it is found out. */
static always_inline void block_unmake(struct block *b)
{
    b->header = BLOCK_FREE;
}

/* The owner that a header names. */
static always_inline uint32_t header_owner(uint64_t header)
{
    return (uint32_t)(header >> BLOCK_OWNER_SHIFT);
}

/* Give b, in use, to another owner; its user may be reading. */
static always_inline void header_set_owner(struct block *b, uint32_t owner)
{
    header_write(b, (b->header & ~BLOCK_OWNER) | (uint64_t)owner
                                                     << BLOCK_OWNER_SHIFT);
}

/* The last 8 bytes of a free block that is not a mini. */
static always_inline uint64_t *block_footer(const struct block *b)
{
    return (uint64_t *)((char *)b + block_size(b)) - 1;
}

/* The free block before b. @pre !prev_used(b) */
static always_inline struct block *block_prev(const struct block *b)
{
    size_t size =
        b->header & BLOCK_PREV_MINI ? MIN_BLOCK : ((const uint64_t *)b)[-1];
    return (struct block *)((char *)b - size);
}

/* Make b in use; what else its header says stays. */
static always_inline void block_set_used(struct block *b, size_t size)
{
    header_write(b, size | (b->header & (BLOCK_PREV_BITS | BLOCK_OWNER)));
    header_set_prev(block_next(b), BLOCK_PREV_USED);
}

/* Make b free: footer, and what its successor says of it. */
static always_inline void block_set_free(struct block *b, size_t size)
{
    header_write(b, size | BLOCK_FREE | (b->header & BLOCK_PREV_BITS));
    uint64_t mini = size == MIN_BLOCK ? BLOCK_PREV_MINI : 0;
    header_set_prev(block_next(b), mini);
    if (!mini)
        *block_footer(b) = size;
}

/* Bytes of the block that serves a request. @pre size <= PTRDIFF_MAX */
static always_inline size_t request_to_block(size_t size)
{
    return max_size(round_up(size + HEADER_SIZE, ALIGN), MIN_BLOCK);
}

#endif
