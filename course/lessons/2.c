/* 2.c - lesson 2 starts here: free blocks are used again, but never merged.
 *
 *     h->first                                                     h->end
 *   | - | head | payload ..... | head | .................. | ... | 0|USED |
 *       in use                  free
 *
 * A head is the block's size in bytes, a multiple of 16, and one bit: USED.
 * Payloads begin 8 bytes behind their head and are 16-aligned.
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

/* The first free block that is large enough. */
static struct block *find(struct heap *h, size_t asize)
{
    for (struct block *b = h->first; size_of(b); b = behind(b))
        if (!(b->head & USED) && size_of(b) >= asize)
            return b;
    return NULL;
}

/* To do, in lesson 2: make one block of b and its free neighbours. */
static void block_free(struct block *b)
{
    b->head &= ~(size_t)USED;
}

/* Keep the first asize bytes of b, which is in use; free the rest. */
static void trim(struct block *b, size_t asize)
{
    size_t rest = size_of(b) - asize;
    if (rest < LEAST)
        return;
    b->head -= rest;
    struct block *r = behind(b);
    r->head = rest | USED;
    block_free(r);
}

/* Append a block in use of asize bytes. If memlib cannot append just there, the
 * bytes between are a block in use that nobody frees. To do, in lesson 2: a
 * free block at the end needs only what it lacks. */
static struct block *grow(struct heap *h, size_t asize)
{
    struct block *last = block_of(h->end);
    if (!mem_extend(h->end, asize)) {
        char *p = mem_sbrk(asize + 16);
        if (!p)
            return NULL;
        last->head += (size_t)(p + 16 - h->end);
        h->end = p + 16;
        last = block_of(h->end);
    }
    h->end += asize;
    last->head = asize | USED;
    behind(last)->head = USED;
    return last;
}

static struct block *block_malloc(struct heap *h, size_t asize)
{
    struct block *b = find(h, asize);
    if (!b)
        return grow(h, asize);
    b->head |= USED;
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
        rest->head = (size_of(b) - front) | USED;
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
    heap.first->head = USED;
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
    for (struct block *b = heap.first; (char *)b < heap.end - HEAD;) {
        if (size_of(b) < LEAST || (char *)behind(b) >= heap.end)
            return broken(b, "no such size");
        b = behind(b);
    }
    return 0;
}

static void mine_stats(struct mm_stats *out)
{
    *out = (struct mm_stats){.heap = mem_heapsize(), .heap_peak = mem_peak()};
}

const struct mm_allocator mm_mine = {
    .name = "mine",
    .summary = "an implicit list, for one thread",
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
