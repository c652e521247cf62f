/* 3.c - lesson 3 starts here: free neighbours are merged; find looks at every
 * block.
 *
 *     h->first                                                     h->end
 *   | - | head | payload ..... | head | .............. foot | .. | 0|USED |
 *       in use                  free
 *
 * A head is the block's size in bytes, a multiple of 16, and two bits: USED,
 * and PREV_USED, which is the same of the block before. Payloads begin 8 bytes
 * behind their head and are 16-aligned. A free block has its size once more in
 * its last 8 bytes, so that the block behind it finds its beginning.
 */
#include "memlib.h"
#include "mm.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define HEAD sizeof(size_t)
#define LEAST 32 /* bytes of the smallest block */
#define USED 1
#define PREV_USED 2
#define FLAGS 15

struct block {
    size_t head;
};

struct heap {
    struct block *first; /* the block at the lowest address */
    char *end;           /* behind the last head, which has size 0 */
};

static struct heap heap;

/* ---- blocks ---------------------------------------------------------- */

static size_t size_of(const struct block *b)
{
    return b->head & ~(size_t)FLAGS;
}

static struct block *behind(const struct block *b)
{
    return (struct block *)((char *)b + size_of(b));
}

static struct block *block_of(const void *p)
{
    return (struct block *)((char *)p - HEAD);
}

static void *payload(struct block *b)
{
    return (char *)b + HEAD;
}

/* The size of a block for so many bytes; 0 if there is none. */
static size_t block_size(size_t size)
{
    if (size > SIZE_MAX / 4)
        return 0;
    size_t asize = (size + HEAD + 15) & ~(size_t)15;
    return asize < LEAST ? LEAST : asize;
}

/* ---- the heap -------------------------------------------------------- */

/* The first free block that is large enough. To do, in lesson 3: not to look at
 * all of them. */
static struct block *find(struct heap *h, size_t asize)
{
    for (struct block *b = h->first; size_of(b); b = behind(b))
        if (!(b->head & USED) && size_of(b) >= asize)
            return b;
    return NULL;
}

/* Make [b, b + size) one free block. Its neighbours are in use. */
static void make_free(struct block *b, size_t size)
{
    b->head = size | PREV_USED;
    *(size_t *)((char *)b + size - HEAD) = size;
    behind(b)->head &= ~(size_t)PREV_USED;
}

static void block_free(struct block *b)
{
    size_t size = size_of(b);
    struct block *after = behind(b);
    if (!(after->head & USED))
        size += size_of(after);
    if (!(b->head & PREV_USED)) {
        size_t before = *(size_t *)((char *)b - HEAD);
        b = (struct block *)((char *)b - before);
        size += before;
    }
    make_free(b, size);
}

/* Keep the first asize bytes of b, which is in use; free the rest. */
static void trim(struct block *b, size_t asize)
{
    size_t rest = size_of(b) - asize;
    if (rest < LEAST)
        return;
    b->head -= rest;
    struct block *r = behind(b);
    r->head = rest | USED | PREV_USED;
    block_free(r);
}

/* Append a block in use of asize bytes, of which the last free block may be a
 * part. If memlib cannot append just there, the bytes between are a block in
 * use that nobody frees. */
static struct block *grow(struct heap *h, size_t asize)
{
    struct block *last = block_of(h->end);
    size_t have = 0;
    if (!(last->head & PREV_USED))
        have = *(size_t *)((char *)last - HEAD);
    if (!mem_extend(h->end, asize - have)) {
        char *p = mem_sbrk(asize + 16);
        if (!p)
            return NULL;
        last->head += (size_t)(p + 16 - h->end);
        h->end = p + 16;
        last = block_of(h->end);
        last->head = USED | PREV_USED;
        have = 0;
    }
    h->end += asize - have;
    struct block *b = (struct block *)((char *)last - have);
    b->head = asize | USED | (have ? PREV_USED : last->head & PREV_USED);
    behind(b)->head = USED | PREV_USED;
    return b;
}

