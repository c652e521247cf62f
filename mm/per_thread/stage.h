/* stage.h - stage two: an arena and a lock for each thread.
 *
 * Against global/stage.h: not one arena but one a thread, so that threads do
 * not wait for each other unless one frees what another made.
 *
 *   thread 0 ─► self ─► shard 0: lock ─► arena ◄── free by thread 1
 *   thread 1 ─► self ─► shard 1: lock ─► arena        of a block of shard 0
 *
 *   a block ─► id, in its header or its page's tag ─► shards[id]: its lock
 *
 * A shard outlives its thread: it waits as an orphan, with blocks that others
 * still use, for the next new thread. A block's shard never changes, so one
 * lookup, without a lock, is right for good. When there are MM_MAX_ARENAS, or
 * no memory for another, threads share.
 *
 * What it costs: as in stage one two locked instructions an operation, but
 * nobody waits for them. What it lacks: a block freed by another thread costs
 * its owner the cache lines that the free touched; free memory of a thread
 * serves no other one, except when the system has none left. The next stage,
 * arena/stage.h, adds a front end that needs no lock, and adoption.
 *
 * Invariants
 *   P1 every block in use names the shard that it lies in
 *   P2 an orphan has no users */
#ifndef MM_PER_THREAD_STAGE_H
#define MM_PER_THREAD_STAGE_H

#include "mm/engine/census.h"
#include "mm/engine/check.h"
#include "mm/engine/usage.h"
#include "mm/engine/view.h"
#include "mm/engine/walk.h"
#include "mm/exit.h"
#include "mm/fork.h"
#include "mm/front/huge.h"
#include "mm/per_thread/shard.h"

#include "mm/gate.h"

#define STAGE_NAME "per-thread"
#define STAGE_SUMMARY "stage 2: an arena and a lock per thread"

static __thread struct shard *self_shard; /* NULL: none yet, or no longer */

/* ---- owners ---------------------------------------------------------- */

/* The shard that p, a block in use, lies in. */
static inline struct shard *owner_of(const void *p)
{
    uint32_t id = payload_owner(p);
    struct shard *s = id < MM_MAX_ARENAS ? shard_at(id) : NULL;
    if (unlikely(!s))
        mm_die("the block's header was overwritten", p);
    return s;
}

/* ---- giving memory back ---------------------------------------------- */

/* As totals_count. @pre s's lock */
static size_t shard_count_resident(struct shard *s)
{
    return totals_count(&registry.totals, heap_resident(&s->arena.heap),
                        &s->counted);
}

/* Give back the waste of the other shards, if it is much or their threads are
 * idle. @pre s's lock; the others' are only tried */
static cold_noinline void purge_idle_shards(const struct shard *s)
{
    for (uint32_t i = 0; i < shard_count(); i++) {
        struct shard *other = shard_at(i);
        if (other == s || !lock_try(&other->lock))
            continue;
        if (other->seen == other->uses ||
            heap_purgeable(&other->arena.heap) >= PURGE_LARGE) {
            arena_purge(&other->arena);
            shard_count_resident(other);
        }
        other->seen = other->uses;
        lock_drop(&other->lock);
    }
}

/* s has changed by a step. When all together have more than ever, others give
 * back what they do not use (high_water.h). */
static cold_noinline void shard_recount(struct shard *s)
{
    _Atomic size_t *high_water = &registry.totals.high_water;
    size_t mark = atomic_load_explicit(high_water, memory_order_relaxed);
    size_t whole = shard_count_resident(s);
    if (whole <= mark)
        return;
    purge_idle_shards(s);
    size_t left = min_size(shard_count_resident(s), whole);
    mark = high_water_after(mark, whole, whole - left, whole / 3 + 1);
    atomic_store_explicit(high_water, mark, memory_order_relaxed);
}

/* ---- entering --------------------------------------------------------- */

static always_inline struct shard *shard_enter(struct shard *s)
{
    gate_pass();
    lock_take_as(&s->lock, RANK_SHARD);
    s->uses++;
    return s;
}

static always_inline void shard_exit(struct shard *s)
{
    if (unlikely(is_step(heap_resident(&s->arena.heap), s->counted)))
        shard_recount(s);
    lock_drop(&s->lock);
}

/* ---- threads --------------------------------------------------------- */

/* Its lock is free, as a record is zero. NULL: no memory, or no id, for
 * another. @pre the registry's lock */
static struct shard *shard_make(void)
{
    uint32_t id = shard_count();
    struct shard *s = id < MM_MAX_ARENAS ? mem_record(sizeof *s) : NULL;
    if (!s)
        return NULL;
    s->id = id;
    arena_init(&s->arena, id);
    atomic_store_explicit(&shards[id], s, memory_order_release);
    atomic_store_explicit(&registry.nshards, id + 1, memory_order_release);
    return s;
}

/* Behind the others: when its turn comes, most of its blocks will be free. */
static void shard_push_orphan(struct shard *s)
{
    s->next = NULL;
    *(registry.orphans ? &registry.newest->next : &registry.orphans) = s;
    registry.newest = s;
}

/* Has s a block of asize bytes, or may it grow for one? It may not if the
 * break has left its zone (memlib.h). */
static bool shard_serves(struct shard *s, size_t asize)
{
    struct heap *h = &shard_enter(s)->arena.heap;
    bool serves = !heap_is_full(h) || heap_has(h, asize);
    shard_exit(s);
    return serves;
}

/* This thread uses s from now on; NULL: none. @pre the registry's lock, which
 * is dropped */
static void thread_use(struct shard *s)
{
    if (s)
        s->users++;
    if (self_shard && --self_shard->users == 0)
        shard_push_orphan(self_shard);
    lock_drop(&registry.lock);
    self_shard = s;
    pthread_setspecific(thread_key, s);
}

