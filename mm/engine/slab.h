/* slab.h - slabs: small blocks without headers, for the sizes that need it
 * most.
 *
 * A header costs a request 16 bytes or nothing: 24 bytes and a header fit 32,
 * but 32 bytes and a header need 48. So a tight size (one that leaves a
 * 16-byte grain fewer than 8 bytes for a header) that has proved itself busy
 * in a heap takes its blocks from slabs. This is the mini block carried to its
 * end: the smallest block has no header at all. (Making a class earn its own
 * space is the way of Windows' low-fragmentation heap.)
 *
 *   page-aligned: one block of the engine whose payload is a page less 8 bytes,
 *   so that slabs tile: the next block's header takes the page's last 8 bytes
 *
 *   header | struct slab     | 0 | 1 | 2 | ...  | n-1 | rest | header of next
 *          ^ page boundary  ^ blocks of 16 * class bytes
 *
 * The page's tag is the class, with the owner. A bitmap in the slab, not a list
 * through the blocks, says which are free: no cold block is touched by a free,
 * a double free is seen at once, and the lowest address is given out first.
 *
 * Invariants (slabs_check)
 *   R1 a bit of free[] is set iff its block is free; bits >= capacity are 0
 *   R2 used == capacity - number of set bits
 *   R3 a slab is in its class's list iff it has a free block; links: symmetric
 *   R4 a page's tag is the class of its slab, whose block is in use; 0: no slab
 *   R5 live[c] == tight blocks of class c in use, in slabs and with headers */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include "mm/engine/heap.h"
#include "mm/engine/pagemap.h"

#define SLAB_CLASSES 8 /* 16, 32 .. 128 bytes */
#define SLAB_MAX (SLAB_CLASSES * ALIGN)
#define SLAB_BUSY 64
#define SLAB_WORDS 4

struct slab {
    uint32_t next, prev; /* links of the slabs' blocks */
    uint16_t used, capacity;
    uint8_t class; /* block size / 16 */
    uint64_t free[SLAB_WORDS];
};

struct slabs {
    uint32_t partial[SLAB_CLASSES + 1]; /* links: slabs with a free block */
    uint32_t live[SLAB_CLASSES + 1];    /* R5 */
};

#define SLAB_START sizeof(struct slab)
#define SLAB_BYTES (PAGE - HEADER_SIZE)

_Static_assert(SLAB_START % ALIGN == 0, "blocks are aligned");
_Static_assert((SLAB_BYTES - SLAB_START) / ALIGN <= SLAB_WORDS * 64, "bitmap");

/* Would a header cost this request 16 bytes? Not so for 0 bytes. */
static always_inline bool is_tight(size_t size)
{
    return size - 1 < SLAB_MAX && (size - 1) % ALIGN >= ALIGN - HEADER_SIZE;
}

/* The class of a tight size. */
static always_inline unsigned slab_class(size_t size)
{
    return (unsigned)((size + ALIGN - 1) / ALIGN);
}

/* off / (16 * class) for off < a page, by one multiplication. */
static always_inline unsigned slab_slot(size_t off, unsigned class)
{
    static const uint32_t inverse[SLAB_CLASSES + 1] = {0,
                                                       65536,
                                                       65536 / 2 + 1,
                                                       65536 / 3 + 1,
                                                       65536 / 4 + 1,
                                                       65536 / 5 + 1,
                                                       65536 / 6 + 1,
                                                       65536 / 7 + 1,
                                                       65536 / 8 + 1};
    return (unsigned)((off / ALIGN * inverse[class]) >> 16);
}

static always_inline struct slab *link_slab(const struct heap *h, uint32_t link)
{
    return block_payload(link_block(h, link));
}

static always_inline uint32_t slab_link(const struct heap *h,
                                        const struct slab *r)
{
    return block_link(h, payload_block(r));
}

/* The slab that p, of a page with a tag, lies in. */
static always_inline struct slab *payload_slab(const void *p)
{
    return (struct slab *)round_down((uintptr_t)p, PAGE);
}

static inline void slab_list_insert(struct heap *h, struct slabs *slabs,
                                    struct slab *r)
{
    uint32_t *head = &slabs->partial[r->class];
    r->prev = 0;
    r->next = *head;
    if (*head)
        link_slab(h, *head)->prev = slab_link(h, r);
    *head = slab_link(h, r);
}

static inline void slab_list_remove(struct heap *h, struct slabs *slabs,
                                    struct slab *r)
{
    if (r->next)
        link_slab(h, r->next)->prev = r->prev;
    if (r->prev)
        link_slab(h, r->prev)->next = r->next;
    else
        slabs->partial[r->class] = r->next;
}

/* A new slab of class c with all blocks free, in its list; NULL: no memory. */
static cold_noinline struct slab *slab_new(struct heap *h, struct slabs *slabs,
                                           unsigned c)
{
    struct block *b = heap_memalign(h, PAGE, PAGE);
    if (!b)
        return NULL;
    struct slab *r = block_payload(b);
    *r = (struct slab){.class = (uint8_t)c};
    r->capacity = (uint16_t)((SLAB_BYTES - SLAB_START) / (c * ALIGN));
    for (unsigned i = 0; i < r->capacity; i++)
        r->free[i / 64] |= 1ull << (i % 64);
    page_set_tag(r, c | h->owner << TAG_OWNER_SHIFT);
    slab_list_insert(h, slabs, r);
    return r;
}

/* Give an empty slab's page back to the engine, where it merges. */
static cold_noinline void slab_release(struct heap *h, struct slabs *slabs,
                                       struct slab *r)
{
    slab_list_remove(h, slabs, r);
    page_set_tag(r, 0);
    heap_free(h, payload_block(r));
}

/* Take the lowest free block of r, which has one. */
static always_inline void *slab_take(struct heap *h, struct slabs *slabs,
                                     struct slab *r)
{
    unsigned w = 0;
    while (!r->free[w])
        w++;
    unsigned slot = w * 64 + (unsigned)__builtin_ctzl(r->free[w]);
    r->free[w] &= r->free[w] - 1;
    if (unlikely(++r->used == r->capacity))
        slab_list_remove(h, slabs, r);
    return (char *)r + SLAB_START + (size_t)slot * r->class * ALIGN;
}

/* The number of p's block in r. Dies unless p is the first byte of a block in
 * use; what it says if the block is free is up to the caller. */
static always_inline unsigned slab_used_slot(const struct slab *r,
                                             const void *p, const char *if_free)
{
    size_t off = (size_t)((const char *)p - (const char *)r) - SLAB_START;
    unsigned slot = slab_slot(off, r->class);
    if (unlikely(slot >= r->capacity || (size_t)slot * r->class * ALIGN != off))
        mm_die("pointer into the middle of a block", p);
    if (unlikely(r->free[slot / 64 % SLAB_WORDS] >> (slot % 64) & 1))
        mm_die(if_free, p);
    return slot;
}

/** Free p, a block of a slab. */
static always_inline void slab_free(struct heap *h, struct slabs *slabs,
                                    void *p)
{
    struct slab *r = payload_slab(p);
    unsigned slot = slab_used_slot(r, p, "double free of a small block");
    r->free[slot / 64 % SLAB_WORDS] |= 1ull << (slot % 64);
    slabs->live[r->class]--;
    if (unlikely(r->used-- == r->capacity))
        slab_list_insert(h, slabs, r);
    else if (unlikely(r->used == 0 && (r->next || r->prev)))
        slab_release(h, slabs, r); /* the class's last slab may stay, empty */
}

#endif
