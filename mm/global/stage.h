/* stage.h - stage one: one heap, one lock.
 *
 * Every operation takes the lock, works on the heap, and gives it back. The
 * lock is left out while the process has a single thread, which the C library
 * knows: then nobody else can be inside.
 *
 *   thread 0 ─┐
 *   thread 1 ─┼─► lock ─► arena (arena.h) ─► memlib
 *   thread 2 ─┘
 *
 * What it costs: two locked instructions an operation, and every thread waits
 * for every other one. per_thread/stage.h, the next stage, gives each its own.
 */
#ifndef MM_GLOBAL_STAGE_H
#define MM_GLOBAL_STAGE_H

#include "mm/engine/census.h"
#include "mm/engine/check.h"
#include "mm/engine/usage.h"
#include "mm/engine/view.h"
#include "mm/engine/walk.h"
#include "mm/fork.h"
#include "mm/front/huge.h"
#include "mm/lock.h"

#define STAGE_NAME "global"
#define STAGE_SUMMARY "stage 1: one heap, one global lock"

static struct shard {
    struct lock lock;
    struct arena arena;
} global = {.lock = LOCK_INITIALIZER};

/* For those who look from another process. */
static struct shard *const all_shards[] = {&global};
static const uint32_t nshards = 1;
#define STAGE_VIEW                                                             \
    VIEW_AT("shards", all_shards), VIEW_AT("nshards", &nshards),               \
        VIEW_IS("sizeof shard", sizeof(struct shard))

static always_inline void stage_lock(void)
{
    lock_take_as(&global.lock, RANK_SHARD);
}

static always_inline void stage_unlock(void)
{
    lock_drop(&global.lock);
}

static int stage_init(void)
{
    /* fork waits until nobody is inside: the child gets a whole heap. */
    if (fork_take_locks(stage_lock, stage_unlock, stage_unlock))
        return -1;
    arena_init(&global.arena, 0);
    return 0;
}

static void stage_fini(void)
{
}

/* Threads have nothing of their own here. */
static int stage_thread_init(void)
{
    return 0;
}

static void stage_thread_exit(void)
{
}

/* A mapping of its own, or what the heap has if there is no memory for one. */
static cold_noinline void *take_huge(size_t align, size_t size)
{
    void *p = huge_malloc(align, size);
    if (p || !heap_may_hold(size))
        return p;
    stage_lock();
    p = arena_memalign(&global.arena, align, size);
    stage_unlock();
    return p;
}

static always_inline void *stage_malloc(size_t size)
{
    if (unlikely(size > HUGE_OVER))
        return take_huge(ALIGN, size);
    stage_lock();
    void *p = arena_malloc(&global.arena, size);
    stage_unlock();
    return p;
}

static always_inline void stage_free(void *p, struct mem_page *page)
{
    uint32_t tag = tag_read(page);
    stage_lock();
    arena_free_tagged(&global.arena, p, tag);
    stage_unlock();
}

/* Resize in place; NULL: it does not fit. */
static inline void *stage_resize(void *p, size_t size)
{
    stage_lock();
    void *q = arena_resize(&global.arena, p, size);
    stage_unlock();
    return q;
}

static inline void *stage_memalign(size_t align, size_t size)
{
    if (size > HUGE_OVER)
        return take_huge(align, size);
    stage_lock();
    void *p = arena_memalign(&global.arena, align, size);
    stage_unlock();
    return p;
}

static struct shard *owner_of(const void *p)
{
    return payload_owner(p) == 0 ? &global : NULL;
}

static size_t stage_check(void)
{
    stage_lock();
    size_t bad = arena_check_owned(&global.arena, owner_of, &global,
                                   "G1 every block is the one arena's");
    stage_unlock();
    return bad;
}

static void stage_walk(const struct walker *w)
{
    walk_arena(w, &global.arena);
}

static size_t stage_used(void)
{
    stage_lock();
    size_t used = arena_used(&global.arena);
    stage_unlock();
    return used;
}

static void stage_census(struct mm_census *c)
{
    if (mem_range.size)
        census_arena(c, &global.arena, 0, "owned");
}

static size_t stage_trim(void)
{
    stage_lock();
    size_t given = arena_trim(&global.arena);
    stage_unlock();
    return given;
}

static size_t stage_metadata(void)
{
    return sizeof global;
}

#endif