/* Give this thread a shard that serves asize bytes: the oldest orphan, or a
 * new one. If no more can be made, that orphan as it is, or one that others
 * use, each time the next. @return it; NULL: out of memory */
static cold_noinline struct shard *attach(size_t asize)
{
    lock_take_as(&registry.lock, RANK_REGISTRY);
    struct shard *o = registry.orphans;
    if (o)
        registry.orphans = o->next;
    bool serves = o && shard_serves(o, asize);
    struct shard *s = serves ? o : shard_make();
    if (o && s && s != o)
        shard_push_orphan(o);
    else if (!s && shard_count())
        s = o ? o : shard_at(registry.turn++ % shard_count());
    thread_use(s);
    return s ? s : no_memory();
}

static void stage_thread_exit(void)
{
    if (!self_shard)
        return;
    lock_take_as(&registry.lock, RANK_REGISTRY);
    thread_use(NULL);
}

/* ---- fork ------------------------------------------------------------ */

/* The other threads are gone; their shards wait for new ones. */
static void shards_fork_child(void)
{
    registry.orphans = NULL;
    for (uint32_t i = 0; i < shard_count(); i++) {
        struct shard *s = shard_at(i);
        s->users = s == self_shard;
        if (!s->users)
            shard_push_orphan(s);
    }
    gate_open();
}

/* ---- hooks ----------------------------------------------------------- */

static inline void *take_of(struct shard *s, size_t align, size_t size)
{
    shard_enter(s);
    void *p = arena_memalign(&s->arena, align, size);
    shard_exit(s);
    return p;
}

/* A block that this thread's shard, s, does not have: of another that it uses
 * from now on, if s cannot grow; or, as the system has no memory left, of any
 * that has one. */
static cold_noinline void *take_elsewhere(struct shard *s, size_t align,
                                          size_t size)
{
    size_t need = request_to_block(size) + align;
    void *p = shard_serves(s, need) ? NULL : take_of(attach(need), align, size);
    for (uint32_t i = 0; i < shard_count() && !p; i++)
        p = take_of(shard_at(i), align, size);
    return p;
}

static inline void *stage_memalign(size_t align, size_t size)
{
    if (unlikely(size > HUGE_OVER)) {
        void *mapped = huge_malloc(align, size);
        if (mapped || !heap_may_hold(size))
            return mapped;
    }
    struct shard *s = self_shard;
    if (unlikely(!s && !(s = attach(request_to_block(size)))))
        return NULL;
    void *p = take_of(s, align, size);
    if (unlikely(!p))
        p = take_elsewhere(s, align, size);
    if (unlikely(ending))
        stage_thread_exit(); /* nobody would later */
    return p;
}

static inline void *stage_malloc(size_t size)
{
    return stage_memalign(ALIGN, size);
}

static inline void stage_free(void *p, struct mem_page *page)
{
    uint32_t tag = tag_read(page);
    struct shard *s = shard_enter(owner_of(p));
    arena_free_tagged(&s->arena, p, tag);
    shard_exit(s);
}

static inline void *stage_resize(void *p, size_t size)
{
    struct shard *s = shard_enter(owner_of(p));
    void *q = arena_resize(&s->arena, p, size);
    shard_exit(s);
    return q;
}

static int stage_thread_init(void)
{
    return self_shard || attach(0) ? 0 : -1;
}

static int stage_init(void)
{
    return fork_take_locks(gate_shut, gate_open, shards_fork_child) ||
           thread_key_make();
}

/* @pre no other thread is left that used it */
static void stage_fini(void)
{
    thread_key_drop();
    for (uint32_t i = shard_count(); i-- > 0;)
        atomic_store_explicit(&shards[i], NULL, memory_order_relaxed);
    registry = (struct registry){.lock = LOCK_INITIALIZER};
    self_shard = NULL;
}

static size_t stage_check(void)
{
    size_t bad = 0;
    for (uint32_t i = 0; i < shard_count(); i++)
        bad += arena_check_owned(&shard_at(i)->arena, owner_of, shard_at(i),
                                 "P1 a block's owner is where it lies");
    for (const struct shard *s = registry.orphans; s; s = s->next)
        bad += broken(s->users, "P2 an orphan has no users", s, "it has",
                      s->users);
    return bad;
}

static void stage_walk(const struct walker *w)
{
    for (uint32_t i = 0; i < shard_count(); i++)
        walk_arena(w, &shard_at(i)->arena);
}

/* The sum of what is done to each arena, under its lock. */
static size_t each_arena(size_t (*work)(struct arena *))
{
    size_t sum = 0;
    for (uint32_t i = 0; i < shard_count(); i++) {
        struct shard *s = shard_enter(shard_at(i));
        sum += work(&s->arena);
        shard_exit(s);
    }
    return sum;
}

static size_t stage_used(void)
{
    return each_arena(arena_used);
}

static unsynchronized void stage_census(struct mm_census *c)
{
    for (uint32_t i = 0; i < shard_count(); i++)
        census_arena(c, &shard_at(i)->arena, i,
                     peek(shard_at(i)->users) ? "owned" : "orphan");
}

static size_t stage_trim(void)
{
    return each_arena(arena_trim);
}

static size_t stage_metadata(void)
{
    return mem_recordsize() + sizeof shards;
}

#define STAGE_VIEW                                                             \
    VIEW_AT("shards", shards), VIEW_AT("nshards", &registry.nshards),          \
        VIEW_IS("sizeof shard", sizeof(struct shard)), VIEW_IN(shard, users)

#endif
