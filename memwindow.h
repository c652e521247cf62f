/* memwindow.h - which addresses the heap, its records and those of its pages
 * may have, and where such a window is.
 *
 *   window            records        base                          page
 *     | pages: 1/128 | 1/128 + ...  | heap: zones ................| |
 *     | level 0 |1|  2  |    3    ...                    each as all before
 *
 * Nothing of it is reserved: it is as large as the address space allows, a
 * sixteenth of 47 bits. In small spaces (39 bits of Sv39, Arm) it is one zone,
 * and smaller in one where that finds no place.
 * Addresses above 47 bits come only to who asks for them, by a hint: nobody
 * does here, as programs may keep something in a pointer's upper bits. */
#ifndef MEMWINDOW_H
#define MEMWINDOW_H

#include "config.h"
#include "mempart.h"

#include <stdint.h>

#define LEVELS (1 + __builtin_ctzl(MEM_WINDOW / MEM_TAGGED))

#define GRAIN ((size_t)1 << MEM_GRAIN_LOG2)
#define PAGE_RECORD sizeof(struct mem_page)

_Static_assert(MEM_TAGGED << (LEVELS - 1) == MEM_WINDOW,
               "levels of page records");
_Static_assert(MEM_WINDOW / GRAIN <= (size_t)1 << 32 &&
                   MEM_WINDOW % MEM_ZONE == 0,
               "links of page records are 32-bit; whole zones");

/* ---- levels of page records ------------------------------------------- */

/* The level of the record for a place in the heap. */
static inline unsigned level_of(size_t at)
{
    return at < MEM_TAGGED ? 0 : 64 - (unsigned)__builtin_clzl(at / MEM_TAGGED);
}

/* Where the heap ends that levels up to this one have records for. */
static inline size_t level_end(unsigned level)
{
    return MEM_TAGGED << level;
}

static inline size_t level_start(unsigned level)
{
    return level ? level_end(level - 1) : 0;
}

static inline enum mapped level_map(struct mem_page *pages, unsigned level)
{
    size_t first = level_start(level) / GRAIN, end = level_end(level) / GRAIN;
    size_t bytes = (end - first) * PAGE_RECORD;
    enum mapped result = map_at((char *)(pages + first), bytes);
    if (result == MAPPED)
        sys_name(pages + first, bytes, NAME_RECORDS);
    return result;
}

/* The first level is there before names are. */
static inline void level_name(struct mem_page *pages)
{
    sys_name(pages, level_end(0) / GRAIN * PAGE_RECORD, NAME_RECORDS);
}

static inline void level_unmap(struct mem_page *pages, unsigned level)
{
    size_t first = level_start(level) / GRAIN, end = level_end(level) / GRAIN;
    sys_munmap(pages + first, (end - first) * PAGE_RECORD);
}

enum level { NONE, CLAIMED, THERE, DEAD };
typedef _Atomic uint8_t level_word; /* an enum level; one for each */

/* Acquire, paired with the release in level_set: it is mapped. */
static inline enum level level_get(const level_word *levels, unsigned level)
{
    return atomic_load_explicit(&levels[level], memory_order_acquire);
}

static inline void level_set(level_word *levels, unsigned level, enum level is)
{
    atomic_store_explicit(&levels[level], is, memory_order_release);
}

/* Bytes of the records that are mapped. */
static inline size_t levels_mapped(const level_word *levels)
{
    size_t bytes = 0;
    for (unsigned level = 0; level < LEVELS; level++)
        if (level_get(levels, level) == THERE)
            bytes +=
                (level_end(level) - level_start(level)) / GRAIN * PAGE_RECORD;
    return bytes;
}

/* The caller, who has claimed the level, maps it; unless a helper has. */
static inline enum mapped
level_map_claimed(level_word *levels, struct mem_page *pages, unsigned level)
{
    enum mapped result = level_map(pages, level);
    uint8_t claimed = CLAIMED;
    if (result == MAPPED)
        level_set(levels, level, THERE);
    else if (!atomic_compare_exchange_strong_explicit(
                 &levels[level], &claimed, result == TAKEN ? DEAD : NONE,
                 memory_order_relaxed, memory_order_relaxed))
        result = level_get(levels, level) == THERE ? MAPPED : TAKEN;
    return result;
}

/* Some time slices: a thread that has mapped a level may have to wait for a
 * processor before it can say so, and a level is mapped once. */
#define LEVEL_LOOKS 1000000

/* Another thread has claimed the level: it may be stopped. A jump would cost
 * half of the window in the last one, so first the caller tries itself: of two
 * that map the same place one succeeds, and says so.
 * @return TAKEN: not ours, or mapped by a thread that does not get on to say so
 */
static inline enum mapped level_help(level_word *levels, struct mem_page *pages,
                                     unsigned level)
{
    for (int i = 0; i < LEVEL_LOOKS && level_get(levels, level) == CLAIMED; i++)
        cpu_relax();
    if (level_get(levels, level) == CLAIMED &&
        level_map(pages, level) == MAPPED)
        level_set(levels, level, THERE);
    return level_get(levels, level) == THERE ? MAPPED : TAKEN;
}

static inline enum mapped level_commit(level_word *levels,
                                       struct mem_page *pages, unsigned level)
{
    uint8_t none = NONE;
    count_rmw();
    return atomic_compare_exchange_strong_explicit(
               &levels[level], &none, CLAIMED, memory_order_relaxed,
               memory_order_relaxed)
               ? level_map_claimed(levels, pages, level)
               : level_help(levels, pages, level);
}

