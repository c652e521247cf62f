/* mm.c - the allocator: the malloc family, once, over any stage.
 *
 * The lab's allocator grows in stages that stay side by side. All share one
 * engine and this file; a stage says which thread may touch which arena when:
 *
 *   mm/family.h        the C and POSIX contract, over this file
 *   mm/STAGE/stage.h   the hooks of mm/stage.h: an arena's lock, or owner
 *   mm/front/          what a thread has before its arena: arena, lockfree;
 *                      and huge blocks: all
 *   mm/engine/arena.h  busy small sizes to slabs, the rest to the heap
 *     slab.h           headerless blocks in pages
 *     heap.h           boundary-tag blocks: split, merge, grow, resize
 *     region.h         what a heap is; purge.h: how its pages go back
 *     seglist.h        their free lists, or another policy: fit.h
 *     block.h          what a block looks like
 *   memlib.c           where memory comes from
 *
 * Make compiles this file once a stage:
 *   -DMM_STAGE='"mm/global/stage.h"' -DMM_ALLOCATOR=mm_global
 * and each object exports one const struct mm_allocator. There is no #ifdef
 * in the engine: reading the stages' files of one name side by side is the
 * progression. docs/map.md says what to read in which order, and docs/design.md
 * why it is so. */
#include "mm.h"
#include "count.h"

#include "mm/family.h"
#include "mm/stage.h"

#include MM_STAGE

/* For preload.c (mm/engine/view.h). */
#define ALLOCATOR_VIEW                                                         \
    VIEW_ENGINE, STAGE_VIEW, VIEW_AT("huge.bytes", &huge.bytes),               \
        VIEW_AT("huge.blocks", &huge.blocks), VIEW_AT("spares", spares.at),    \
        VIEW_IS("nspares", SPARES)

#ifndef STAGE_DECAY
#define STAGE_DECAY NULL
#endif

static void *mm_malloc(size_t size)
{
    return stage_malloc(size);
}

/* p is no payload of ours; if_freed: what to say if it was a huge block's. */
static cold_noinline _Noreturn void not_ours(const void *p, const char *what,
                                             const char *if_freed)
{
    if (huge_freed(p))
        what = if_freed;
    mm_die(mem_in_range(p) ? "pointer into the middle of a block" : what, p);
}

static cold_noinline void free_unknown(void *p)
{
    if (p && !huge_free(p) && !mem_side_free(p))
        not_ours(p, "free of a pointer that malloc never returned",
                 "double free of a huge block");
}

static void mm_free(void *p)
{
    size_t place = payload_index(p);
    if (unlikely(place >= mem_blocks()))
        free_unknown(p);
    else
        stage_free(p, place_page(place));
}

/* Giving the pages of a block back makes it zero, too. One that the program
 * never touches then costs nothing, but one that it does costs a fault, ten
 * times what writing zeros to it costs. So that is for blocks of which most is
 * clean as it is, and for mappings. */
static bool zero_by_purge(const void *p, size_t bytes)
{
    return bytes > HUGE_OVER || (bytes >= PURGE_MIN && payload_hints_clean(p));
}

static void *make_zero(char *p, size_t bytes)
{
    size_t given = zero_by_purge(p, bytes) ? mem_purge(p, bytes) : 0;
    if (given == 0)
        return memset(p, 0, bytes);
    char *first = (char *)round_up((uintptr_t)p, mem_pagesize());
    memset(p, 0, (size_t)(first - p));
    memset(first + given, 0, (size_t)(p + bytes - (first + given)));
    return p;
}

static void *family_zeroed(size_t size)
{
    void *p =
        size > HUGE_OVER && mem_range.size ? huge_calloc(ALIGN, size) : NULL;
    if (p)
        return p;
    p = mm_malloc(size);
    return p ? make_zero(p, size) : NULL;
}

static void *family_aligned(size_t align, size_t size)
{
    return stage_memalign(align, size);
}

static size_t family_usable(const void *p)
{
    if (likely(payload_index(p) < mem_blocks()))
        return arena_usable(p);
    size_t bytes = huge_usable(p);
    if (!bytes && !(bytes = mem_side_usable(p)))
        not_ours(p, "size of a block that malloc never returned",
                 "size of a huge block that is free");
    return bytes;
}

static always_inline void family_leaving(void *p, size_t bytes, size_t size)
{
    if (unlikely(size > HUGE_OVER))
        huge_moved(p, bytes);
}

/* Resize a block outside the range. A side block moves away; one that shrinks
 * to HUGE_OVER / 2 or less moves into the heap, if that has room. */
static cold_noinline void *resize_huge(void *p, size_t size)
{
    if (mem_side_usable(p))
        return family_move(p, size);
    if (!huge_usable(p))
        not_ours(p, "realloc of a pointer that malloc never returned",
                 "realloc of a huge block that is free");
    void *q = size <= HUGE_OVER / 2 ? family_move(p, size) : NULL;
    return q ? q : huge_resize(p, size);
}

static void *family_resize(void *p, size_t size)
{
    if (unlikely(payload_index(p) >= mem_blocks()))
        return resize_huge(p, size);
    void *q = size <= HUGE_OVER ? stage_resize(p, size) : NULL;
    return q ? q : family_move(p, size);
}

static int mm_init(void)
{
    return mem_init() || stage_init() ? -1 : 0;
}

static void mm_fini(void)
{
    stage_fini();
    huge_fini();
    mem_fini();
}

static size_t mm_check(void)
{
    return stage_check() + huge_check();
}

static size_t mm_used(void)
{
    return stage_used() + huge_used();
}

static size_t mm_trim(void)
{
    return stage_trim() + huge_trim();
}

static void mm_stats(struct mm_stats *out)
{
    *out = (struct mm_stats){.heap = mem_heapsize(),
                             .heap_peak = mem_peak(),
                             .metadata = stage_metadata(),
                             .nmapped = huge_blocks(),
                             .mapped = huge_used()};
}

/* What is no arena's, and the sum. While others work, parts may be more than
 * was mapped when that was read. */
static void mm_census(struct mm_census *c)
{
    struct mem_sizes m = mem_sizes();
    stage_census(c);
    c->nhuge = huge_blocks();
    c->huge = huge_used();
    c->live += c->huge;
    c->spare = spares_bytes();
    c->untouched = m.ahead;
    c->records = m.records;
    size_t sum = c->live + c->cached + c->sent + c->free + c->purged +
                 c->spare + c->untouched + c->records;
    c->mapped = max_size(m.heap + m.ahead + m.outside + m.records, sum);
    c->other = c->mapped - sum;
}

static void mm_walk(void (*each)(const struct mm_piece *piece, void *arg),
                    void *arg)
{
    struct walker w = {each, arg};
    stage_walk(&w);
}

const struct mm_allocator MM_ALLOCATOR = {
    .name = STAGE_NAME,
    .summary = STAGE_SUMMARY,
    .init = mm_init,
    .fini = mm_fini,
    FAMILY,
    .thread_init = stage_thread_init,
    .thread_exit = stage_thread_exit,
    .check = mm_check,
    .contains = heap_or_huge_contains,
    .stats = mm_stats,
    .counts = COUNTS,
    .used = mm_used,
    .census = mm_census,
    .walk = mm_walk,
    .trim = mm_trim,
    .decay = STAGE_DECAY,
};
