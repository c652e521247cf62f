/* mm.c - the allocator: the malloc family, once, over any stage.
 *
 * The lab's allocator grows in stages that stay side by side. All share one
 * engine and this file; a stage says which thread may touch which arena when:
 *
 *   mm.c               the C and POSIX contract
 *   mm/STAGE/stage.h   the hooks of mm/stage.h: an arena's lock, or owner
 *   mm/front/          what a thread has before its arena: arena, lockfree
 *   mm/engine/arena.h  tight and busy sizes to slabs
 *     slab.h            headerless blocks in pages
 *     heap.h           boundary-tag blocks
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

#include "mm/stage.h"

#include MM_STAGE

/** Allocate size bytes. malloc(0) is a block of its own.
 * @return 16-aligned payload; NULL, errno == ENOMEM. */
static void *mm_malloc(size_t size)
{
    return stage_malloc(size);
}

/* p is no payload, wherever it is from. */
static cold_noinline _Noreturn void not_ours(const void *p, const char *what)
{
    mm_die(mem_in_range(p) ? "pointer into the middle of a block" : what, p);
}

static cold_noinline void free_unknown(void *p)
{
    if (p && !huge_free(p) && !mem_side_free(p))
        not_ours(p, "free of a pointer that malloc never returned");
}

/** Free p; NULL does nothing. errno is kept.
 * Dies with a line on stderr on a pointer that is no live block's. */
static void mm_free(void *p)
{
    size_t place = payload_index(p);
    if (unlikely(place >= mem_blocks()))
        free_unknown(p);
    else
        stage_free(p, place_tag(place));
}

/* Blocks from this size on are made zero by giving their pages back: a page
 * that the program never touches then costs nothing, as it does where large
 * blocks are mapped one by one; and one that it does costs what writing zeros
 * to it would have. */
#define ZERO_BY_PURGE ((size_t)128 << 10)

static void *make_zero(char *p, size_t bytes)
{
    size_t given = bytes >= ZERO_BY_PURGE ? mem_purge(p, bytes) : 0;
    if (given == 0)
        return memset(p, 0, bytes);
    char *first = (char *)round_up((uintptr_t)p, mem_pagesize());
    memset(p, 0, (size_t)(first - p));
    memset(first + given, 0, (size_t)(p + bytes - (first + given)));
    return p;
}

/** @return n * size zero bytes; NULL, errno == ENOMEM, also on overflow. */
static void *mm_calloc(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        return no_memory();
    void *p =
        bytes > HUGE_OVER && mem_range.size ? huge_calloc(ALIGN, bytes) : NULL;
    if (p)
        return p;
    p = mm_malloc(bytes);
    return p ? make_zero(p, bytes) : NULL;
}

/** Allocate with the payload a multiple of align, a power of two.
 * @return NULL, errno == EINVAL or ENOMEM. */
static void *mm_memalign(size_t align, size_t size)
{
    if (align & (align - 1) || align == 0) {
        errno = EINVAL;
        return NULL;
    }
    if (size > MAX_REQUEST || align > MAX_REQUEST)
        return no_memory();
    return stage_memalign(align, size);
}

/** Bytes that may be used at p, at least those asked for; 0 for NULL. */
static size_t mm_usable_size(const void *p)
{
    if (!p)
        return 0;
    if (likely(payload_index(p) < mem_blocks()))
        return stage_usable(p);
    size_t usable = huge_usable(p);
    if (!usable && !(usable = mem_side_usable(p)))
        not_ours(p, "size of a block that malloc never returned");
    return usable;
}

/* Move p, live, to a block of another size. NULL: no memory, and p stays. */
static void *move(void *p, size_t size)
{
    void *q = stage_malloc(size);
    if (!q)
        return NULL;
    size_t usable = mm_usable_size(p);
    memcpy(q, p, min_size(usable, size));
    if (unlikely(size > HUGE_OVER))
        huge_moved(p, usable);
    mm_free(p);
    return q;
}

/* As mm_realloc, of a block outside the range; a side block leaves there. One
 * that shrinks to less than half of what such blocks are worth moves into the
 * heap, if that has room. */
static cold_noinline void *realloc_huge(void *p, size_t size)
{
    if (mem_side_usable(p))
        return move(p, size);
    if (!huge_usable(p))
        not_ours(p, "realloc of a pointer that malloc never returned");
    void *q = size <= HUGE_OVER / 2 ? move(p, size) : NULL;
    return q ? q : huge_resize(p, size);
}

/** Resize p, in place where the engine can.
 * @param size  bytes; 0 frees p and returns NULL, as glibc does.
 * @return 16-aligned payload, first min(old, size) bytes kept; on failure
 *         NULL, errno == ENOMEM, and p is untouched and still live. */
static void *mm_realloc(void *p, size_t size)
{
    if (!p)
        return mm_malloc(size);
    if (size == 0) {
        mm_free(p);
        return NULL;
    }
    if (size > MAX_REQUEST)
        return no_memory();
    if (unlikely(payload_index(p) >= mem_blocks()))
        return realloc_huge(p, size);
    void *q = size <= HUGE_OVER ? stage_resize(p, size) : NULL;
    return q ? q : move(p, size);
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

static bool mm_contains(const void *p, size_t size)
{
    return mem_contains(p, size) || huge_contains(p, size);
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
    .malloc = mm_malloc,
    .free = mm_free,
    .realloc = mm_realloc,
    .calloc = mm_calloc,
    .memalign = mm_memalign,
    .usable_size = mm_usable_size,
    .thread_init = stage_thread_init,
    .thread_exit = stage_thread_exit,
    .check = mm_check,
    .contains = mm_contains,
    .stats = mm_stats,
    .counts = COUNTS,
    .used = mm_used,
    .walk = mm_walk,
    .trim = mm_trim,
};