/* For a thread that is alone, both: records are zero; there are none. */
static inline void levels_zero(const level_word *levels, struct mem_page *pages)
{
    for (unsigned level = 0; level < LEVELS; level++) {
        size_t first = level_start(level) / GRAIN;
        size_t end = level_end(level) / GRAIN;
        if (level_get(levels, level) == THERE)
            sys_zero(pages + first, (end - first) * PAGE_RECORD);
    }
}

static inline void levels_unmap(level_word *levels, struct mem_page *pages)
{
    for (unsigned level = 0; level < LEVELS; level++) {
        if (level_get(levels, level) == THERE)
            level_unmap(pages, level);
        level_set(levels, level, NONE);
    }
}

/* Have page records for [at, end) of the heap. @return TAKEN: not before *next
 */
static inline enum mapped levels_commit(level_word *levels,
                                        struct mem_page *pages, size_t at,
                                        size_t end, size_t *next)
{
    if (at == end) /* [0, 0) has no last byte */
        return MAPPED;
    for (unsigned level = level_of(at); level <= level_of(end - 1); level++) {
        enum mapped result = level_get(levels, level) == THERE
                                 ? MAPPED
                                 : level_commit(levels, pages, level);
        *next = level_end(level);
        if (result != MAPPED)
            return result;
    }
    return MAPPED;
}

/* ---- the window ------------------------------------------------------ */

/* ThreadSanitizer knows memory near the stacks only, and ends a program that
 * wants some elsewhere. */
#if defined __SANITIZE_THREAD__
#define WINDOW_TRIES 0
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define WINDOW_TRIES 0
#endif
#endif
#ifndef WINDOW_TRIES
#define WINDOW_TRIES 3 /* at random places */
#endif

struct window {
    uintptr_t at;
    size_t size; /* the heap's bytes, a power of two; 0: there is none */
};

/* Bytes that a tool may have room for. */
#define WINDOW_NEAR ((size_t)64 << 30)

static inline size_t pages_bytes(size_t size)
{
    return size / GRAIN * PAGE_RECORD;
}

static inline size_t records_bytes(size_t size)
{
    return pages_bytes(size) + MEM_RECORDS_MIN;
}

static inline size_t window_bytes(size_t size)
{
    return pages_bytes(size) + records_bytes(size) + size;
}

static inline char *window_base(struct window w)
{
    return (char *)w.at + pages_bytes(w.size) + records_bytes(w.size);
}

static inline bool window_holds(struct window w, const void *p)
{
    return (uintptr_t)p - w.at < window_bytes(w.size);
}

/* The first page records, and a page before the base: a pointer to the base,
 * which no block has, would have its header there. */
static inline void window_undo(struct window w, size_t page)
{
    level_unmap((struct mem_page *)w.at, 0);
    sys_munmap(window_base(w) - page, page);
}

static inline bool window_reaches(struct window w, size_t page)
{
    char *last = (char *)w.at + window_bytes(w.size) - page;
    return map_at(last, page) == MAPPED && !sys_munmap(last, page);
}

/* May the window be there? What is mapped first stays so. Nothing else is
 * tried, for what comes later may come anywhere; but the end is, where a tool
 * places things its own way. */
static inline bool window_try(struct window w, const void *near, size_t page,
                              bool reach)
{
    if (w.at + window_bytes(w.size) < w.at || window_holds(w, near) ||
        window_holds(w, &mem_range) || window_holds(w, &w) ||
        level_map((struct mem_page *)w.at, 0) != MAPPED)
        return false;
    if (map_at(window_base(w) - page, page) == MAPPED &&
        (!reach || window_reaches(w, page)))
        return true;
    window_undo(w, page);
    return false;
}

/* A heap of so many bytes far from all that the kernel places by itself: it
 * puts programs near two thirds of all addresses, or at the lowest, and
 * libraries and stacks at the highest, where near is. So the window is between
 * three and four eighths, at a place that is different each time if near's is.
 */
static inline struct window window_far(const void *near, size_t page,
                                       size_t size)
{
    uintptr_t top = (uintptr_t)near, random = top >> 12;
    for (int i = 0; i < WINDOW_TRIES; i++) {
        random = random * 0x9e3779b97f4a7c15 + 1; /* Knuth's, 64 bits wide */
        struct window w = {
            (top / 8 * 3 + (random >> 20) % (top / 8)) & ~(JUMP - 1), size};
        if (w.at + window_bytes(size) < top && window_try(w, near, page, false))
            return w;
    }
    return (struct window){0};
}

/* The same where a tool decides about places (valgrind), and near may be low:
 * at some distance from it. */
static inline struct window window_near(const void *near, size_t page,
                                        size_t size)
{
    uintptr_t top = (uintptr_t)near;
    for (size_t far = size / 2; far < size << 5; far *= 2)
        for (int up = 0; up < 2; up++) {
            uintptr_t at = up ? top + far : top - far - window_bytes(size);
            struct window w = {at & ~(JUMP - 1), size};
            if (window_try(w, near, page, true))
                return w;
        }
    return (struct window){0};
}

/* Find a window: a sixteenth of the space, but a zone at least; smaller, if
 * there is no place. near: something that the kernel has just placed. */
static inline struct window window_find(const void *near, size_t page)
{
    struct window w = {0};
    size_t size = MEM_WINDOW;
    while (size > MEM_ZONE && size / 2 > (uintptr_t)near / 16)
        size /= 2;
    for (; size >= MEM_TAGGED && !w.size; size /= 2) {
        w = window_far(near, page, size);
        if (!w.size && size <= WINDOW_NEAR)
            w = window_near(near, page, size);
    }
    return w;
}

#endif
