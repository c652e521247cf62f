/* 5.c - lesson 5 starts here: slabs for small blocks, and no lock yet.
 *
 *     h->first                                                     h->end
 *   | - | head | payload ..... | head | next prev ... foot | ... | 0|USED |
 *       in use                  free
 *
 * A head is the block's size in bytes, a multiple of 16, and two bits: USED,
 * and PREV_USED, which is the same of the block before. Payloads begin 8 bytes
 * behind their head and are 16-aligned. A free block has its size once more in
 * its last 8 bytes, so that the block behind it finds its beginning.
 *
 * A slab is a free block of 4 KiB whose payload begins a page: blocks of one
 * size without heads. A table says which pages are slabs. */
#include "memlib.h"
#include "mm.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define HEAD sizeof(size_t)
#define LEAST 32 /* bytes of the smallest block: head, two links, foot */
#define USED 1
#define PREV_USED 2
#define FLAGS 15
#define CLASSES 44 /* sizes from 2^5 on; the last has all that are larger */

#define PAGE 4096
#define PAGES ((size_t)1 << 20) /* slabs lie in the first 4 GiB of the heap */
#define SLAB_MOST 128           /* bytes of the largest block of a slab */

struct block {
    size_t head;
    struct block *next, *prev; /* only in free blocks */
};

struct slab {
    struct slab *next, *prev; /* those of its size that have free blocks */
    void *free;               /* each one's first word leads to the next */
    unsigned size, live;
};

struct heap {
    struct block *first;          /* the block at the lowest address */
    char *end;                    /* behind the last head, which has size 0 */
    struct block *lists[CLASSES]; /* free blocks by size */
    struct slab *slabs[SLAB_MOST / 16 + 1];
};

static struct heap heap;
static unsigned char *is_slab; /* of each page: is it a slab? */
static uintptr_t slab_base;    /* where the first page begins */

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

/* ---- lists ----------------------------------------------------------- */

static unsigned class_of(size_t size)
{
    unsigned c = 63 - (unsigned)__builtin_clzl(size / LEAST);
    return c < CLASSES ? c : CLASSES - 1;
}

static void list_add(struct heap *h, struct block *b)
{
    struct block **list = &h->lists[class_of(size_of(b))];
    b->prev = NULL;
    b->next = *list;
    if (b->next)
        b->next->prev = b;
    *list = b;
}

static void list_remove(struct heap *h, struct block *b)
{
    if (b->next)
        b->next->prev = b->prev;
    if (b->prev)
        b->prev->next = b->next;
    else
        h->lists[class_of(size_of(b))] = b->next;
}

/* The smallest of the first few that fit, in the lowest list that has any. */
static struct block *find(struct heap *h, size_t asize)
{
    for (unsigned c = class_of(asize); c < CLASSES; c++) {
        struct block *best = NULL;
        int looks = 16;
        for (struct block *b = h->lists[c]; b && looks--; b = b->next)
            if (size_of(b) >= asize && (!best || size_of(b) < size_of(best)))
                best = b;
        if (best)
            return best;
    }
    return NULL;
}

/* ---- the heap -------------------------------------------------------- */

/* Make [b, b + size) one free block. Its neighbours are in use. */
static void make_free(struct heap *h, struct block *b, size_t size)
{
    b->head = size | PREV_USED;
    *(size_t *)((char *)b + size - HEAD) = size;
    behind(b)->head &= ~(size_t)PREV_USED;
    list_add(h, b);
}

static void block_free(struct heap *h, struct block *b)
{
    size_t size = size_of(b);
    struct block *after = behind(b);
    if (!(after->head & USED)) {
        list_remove(h, after);
        size += size_of(after);
    }
    if (!(b->head & PREV_USED)) {
        size_t before = *(size_t *)((char *)b - HEAD);
        b = (struct block *)((char *)b - before);
        list_remove(h, b);
        size += before;
    }
    make_free(h, b, size);
}

/* Keep the first asize bytes of b, which is in use; free the rest. */
static void trim(struct heap *h, struct block *b, size_t asize)
{
    size_t rest = size_of(b) - asize;
    if (rest < LEAST)
        return;
    b->head -= rest;
    struct block *r = behind(b);
    r->head = rest | USED | PREV_USED;
    block_free(h, r);
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
    if (have)
        list_remove(h, b);
    b->head = asize | USED | (have ? PREV_USED : last->head & PREV_USED);
    behind(b)->head = USED | PREV_USED;
    return b;
}

