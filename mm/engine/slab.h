/* slab.h - slabs: blocks of one size, side by side, without headers.
 *
 * A slab is one block of the engine whose payload begins with a page, and whose
 * size is 1, 2 or 4 pages less the 8 bytes of the next block's header: so slabs
 * tile. What is known of it stands in the record of its first page (pagemap.h),
 * outside the heap: no line of the slab is touched but those of its blocks.
 *
 *   header | 0 | 1 | 2 | ... | carved-1 | not yet carved ... | rest | header
 *          ^ page boundary     blocks of 16 * class bytes             of next
 *
 *   record  tag: bytes, owner | units: place | room | carved | free | next ...
 *                                                              │
 *                                                              ▼ block ─► 0
 *
 * A free block leads to the next one by its first word, and its second is a key
 * made of its address: a block that is freed while it has its key is freed
 * twice. A block that is handed out has no key. So a double free is seen at
 * once, wherever the block waits: here, in a bin, or on its way home.
 *
 * A slab is listed while it can serve: with blocks to carve, or free ones. The
 * list is first in, first out: the slab that has waited longest has got most
 * back. A thread takes one block, or all free blocks of the first slab at once.
 * room counts down to what happens next, whatever it is: one decrement and one
 * branch for each block that comes back.
 *
 *   listed       room == blocks that are out      0: the slab is empty
 *   not listed   room == 1: all are               0: the first is back
 *
 * Blocks are carved a page's worth at a time: pages that nobody needs yet stay
 * untouched, and have no tag.
 *
 * Invariants (slabs_check)
 *   S1 blocks in free are carved, each once; listed: carved == room + these
 *   S2 not listed: carved == all, room == 1, and no block is free
 *   S3 listed slabs are in their class's list, and no others; links: symmetric
 *   S4 a page's tag and units are bytes, owner and place of its slab, once a
 *      block that begins in it is carved; other pages' tags are 0
 *   S5 nslabs[c] == slabs of class c
 *
 * Slabs are Bonwick's (1994); the list taken whole is after mimalloc's pages
 * (Leijen, Zorn & de Moura, 2019), divisibility by one multiplication Lemire's
 * (Lemire, Kaser & Kurz, 2019). */
#ifndef MM_ENGINE_SLAB_H
#define MM_ENGINE_SLAB_H

#include "mm/engine/heap.h"
#include "mm/engine/pagemap.h"

#define SLAB_CLASSES 64 /* 16, 32 .. 1024 bytes */
#define SLAB_MAX (SLAB_CLASSES * ALIGN)
#define SLAB_PAGES_MAX 4
#define SLAB_SLOTS_MAX 255 /* of class 1 */
#define SLAB_WORDS 4       /* of a bit for each slot */
#define PAGE_UNITS (PAGE / ALIGN)

struct slab_class {
    uint8_t pages, slots;
    uint16_t bound;
    uint32_t inverse; /* 2^32 / class, rounded down, and one */
};

/* At least 15 blocks, so that what is left over is less than a sixteenth. */
#define CLASS_PAGES(c) ((c) <= 16 ? 1 : (c) <= 32 ? 2 : 4)
#define CLASS_SLOTS(c) ((CLASS_PAGES(c) * PAGE_UNITS - 1) / (c))
#define CLASS_INVERSE(c) ((uint32_t)(((uint64_t)1 << 32) / (c) + 1))
/* Let r be c times the inverse, mod 2^32: 1 .. c. Unit n of a slab times the
 * inverse, mod 2^32, is n / c times r if c divides n, and at least the inverse
 * if not. So a block begins there if that is below this bound. */
#define CLASS_BOUND(c) ((uint32_t)(CLASS_INVERSE(c) * (c)) * CLASS_SLOTS(c))
#define CLASS(c)                                                               \
    {                                                                          \
        CLASS_PAGES(c), CLASS_SLOTS(c), CLASS_BOUND(c), CLASS_INVERSE(c)       \
    }
#define CLASS_4(c) CLASS(c), CLASS((c) + 1), CLASS((c) + 2), CLASS((c) + 3)
#define CLASS_16(c)                                                            \
    CLASS_4(c), CLASS_4((c) + 4), CLASS_4((c) + 8), CLASS_4((c) + 12)

static const struct slab_class slab_classes[SLAB_CLASSES + 1] = {
    {0, 0, 0, 0}, CLASS_16(1), CLASS_16(17), CLASS_16(33), CLASS_16(49)};

_Static_assert(CLASS_SLOTS(1) == SLAB_SLOTS_MAX, "class 1 has most blocks");