static struct block *block_malloc(struct heap *h, size_t asize)
{
    struct block *b = find(h, asize);
    if (!b)
        return grow(h, asize);
    b->head |= USED;
    behind(b)->head |= PREV_USED;
    trim(b, asize);
    return b;
}

/* A block whose payload is at a multiple of align, which is more than 16. */
static struct block *block_memalign(struct heap *h, size_t align, size_t asize)
{
    struct block *b = block_malloc(h, asize + align + LEAST);
    if (!b)
        return NULL;
    uintptr_t at = ((uintptr_t)payload(b) + align - 1) & -align;
    if (at != (uintptr_t)payload(b)) {
        while (at - (uintptr_t)payload(b) < LEAST)
            at += align;
        size_t front = at - (uintptr_t)payload(b);
        struct block *rest = block_of((void *)at);
        rest->head = (size_of(b) - front) | USED | PREV_USED;
        b->head -= size_of(rest);
        block_free(b);
        b = rest;
    }
    trim(b, asize);
    return b;
}

/* ---- what the driver calls ------------------------------------------- */

static int mine_init(void)
{
    memset(&heap, 0, sizeof heap);
    if (mem_init() != 0)
        return -1;
    char *p = mem_sbrk(16);
    if (!p)
        return -1;
    heap.first = block_of(p + 16);
    heap.first->head = USED | PREV_USED;
    heap.end = p + 16;
    return 0;
}

static void *mine_malloc(size_t size)
{
    size_t asize = block_size(size);
    struct block *b = asize ? block_malloc(&heap, asize) : NULL;
    if (!b)
        return errno = ENOMEM, NULL;
    return payload(b);
}

static void *mine_memalign(size_t align, size_t size)
{
    if (align <= 16)
        return mine_malloc(size);
    size_t asize = block_size(size);
    struct block *b = asize && align < SIZE_MAX / 4
                          ? block_memalign(&heap, align, asize)
                          : NULL;
    if (!b)
        return errno = ENOMEM, NULL;
    return payload(b);
}

static void mine_free(void *p)
{
    if (p)
        block_free(block_of(p));
}

static size_t mine_usable_size(const void *p)
{
    return size_of(block_of(p)) - HEAD;
}

static void *mine_realloc(void *p, size_t size)
{
    if (p && !size)
        return mine_free(p), NULL;
    size_t old = p ? mine_usable_size(p) : 0;
    if (p && size <= old && size >= old / 2)
        return p;
    void *q = mine_malloc(size);
    if (p && q) {
        memcpy(q, p, old < size ? old : size);
        mine_free(p);
    }
    return q;
}

static void *mine_calloc(size_t n, size_t size)
{
    bool overflow = size && n > SIZE_MAX / size;
    void *p = mine_malloc(overflow ? SIZE_MAX : n * size);
    return p ? memset(p, 0, n * size) : NULL;
}

static size_t broken(const void *b, const char *what)
{
    fprintf(stderr, "block at %p: %s\n", b, what);
    return 1;
}

static size_t mine_check(void)
{
    size_t bad = 0;
    for (struct block *b = heap.first; (char *)b < heap.end - HEAD;) {
        struct block *after = behind(b);
        if (size_of(b) < LEAST || (char *)after >= heap.end)
            return bad + broken(b, "no such size");
        if (!(b->head & USED) != !(after->head & PREV_USED))
            bad += broken(b, "the block behind does not know that it is free");
        if (!(b->head & USED) && !(after->head & USED))
            bad += broken(b, "two free neighbours");
        b = after;
    }
    return bad;
}

static void mine_stats(struct mm_stats *out)
{
    *out = (struct mm_stats){.heap = mem_heapsize(), .heap_peak = mem_peak()};
}

const struct mm_allocator mm_mine = {
    .name = "mine",
    .summary = "an implicit list, merged; for one thread",
    .single_threaded = true,
    .init = mine_init,
    .fini = mem_fini,
    .malloc = mine_malloc,
    .free = mine_free,
    .realloc = mine_realloc,
    .calloc = mine_calloc,
    .memalign = mine_memalign,
    .usable_size = mine_usable_size,
    .check = mine_check,
    .contains = mem_contains,
    .stats = mine_stats,
};