static struct block *block_malloc(struct heap *h, size_t asize)
{
    struct block *b = find(h, asize);
    if (!b)
        return grow(h, asize);
    list_remove(h, b);
    b->head |= USED;
    behind(b)->head |= PREV_USED;
    trim(h, b, asize);
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
        block_free(h, b);
        b = rest;
    }
    trim(h, b, asize);
    return b;
}

/* ---- slabs ----------------------------------------------------------- */

/* The number of p's page, counted from the first of the heap. */
static size_t page_of(const void *p)
{
    return ((uintptr_t)p - slab_base) / PAGE;
}

static struct slab *slab_of(const void *p)
{
    size_t page = page_of(p);
    return page < PAGES && is_slab[page] ? (struct slab *)((uintptr_t)p & -PAGE)
                                         : NULL;
}

/* Blocks that a head would make 16 bytes larger. */
static bool slab_suits(size_t size)
{
    return size <= 16 || (size <= SLAB_MOST && (size + 15) % 16 >= 8);
}

static void slab_link(struct heap *h, struct slab *s)
{
    struct slab **list = &h->slabs[s->size / 16];
    s->prev = NULL;
    s->next = *list;
    if (s->next)
        s->next->prev = s;
    *list = s;
}

static void slab_unlink(struct heap *h, struct slab *s)
{
    if (s->next)
        s->next->prev = s->prev;
    if (s->prev)
        s->prev->next = s->next;
    else
        h->slabs[s->size / 16] = s->next;
}

/* Its last 8 bytes are the head of the block behind the page. */
static struct slab *slab_new(struct heap *h, unsigned size)
{
    struct block *b = block_memalign(h, PAGE, PAGE);
    if (!b)
        return NULL;
    struct slab *s = payload(b);
    if (page_of(s) >= PAGES) {
        block_free(h, b);
        return NULL;
    }
    *s = (struct slab){.size = size};
    char *p = (char *)s + ((sizeof *s + 15) & ~(size_t)15);
    for (; p + size <= (char *)s + PAGE - HEAD; p += size) {
        *(void **)p = s->free;
        s->free = p;
    }
    is_slab[page_of(s)] = 1;
    slab_link(h, s);
    return s;
}

static void *slab_malloc(struct heap *h, size_t size)
{
    unsigned bytes = size ? (unsigned)(size + 15) & ~15u : 16;
    struct slab *s = h->slabs[bytes / 16];
    if (!s)
        s = slab_new(h, bytes);
    if (!s)
        return NULL;
    void *p = s->free;
    s->free = *(void **)p;
    s->live++;
    if (!s->free)
        slab_unlink(h, s);
    return p;
}

static void slab_free(struct heap *h, struct slab *s, void *p)
{
    if (!s->free)
        slab_link(h, s);
    *(void **)p = s->free;
    s->free = p;
    if (--s->live)
        return;
    slab_unlink(h, s);
    is_slab[page_of(s)] = 0;
    block_free(h, block_of(s));
}

/* ---- what the driver calls ------------------------------------------- */

static int mine_init(void)
{
    memset(&heap, 0, sizeof heap);
    if (mem_init() != 0)
        return -1;
    char *p = mem_sbrk(16);
    is_slab = mem_record(PAGES);
    if (!p || !is_slab)
        return -1;
    slab_base = (uintptr_t)p & -PAGE;
    heap.first = block_of(p + 16);
    heap.first->head = USED | PREV_USED;
    heap.end = p + 16;
    return 0;
}

static void *mine_malloc(size_t size)
{
    void *p = slab_suits(size) ? slab_malloc(&heap, size) : NULL;
    if (p)
        return p;
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
    if (!p)
        return;
    struct slab *s = slab_of(p);
    if (s)
        slab_free(&heap, s, p);
    else
        block_free(&heap, block_of(p));
}

static size_t mine_usable_size(const void *p)
{
    struct slab *s = slab_of(p);
    return s ? s->size : size_of(block_of(p)) - HEAD;
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
    .summary = "lists by size, and slabs; for one thread",
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
