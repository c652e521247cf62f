/* bucket_chunk.h - bucket's chunks, the pool of empty ones, and a heap's lists.
 *
 *   chunk: at a multiple of its size from the heap's base
 *   | heap next prev class used from | bitmap: used | block | block | ... |
 *   ^ found by masking the address                  ^ first, all of one size
 *
 *   heap ─► shelf of 16 bytes: list ─► ─► ─►           freed blocks, for reuse
 *           shelf of 32 bytes: open ⇄ chunk ⇄ chunk    that have free blocks
 *             ...                  ▲     │ empty
 *                                  └─────▼
 *   pool: of all heaps, with a lock: dirty; clean: given back to the system
 *
 * Knows one thread: a heap and its chunks are touched by their owner only, so
 * a chunk is unlinked by the only thread that may link it. Others may read
 * chunk->heap while a block of the chunk lives, for it stays so long.
 *
 * Invariants (heap_check, chunks_check name what is broken)
 *   K1 a chunk's class exists, and a chunk's heap is one of the heaps
 *   K2 used == bits of blocks set: they live, or are in a list or an inbox
 *   K3 a chunk is in its shelf's open list, once, exactly if used < n
 *   K4 0 < used: an empty chunk belongs to no heap and is in the pool
 *   K5 a block in a list is of the list's class and heap, and used */
#ifndef DESIGNS_BUCKET_CHUNK_H
#define DESIGNS_BUCKET_CHUNK_H

#define LARGE_LEAST 1 /* a request that no chunk serves has a page or more */

#include "designs/bucket_class.h"
#include "designs/large.h"
#include "designs/owner.h"

#define POOL_SLACK ((size_t)1 << 20) /* bytes of chunks that may stay dirty */

struct heap;

struct chunk {
    struct heap *heap; /* NULL: in the pool */
    struct chunk *next, *prev;
    uint32_t class, used;
    size_t from; /* the first word of used_bits that may have a 0 */
    uint64_t used_bits[];
};

struct shelf { /* a heap's blocks of one class */
    struct freed *list;
    size_t n;
    struct chunk *open;
};

struct heap {
    struct shelf shelves[CLASSES];
};

/* Chunks by number + 1, linked in memlib's page records: the clean stay
 * untouched. */
static struct {
    struct lock lock;
    uint32_t dirty, clean; /* the first of each kind; 0: none */
    size_t ndirty, nclean;
} pool = {.lock = LOCK_INITIALIZER};

static always_inline struct chunk *chunk_of(const void *p)
{
    size_t at = (size_t)((const char *)p - mem_range.base);
    return (struct chunk *)(mem_range.base + (at & ~(classes.chunk - 1)));
}

static always_inline const struct class *class_of(const struct chunk *c)
{
    return &classes.all[c->class];
}

/* ---- the pool -------------------------------------------------------- */

static struct chunk *chunk_number(uint32_t number)
{
    return (struct chunk *)(mem_range.base + (number - 1) * classes.chunk);
}

static uint32_t *pool_tag(uint32_t number)
{
    return &mem_range.pages[(number - 1) * (classes.chunk >> MEM_GRAIN_LOG2)]
                .tag;
}

/* @pre pool.lock is held, in the next two */
static void pool_push(uint32_t *list, size_t *n, struct chunk *c)
{
    size_t at = (size_t)((char *)c - mem_range.base);
    uint32_t number = (uint32_t)(at / classes.chunk) + 1;
    *pool_tag(number) = *list;
    *list = number;
    ++*n;
}

static struct chunk *pool_pop(uint32_t *list, size_t *n)
{
    uint32_t number = *list;
    if (number == 0)
        return NULL;
    *list = *pool_tag(number);
    --*n;
    return chunk_number(number);
}