struct slabs {
    uint32_t first[SLAB_CLASSES + 1]; /* listed: index of a slab; 0: none */
    uint32_t last[SLAB_CLASSES + 1];
    uint32_t nslabs[SLAB_CLASSES + 1]; /* S5 */
};

/* ---- blocks ------------------------------------------------------------ */

/* The class that serves a request. @pre 0 < size <= SLAB_MAX */
static always_inline unsigned slab_class(size_t size)
{
    return (unsigned)((size + ALIGN - 1) / ALIGN);
}

/* What a free block of at least 16 bytes says in its second word. */
static always_inline uint64_t block_key(const void *p)
{
    return (uint64_t)(uintptr_t)p ^ 0x6d3a9b51c7e4f28d; /* any random one */
}

static always_inline bool block_has_key(const void *p)
{
    return ((const uint64_t *)p)[1] == block_key(p);
}

/* It does not return, but its callers are not told, and so need no frame. */
static cold_noinline void die_double_free(void *p)
{
    hide(p);
    if (p)
        mm_die("double free of a small block", p);
}

/* p is free from now on. */
static always_inline void block_put_key(void *p)
{
    ((uint64_t *)p)[1] = block_key(p);
}

/* The same. Dies if it is free already. */
static always_inline void block_set_key(void *p)
{
    if (unlikely(block_has_key(p)))
        die_double_free(p);
    block_put_key(p);
}

/* p is in use from now on. */
static always_inline void block_clear_key(void *p)
{
    ((uint64_t *)p)[1] = 0;
}

/* Is p, 16-aligned, in a page of a slab, the first byte of a block? The page's
 * record says at which 16-byte unit of the slab it begins, what to divide by,
 * and how many blocks there are. */
static always_inline bool slab_has_block(const void *p)
{
    size_t place = payload_index(p);
    const struct mem_page *page = place_page(place);
    uint32_t unit = (uint32_t)(place % PAGE_UNITS) + page->units;
    return unit * page->inverse < page->bound;
}

static cold_noinline void die_inside(const void *p)
{
    hide(p);
    if (p)
        mm_die(page_tag(p) == TAG_GONE
                   ? "the block is free, and its memory went back to the system"
                   : "pointer into the middle of a block",
               p);
}

/* Dies unless p, in a page of a slab, is a block that may be freed; it is
 * free from now on. */
static always_inline void slab_mark_free(void *p)
{
    if (unlikely(!slab_has_block(p)))
        die_inside(p);
    block_set_key(p);
}

/* ---- records ----------------------------------------------------------- */

static always_inline struct mem_page *slab_at(uint32_t index)
{
    return &mem_range.pages[index];
}

static always_inline uint32_t slab_index(const struct mem_page *s)
{
    return (uint32_t)(s - mem_range.pages);
}

static inline char *slab_start(const struct mem_page *s)
{
    return mem_range.base + (size_t)slab_index(s) * PAGE;
}

/* The slab that a page of one belongs to: units say how many pages back. */
static always_inline struct mem_page *page_slab(struct mem_page *page)
{
    return page - page->units / PAGE_UNITS;
}

static always_inline struct mem_page *payload_slab(const void *p)
{
    return page_slab(&mem_range.pages[page_index(p)]);
}

static inline void slab_list_append(struct slabs *slabs, struct mem_page *s,
                                    unsigned c)
{
    uint32_t index = slab_index(s), last = slabs->last[c];
    s->listed = true;
    s->prev = last;
    s->next = 0;
    *(last ? &slab_at(last)->next : &slabs->first[c]) = index;
    slabs->last[c] = index;
}

static inline void slab_list_remove(struct slabs *slabs, struct mem_page *s,
                                    unsigned c)
{
    s->listed = false;
    *(s->next ? &slab_at(s->next)->prev : &slabs->last[c]) = s->prev;
    *(s->prev ? &slab_at(s->prev)->next : &slabs->first[c]) = s->next;
}

/* The slab whose block b is. NULL: b is no slab's. */
static inline struct mem_page *block_slab(const struct block *b)
{
    const void *p = block_payload(b);
    bool is = block_used(b) && (uintptr_t)p % PAGE == 0 && page_tag(p);
    return is ? slab_at((uint32_t)page_index(p)) : NULL;
}

/* ---- birth and death --------------------------------------------------- */

