/* pagemap.h - what an address belongs to: one load.
 *
 * memlib keeps a 32-bit tag for each 4 KiB of the heap. A tag is written by
 * the owner of the page before any block of the page is handed out; later only
 * its owner may change, while others read: hence relaxed atomics. Nothing is
 * published through a tag.
 *
 *   0    boundary-tag blocks, or nothing of ours
 *   c    bits 0..7: a slab of headerless blocks of class c (slab.h);
 *        bits 16..31: the arena that owns it */
#ifndef MM_PAGEMAP_H
#define MM_PAGEMAP_H

#include "memlib.h"
#include "mm/util.h"

#define PAGE ((size_t)1 << MEM_GRAIN_LOG2) /* of the map, not the system's */

static always_inline size_t page_index(const void *p)
{
    return (size_t)((const char *)p - mem_range.base) >> MEM_GRAIN_LOG2;
}

/* Where p lies in the range, in units of 16 bytes; mem_blocks() or more if
 * malloc cannot have returned it: rotated by the bits that must be zero, the
 * distance is too large for an odd address as well. */
static always_inline size_t payload_index(const void *p)
{
    size_t off = (size_t)((const char *)p - mem_range.base);
    return off / ALIGN | off << (64 - 4);
}

/* @pre mem_in_range(p) */
static always_inline uint32_t page_tag(const void *p)
{
    return __atomic_load_n(&mem_range.tags[page_index(p)], __ATOMIC_RELAXED);
}

/* The same, of a payload's place. @pre place < mem_blocks() */
static always_inline uint32_t place_tag(size_t place)
{
    return __atomic_load_n(&mem_range.tags[place / (PAGE / ALIGN)],
                           __ATOMIC_RELAXED);
}

#define TAG_CLASS 0xffu
#define TAG_OWNER_SHIFT 16

static always_inline void page_set_tag(const void *p, uint32_t tag)
{
    __atomic_store_n(&mem_range.tags[page_index(p)], tag, __ATOMIC_RELAXED);
}

#endif