/* Have c in the pool. What exceeds the slack goes back to the system. */
static void pool_put(struct chunk *c)
{
    c->heap = NULL;
    lock_take_as(&pool.lock, RANK_NONE);
    bool full = pool.ndirty * classes.chunk >= POOL_SLACK;
    if (!full)
        pool_push(&pool.dirty, &pool.ndirty, c);
    lock_drop(&pool.lock);
    if (!full)
        return;
    bool clean = mem_purge(c, classes.chunk) == classes.chunk;
    if (clean)
        tally_add(&held, -classes.chunk);
    lock_take_as(&pool.lock, RANK_NONE);
    if (clean)
        pool_push(&pool.clean, &pool.nclean, c);
    else
        pool_push(&pool.dirty, &pool.ndirty, c);
    lock_drop(&pool.lock);
}

/* @return a chunk of any content; NULL: the pool is empty */
static struct chunk *pool_take(void)
{
    lock_take_as(&pool.lock, RANK_NONE);
    struct chunk *c = pool_pop(&pool.dirty, &pool.ndirty);
    bool clean = !c && (c = pool_pop(&pool.clean, &pool.nclean));
    lock_drop(&pool.lock);
    if (clean)
        tally_add(&held, classes.chunk);
    return c;
}

/* @return a chunk from memlib; NULL, errno == ENOMEM */
static struct chunk *pool_grow(void)
{
    struct chunk *c = mem_sbrk(classes.chunk);
    if (c)
        tally_add(&held, classes.chunk);
    return c;
}

/* ---- chunks ---------------------------------------------------------- */

static void chunk_link(struct shelf *s, struct chunk *c)
{
    c->prev = NULL;
    c->next = s->open;
    if (c->next)
        c->next->prev = c;
    s->open = c;
}

static void chunk_unlink(struct shelf *s, struct chunk *c)
{
    *(c->prev ? &c->prev->next : &s->open) = c->next;
    if (c->next)
        c->next->prev = c->prev;
}

/* Make c, which no heap has, an open chunk of a class. Bits of the last word
 * for which there is no block are set: they are never found free. */
static void chunk_open(struct heap *h, uint32_t class, struct chunk *c)
{
    size_t n = classes.all[class].n;
    *c = (struct chunk){.heap = h, .class = class};
    memset(c->used_bits, 0, bitmap_bytes(n));
    if (n % 64)
        c->used_bits[n / 64] = ~UINT64_C(0) << n % 64;
    chunk_link(&h->shelves[class], c);
}

/* @return a free block of the open chunk c, now used. A full chunk is no more
 * open. */
static void *chunk_take(struct shelf *s, struct chunk *c)
{
    const struct class *k = class_of(c);
    while (!~c->used_bits[c->from])
        c->from++;
    unsigned bit = (unsigned)__builtin_ctzl(~c->used_bits[c->from]);
    c->used_bits[c->from] |= UINT64_C(1) << bit;
    if (++c->used == k->n)
        chunk_unlink(s, c);
    return (char *)c + k->first + (c->from * 64 + bit) * k->size;
}

#define NO_BLOCK SIZE_MAX

/* The number of the used block that starts at p. */
static size_t block_index(const struct chunk *c, const void *p)
{
    const struct class *k = class_of(c);
    uint32_t at = (uint32_t)((const char *)p - (const char *)c) - k->first;
    uint32_t i = at / k->size;
    bool used = i < k->n && c->used_bits[i / 64] >> i % 64 & 1;
    return used && at % k->size == 0 ? i : NO_BLOCK;
}

/* Give a block back to its chunk, and the chunk to the pool if it is empty. */
static void chunk_put(struct heap *h, void *p)
{
    struct chunk *c = chunk_of(p);
    struct shelf *s = &h->shelves[c->class];
    size_t i = block_index(c, p);
    if (unlikely(i == NO_BLOCK))
        mm_die("not a live block: freed twice, or malloc never returned it", p);
    c->used_bits[i / 64] &= ~(UINT64_C(1) << i % 64);
    c->from = min_size(c->from, i / 64);
    if (c->used-- == class_of(c)->n)
        chunk_link(s, c);
    if (c->used == 0) {
        chunk_unlink(s, c);
        pool_put(c);
    }
}