/* A new slab of class c, listed, nothing of it carved. NULL: no memory. */
static cold_noinline struct mem_page *slab_new(struct heap *h,
                                               struct slabs *slabs, unsigned c)
{
    struct block *b = heap_memalign(h, PAGE, slab_classes[c].pages * PAGE);
    if (!b)
        return NULL;
    struct mem_page *s = slab_at((uint32_t)page_index(block_payload(b)));
    s->room = s->carved = 0;
    s->free = NULL;
    slab_list_append(slabs, s, c);
    slabs->nslabs[c]++;
    return s;
}

/* Give an empty slab back to the engine, where it merges. */
static cold_noinline void slab_release(struct heap *h, struct slabs *slabs,
                                       struct mem_page *s, unsigned c)
{
    slab_list_remove(slabs, s, c);
    slabs->nslabs[c]--;
    for (unsigned i = 0; i < slab_classes[c].pages; i++)
        page_set_tag(s + i, 0);
    heap_free(h, payload_block(slab_start(s)));
}

/* Carve a page's worth of s, which is not carved to its end.
 * @return the chain of new blocks, by rising address */
static cold_noinline void *slab_carve(const struct heap *h, struct mem_page *s,
                                      unsigned c)
{
    size_t size = c * ALIGN, at = s->carved * size, page = at / PAGE;
    size_t end = min_size((page + 1) * PAGE, slab_classes[c].slots * size);
    char *first = slab_start(s) + at, *last = first;
    for (; at + size < end; at += size, last += size) {
        *(void **)last = last + size;
        block_put_key(last);
        s->carved++;
    }
    *(void **)last = NULL;
    block_put_key(last);
    s->carved++;
    s[page].units = (uint16_t)(page * PAGE_UNITS);
    s[page].inverse = slab_classes[c].inverse;
    s[page].bound = slab_classes[c].bound;
    page_set_tag(s + page, (uint32_t)size | owner_tag(h->owner));
    return first;
}

/* ---- taking and giving back -------------------------------------------- */

/* All that s, listed, had is out now: does it stay listed? */
static always_inline void slab_drained(struct slabs *slabs, struct mem_page *s,
                                       unsigned c)
{
    if (s->carved == slab_classes[c].slots) {
        slab_list_remove(slabs, s, c);
        s->room = 1;
    }
}

/* Take one block of s, listed. */
static always_inline void *slab_take(const struct heap *h, struct slabs *slabs,
                                     struct mem_page *s, unsigned c)
{
    void *p = s->free ? s->free : slab_carve(h, s, c);
    s->free = *(void **)p;
    s->room++;
    if (unlikely(!s->free))
        slab_drained(slabs, s, c);
    block_clear_key(p);
    return p;
}

/* Take all free blocks of s, listed, or a page's worth.
 * @return their chain, *n blocks, which keep their keys */
static inline void *slab_take_all(const struct heap *h, struct slabs *slabs,
                                  struct mem_page *s, unsigned c, unsigned *n)
{
    unsigned out = s->room;
    void *chain = s->free ? s->free : slab_carve(h, s, c);
    *n = s->carved - out;
    s->free = NULL;
    s->room = s->carved;
    slab_drained(slabs, s, c);
    return chain;
}

/* s has got its first block back, or all. The class's last slab may stay,
 * empty. */
static cold_noinline void slab_event(struct heap *h, struct slabs *slabs,
                                     struct mem_page *s, unsigned c)
{
    if (!s->listed) {
        slab_list_append(slabs, s, c);
        s->room = s->carved - 1;
    } else if (s->next || s->prev) {
        slab_release(h, slabs, s, c);
    }
}

/* p, which has its key, comes back to its slab. */
static always_inline void slab_put(struct heap *h, struct slabs *slabs, void *p,
                                   uint32_t tag)
{
    struct mem_page *s = payload_slab(p);
    *(void **)p = s->free;
    s->free = p;
    if (unlikely(--s->room == 0))
        slab_event(h, slabs, s, tag_class(tag));
}

/* The same, in this page, if nothing follows from it. @return false: something
 * would, and nothing was done */
static always_inline bool slab_put_quietly(struct mem_page *page, void *p)
{
    struct mem_page *s = page_slab(page);
    if (unlikely(s->room == 1))
        return false;
    s->room--;
    *(void **)p = s->free;
    s->free = p;
    return true;
}

/* Give back what is empty, the last ones of their classes, too. */
static inline void slabs_trim(struct heap *h, struct slabs *slabs)
{
    for (unsigned c = 1; c <= SLAB_CLASSES; c++)
        for (uint32_t i = slabs->first[c], next; i; i = next) {
            next = slab_at(i)->next;
            if (!slab_at(i)->room)
                slab_release(h, slabs, slab_at(i), c);
        }
}

#endif
