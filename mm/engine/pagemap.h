/* pagemap.h - what an address belongs to: one load.
 *
 * memlib keeps a record for each 4 KiB of the heap. Its first word, the tag,
 * says what lies there. It is written by the owner of the page before any block
 * of the page is handed out; later only the owner in it may change, while
 * others read: hence relaxed atomics. Nothing is published through a tag. All
 * other fields are the owner's alone (slab.h).
 *
 *   0    boundary-tag blocks, or nothing of ours
 *   GONE nothing may be read there: it went back to the system with its address
 *   t    bits 0..10: the bytes of each block of the slab in this page
 *        bits 11..26: the arena that owns it
 *
 * So a tag less an owner's (owner_tag) is the bytes of a block if the page is
 * that owner's; if not, it is 0 or more than any block of a slab has. Bytes
 * lead to a bin as they are (front/cache.h): a free needs no shift and no mask.
 */
#ifndef MM_ENGINE_PAGEMAP_H
#define MM_ENGINE_PAGEMAP_H

#include "memlib.h"
#include "mm/util.h"

#define PAGE ((size_t)1 << MEM_GRAIN_LOG2) /* of the map, not the system's */

static always_inline size_t page_index(const void *p)
{
    return (size_t)((const char *)p - mem_range.base) >> MEM_GRAIN_LOG2;
}

/* Where p lies in the range, in units of 16 bytes; mem_blocks() or more if
 * malloc cannot have returned it: the bits that must be zero are rotated to the
 * top, so the index of a misaligned address is too large as well. */
static always_inline size_t payload_index(const void *p)
{
    size_t off = (size_t)((const char *)p - mem_range.base);
    return off / ALIGN | off << (64 - 4);
}

static always_inline uint32_t tag_read(const struct mem_page *page)
{
    return __atomic_load_n(&page->tag, __ATOMIC_RELAXED);
}

/* @pre mem_in_range(p) */
static always_inline uint32_t page_tag(const void *p)
{
    return tag_read(&mem_range.pages[page_index(p)]);
}

/* The record of a payload's page. @pre place < mem_blocks() */
static always_inline struct mem_page *place_page(size_t place)
{
    return &mem_range.pages[place / (PAGE / ALIGN)];
}

#define TAG_OWNER_SHIFT 11
#define TAG_BYTES ((1u << TAG_OWNER_SHIFT) - 1)

/* Bytes of a block of such a page, and its class; 0: it is no slab's. */
static always_inline uint32_t tag_bytes(uint32_t tag)
{
    return tag & TAG_BYTES;
}

static always_inline unsigned tag_class(uint32_t tag)
{
    return tag_bytes(tag) / ALIGN;
}

/* The tag of an owner's pages, without the bytes. */
static always_inline uint32_t owner_tag(uint32_t owner)
{
    return owner << TAG_OWNER_SHIFT;
}

/* The owner that a tag names. */
static always_inline uint32_t tag_owner(uint32_t tag)
{
    return tag >> TAG_OWNER_SHIFT;
}

static always_inline void page_set_tag(struct mem_page *page, uint32_t tag)
{
    __atomic_store_n(&page->tag, tag, __ATOMIC_RELAXED);
}

/* No slab's blocks are as large, and none begins in such a page, as its
 * bound is 0: a free there dies before it reads a header. */
#define TAG_GONE TAG_BYTES

/* The pages of [p, p + size), which are the caller's, hold no block: they are
 * about to be unmapped, or are mapped again. */
static inline void pages_set_gone(const void *p, size_t size, bool gone)
{
    struct mem_page *page = &mem_range.pages[page_index(p)];
    for (struct mem_page *end = page + size / PAGE; page < end; page++) {
        page->bound = 0;
        page_set_tag(page, gone ? TAG_GONE : 0);
    }
}

#endif