/* ---- a heap's lists -------------------------------------------------- */

static void shelf_flush(struct heap *h, struct shelf *s, size_t keep)
{
    while (s->n > keep) {
        struct freed *f = s->list;
        s->list = f->next;
        s->n--;
        chunk_put(h, f);
    }
}

static void heap_flush(struct heap *h)
{
    for (unsigned i = 0; i < classes.total; i++)
        shelf_flush(h, &h->shelves[i], 0);
}

/** Free a block of this heap's chunk c. */
static always_inline void heap_free(struct heap *h, const struct chunk *c,
                                    struct freed *f)
{
    struct shelf *s = &h->shelves[c->class];
    if (unlikely(s->list == f))
        mm_die("double free", f);
    f->next = s->list;
    s->list = f;
    if (unlikely(++s->n > class_of(c)->keep))
        shelf_flush(h, s, s->n / 2);
}

static always_inline void *shelf_pop(struct shelf *s)
{
    struct freed *f = s->list;
    s->list = f->next;
    s->n--;
    return f;
}

/* Before the memory of all grows, this heap gives what it does not use. */
static struct chunk *heap_chunk(struct heap *h)
{
    struct chunk *c = pool_take();
    if (c)
        return c;
    heap_flush(h);
    c = pool_take();
    return c ? c : pool_grow();
}

/** Put blocks into an empty list. @return false, errno == ENOMEM */
static bool heap_fill(struct heap *h, uint32_t class)
{
    struct shelf *s = &h->shelves[class];
    struct freed **end = &s->list;
    if (!s->open) {
        struct chunk *c = heap_chunk(h);
        if (!c)
            return false;
        chunk_open(h, class, c);
    }
    for (; s->open && s->n <= classes.all[class].keep / 2; s->n++) {
        *end = chunk_take(s, s->open); /* in order of address */
        end = &(*end)->next;
    }
    *end = NULL;
    return true;
}

/* ---- check ----------------------------------------------------------- */

static size_t bits_set(const struct chunk *c)
{
    size_t n = class_of(c)->n, set = 0;
    for (size_t w = 0; w < bitmap_bytes(n) / sizeof(uint64_t); w++)
        set += (size_t)__builtin_popcountl(c->used_bits[w]);
    return set - (n % 64 ? 64 - n % 64 : 0);
}

static size_t chunk_check(const struct chunk *c, bool heap_exists)
{
    if (broken(!heap_exists || c->class >= classes.total, "K1 class, heap", c,
               "of a chunk, not known: class", c->class))
        return 1;
    return broken(bits_set(c) != c->used, "K2 used", c,
                  "chunk's count differs from its bitmap's", bits_set(c)) +
           broken(c->used == 0, "K4 empty", c, "chunk belongs to a heap", 0);
}

/** Count what is broken in a heap. @param open  += chunks met in open lists */
static size_t heap_check(const struct heap *h, size_t *open)
{
    size_t bad = 0, n;
    for (uint32_t i = 0; i < classes.total; i++) {
        const struct shelf *s = &h->shelves[i];
        const struct chunk *c = s->open, *prev = NULL;
        for (; c; prev = c, c = c->next, ++*open)
            bad += broken(c->heap != h || c->class != i || c->prev != prev ||
                              c->used >= class_of(c)->n,
                          "K3 open", c, "wrongly in the open list", i);
        n = 0;
        for (const struct freed *f = s->list; f; f = f->next, n++) {
            c = chunk_of(f);
            bad += broken(c->heap != h || c->class != i ||
                              block_index(c, f) == NO_BLOCK,
                          "K5 list", f, "no used block of this class", i);
        }
        bad += broken(n != s->n, "K5 list", s, "count differs; counted", n);
    }
    return bad;
}

#endif
