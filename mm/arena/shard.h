/* shard.h - an arena that threads share: its lock, its id, its fate.
 *
 *   a block's owner: header or tag ─► id ─► shards[id] ─► forward ─► root
 *
 * A thread's shard outlives it: it waits as an orphan, with blocks that others
 * still use, and is taken over by the next new thread, or by one whose heap
 * would have to grow, or merged into that one's shard (rich.h). Then its id,
 * and every id that led to it, is forwarded to the new root: a union-find
 * (Tarjan, 1975) whose paths are compressed at once, so that an owner is found
 * in one step.
 * When half of the ids are forwarded, blocks that name a merged shard are given
 * their root's id, and the old ids serve again: there are about twice as many
 * shards as there were threads at once, and MM_MAX_ARENAS at most; threads
 * beyond share.
 *
 * Locks, in the order in which they may be taken (lock.h):
 *   1 registry  who owns which shard; orphans; free records
 *   2 a shard   its arena; its forward
 *   3 another shard, of a higher id: to merge them, under the registry only
 * fork takes the registry and all shards, by rising id. Scans for memory to
 * purge hold any and only try.
 *
 * Invariants (check.h)
 *   A1 every forward leads to a root: a shard that is its own forward
 *   A2 a forwarded shard has no memory; an orphan no users
 *   A3 every block in use names an owner whose root is the shard it lies in
 *   A4 whoever holds a root's lock may rely on what owner_root says of its
 *      blocks: forwards to it and from it change only under that lock
 *   A5 an id that was merged away serves anew only when no block in use says
 *      it any more
 *   A6 what waits in a shard's mail is in use to the engine, and the shard's */
#ifndef MM_ARENA_SHARD_H
#define MM_ARENA_SHARD_H

#include "config.h"
#include "mm/engine/merge.h"
#include "mm/fork.h"
#include "mm/front/high_water.h"
#include "mm/front/rich.h"
#include "mm/lock.h"

#include <stdatomic.h>

#define RECLAIM_MIN 64 /* forwarded ids that may be lost for a time */
#define MAIL_BYTES ((size_t)128 << 10) /* that wait for a shard's thread */

struct shard {
    struct lock lock;
    void *mail; /* its blocks that others freed; by the lock */
    size_t mail_bytes;
    uint32_t id;              /* index in shards[]; what its blocks say */
    uint32_t users;           /* threads; under the registry */
    bool mixed;               /* its blocks may say other ids, too */
    _Atomic uint32_t forward; /* A1, A4 */
    struct shard *next;       /* orphans, or spare; under the registry */
    size_t counted;           /* its part of registry.resident */
    uint32_t uses;            /* how often the lock was taken to use it */
    uint32_t seen, swept;     /* uses when a scan saw it, and swept it */
    struct arena arena;
} __attribute__((aligned(64)));

static struct {
    struct lock lock;
    struct shard *orphans; /* with memory, without users; first in, first out */
    struct shard *newest;  /* the last of them */
    struct shard *spare;   /* merged away, and no block names them any more */
    _Atomic uint32_t nshards;
    _Atomic uint32_t norphans; /* a hint, also read without the lock */
    _Atomic size_t resident;   /* bytes of all shards, within SCAN_STEP each */
    _Atomic size_t record; /* resident, above which others' waste is purged */
    uint32_t nmerged;      /* shards that are forwarded */
    uint32_t turn;         /* next to be shared, when there are too many */
} registry = {.lock = LOCK_INITIALIZER};

static struct shard *_Atomic shards[MM_MAX_ARENAS];

/* How often ids were made to serve anew. In between, blocks of one root stay
 * together whatever it merges into. */
static _Atomic uint32_t reclaims;

static inline void lock_take(struct lock *l)
{
    if (l != &registry.lock)
        gate_pass();
    lock_take_as(l, l == &registry.lock ? RANK_REGISTRY : RANK_SHARD);
}

/* ---- owners ---------------------------------------------------------- */

/* Acquire, paired with the release in shard_new: so many are complete. */
static inline uint32_t shard_count(void)
{
    return atomic_load_explicit(&registry.nshards, memory_order_acquire);
}

/* Acquire, paired with the release in shard_new: the shard is complete. Its id
 * may have been read relaxed, from a label; but no processor loads from an
 * address before it has what the address depends on. */
static always_inline struct shard *shard_at(uint32_t id)
{
    return atomic_load_explicit(&shards[id], memory_order_acquire);
}

/* Acquire and release are partners: who is told where an id leads now also
 * sees what was written before it changed, labels above all (A5). */
static always_inline uint32_t forward_get(const struct shard *s)
{
    return atomic_load_explicit(&s->forward, memory_order_acquire);
}

static inline void forward_set(struct shard *s, uint32_t root)
{
    atomic_store_explicit(&s->forward, root, memory_order_release);
}

/* Acquire: what is read afterwards is of this era, or a later one. */
static inline uint32_t era_get(void)
{
    return atomic_load_explicit(&reclaims, memory_order_acquire);
}

/* A4 makes the answer firm for who holds the root's lock; others take that
 * lock and ask again. */
static inline struct shard *owner_root(const void *p)
{
    uint32_t id = payload_owner(p);
    const struct shard *named = id < MM_MAX_ARENAS ? shard_at(id) : NULL;
    if (unlikely(!named))
        mm_die("the block's header was overwritten", p);
    return shard_at(forward_get(named));
}

/* Keep the lock of s, which p lay in before. @return false: it does not lie
 * there any more, s was merged or its id given anew; the lock is dropped */
static inline bool owner_keep(struct shard *s, const void *p)
{
    s->uses++;
    if (likely(owner_root(p) == s))
        return true;
    lock_drop(&s->lock);
    return false;
}

/* Lock the shard that p, a block in use, lies in. */
static inline struct shard *owner_lock(const void *p)
{
    for (;;) {
        struct shard *s = owner_root(p);
        lock_take(&s->lock);
        if (likely(owner_keep(s, p)))
            return s;
    }
}

/* The same, if nobody has it: else NULL. */
static inline struct shard *owner_try(const void *p)
{
    struct shard *s = owner_root(p);
    return lock_try(&s->lock) && likely(owner_keep(s, p)) ? s : NULL;
}

/* Free a chain of blocks of s. @pre s's lock */
static inline void shard_free_chain(struct shard *s, void *p)
{
    while (p) {
        void *next = *(void **)p;
        arena_free(&s->arena, p);
        p = next;
    }
}

/* What others left. @return the chain. @pre s's lock */
static inline void *shard_take_mail(struct shard *s)
{
    void *p = s->mail;
    s->mail = NULL;
    s->mail_bytes = 0;
    return p;
}

static inline void shard_free_mail(struct shard *s)
{
    shard_free_chain(s, shard_take_mail(s));
}

/* Leave a chain of s's blocks to the next thread that allocates from it, which
 * has in its caches what freeing them touches. Does none come, free them.
 * @pre s's lock */
static inline void shard_leave(struct shard *s, void *first, void *last,
                               size_t bytes)
{
    *(void **)last = s->mail;
    s->mail = first;
    s->mail_bytes += bytes;
    if (unlikely(s->mail_bytes > MAIL_BYTES))
        shard_free_mail(s);
}

/* Make every block of s say that s owns it. @pre s's lock */
static inline void shard_relabel(struct shard *s)
{
    if (!s->mixed)
        return;
    s->mixed = false;
    arena_relabel(&s->arena, s->id);
}

/* ---- birth, death and merging; all under the registry's lock ---------- */

static inline struct shard *shard_pop(struct shard **list)
{
    struct shard *s = *list;
    if (s)
        *list = s->next;
    return s;
}

static inline struct shard *shard_pop_orphan(void)
{
    struct shard *s = shard_pop(&registry.orphans);
    if (s) {
        count_rmw();
        atomic_fetch_sub_explicit(&registry.norphans, 1, memory_order_relaxed);
    }
    return s;
}

/* After all others: when its turn comes, most of its blocks will be free. */
static inline void shard_push_orphan(struct shard *s)
{
    *(registry.orphans ? &registry.newest->next : &registry.orphans) = s;
    registry.newest = s;
    s->next = NULL;
    count_rmw();
    atomic_fetch_add_explicit(&registry.norphans, 1, memory_order_relaxed);
}

/* Free the ids of all shards that were merged away. */
static cold_noinline void shards_reclaim(void)
{
    uint32_t n = shard_count();
    /* Relaxed: who sees a forward that is set below sees this, too. */
    atomic_store_explicit(&reclaims, era_get() + 1, memory_order_relaxed);
    for (uint32_t i = 0; i < n; i++) {
        struct shard *s = shard_at(i);
        if (forward_get(s) == i)
            continue;
        struct shard *r = shard_at(forward_get(s));
        lock_take(&r->lock);
        shard_relabel(r);
        forward_set(s, i);
        lock_drop(&r->lock);
        s->next = registry.spare;
        registry.spare = s;
    }
    registry.nmerged = 0;
}

/* Are so many of n ids forwarded that walking through all blocks pays? */
static inline bool reclaim_due(uint32_t n)
{
    return registry.nmerged > (n < MM_MAX_ARENAS ? RECLAIM_MIN + n / 2 : 0);
}

/* Add to the whole what s has more than it had, or take off what it has less.
 * Relaxed: a sum to decide by, which publishes nothing.
 * @return the whole. @pre s's lock */
static inline size_t shard_count_resident(struct shard *s)
{
    size_t more = heap_resident(&s->arena.heap) - s->counted; /* or less */
    s->counted += more;
    return atomic_fetch_add_explicit(&registry.resident, more,
                                     memory_order_relaxed) +
           more;
}

/* Nothing is in it. It may grow only where the stage says so. */
static inline void shard_clear(struct shard *s)
{
    arena_init(&s->arena, s->id);
    s->arena.heap.fixed = true;
    shard_count_resident(s);
}

/* A shard without memory: a spare one, or a new record. NULL: no more. */
static inline struct shard *shard_new(void)
{
    uint32_t id = shard_count();
    if (!registry.spare && reclaim_due(id))
        shards_reclaim();
    struct shard *s = shard_pop(&registry.spare);
    if (s)
        return s;
    if (id == MM_MAX_ARENAS || !(s = mem_record(sizeof *s)))
        return NULL;
    s->lock = (struct lock)LOCK_INITIALIZER;
    s->id = id;
    forward_set(s, id);
    shard_clear(s);
    atomic_store_explicit(&shards[id], s, memory_order_release);
    atomic_store_explicit(&registry.nshards, id + 1, memory_order_release);
    return s;
}

/* A root that other threads use, each time the next. */
static inline struct shard *shard_shared(void)
{
    uint32_t n = shard_count();
    if (n == 0)
        return NULL;
    return shard_at(forward_get(shard_at(registry.turn++ % n)));
}

/* A shard for a thread that has none. NULL: out of memory. */
static inline struct shard *shard_acquire(void)
{
    struct shard *s = shard_pop_orphan();
    if (!s)
        s = shard_new();
    if (!s)
        s = shard_shared();
    if (s)
        s->users++;
    return s;
}

/* The thread that used s is gone. */
static inline void shard_release(struct shard *s)
{
    if (--s->users == 0)
        shard_push_orphan(s);
}

/* Its thread is about to leave: what it has too much of shall not stay with an
 * arena that nobody may need for long. */
static inline void shard_rest(struct shard *s)
{
    lock_take(&s->lock);
    if (heap_waste(&s->arena.heap) >= SCAN_STEP)
        heap_purge_at_chance(&s->arena.heap);
    lock_drop(&s->lock);
}

/* Whoever takes in whom: the one of the lower id first. */
static inline void shards_lock_two(struct shard *a, struct shard *b)
{
    lock_take_as(&(a->id < b->id ? a : b)->lock, RANK_SHARD);
    lock_take_as(&(a->id < b->id ? b : a)->lock, RANK_SECOND);
}

/* Take an orphan's memory into s. @pre it is popped; the locks of both */
static inline void shard_take_in(struct shard *s, struct shard *orphan)
{
    arena_merge(&s->arena, &orphan->arena);
    shard_clear(orphan);
    s->mixed = true;
    registry.nmerged++;
    uint32_t n = shard_count();
    for (uint32_t i = 0; i < n; i++)
        if (forward_get(shard_at(i)) == orphan->id)
            forward_set(shard_at(i), s->id);
}

/* s needs a block of asize bytes and would have to grow, but an orphan may be
 * there. One that has plenty is used from now on instead of s (rich.h); one
 * that has not is taken into s.
 * @return the shard to go on with; NULL: there was no orphan */
static cold_noinline struct shard *shard_relieve(struct shard *s, size_t asize)
{
    lock_take(&registry.lock);
    struct shard *orphan = shard_pop_orphan(), *use = NULL;
    if (orphan) {
        shards_lock_two(s, orphan);
        shard_free_mail(orphan);
        use = heap_is_rich(&orphan->arena.heap, asize) ? orphan : s;
        if (use == s)
            shard_take_in(s, orphan);
        lock_drop(&orphan->lock);
        lock_drop(&s->lock);
    }
    if (use == orphan && use) {
        orphan->users++;
        shard_release(s);
    }
    lock_drop(&registry.lock);
    return use;
}

/* Take an orphan's memory into s. @return whether there was one */
static inline bool shard_adopt(struct shard *s)
{
    return shard_relieve(s, NEVER_RICH) != NULL;
}

/* Give back what lies unused in s, once nobody used it since the last look; or
 * now, if it is much. @pre s's lock */
static inline void shard_give_back(struct shard *s)
{
    struct heap *h = &s->arena.heap;
    shard_free_mail(s);
    bool rests = s->seen == s->uses;
    s->seen = s->uses;
    if (heap_waste(h) >= SCAN_LARGE || (rests && s->swept != s->uses)) {
        s->swept = s->uses;
        heap_purge_from(h, DIRTY_MIN);
        shard_count_resident(s);
    }
}

/* Count s. When all are to need more than ever, look at the waste of others
 * first, who may be asleep (high_water.h).
 * @pre s's lock; others' are only tried */
static cold_noinline void shard_recount(struct shard *s)
{
    size_t record =
        atomic_load_explicit(&registry.record, memory_order_relaxed);
    uint32_t n = shard_count();
    size_t whole = shard_count_resident(s);
    if (whole <= record)
        return;
    for (uint32_t i = 0; i < n; i++) {
        struct shard *other = shard_at(i);
        if (other == s || !lock_try(&other->lock))
            continue;
        shard_give_back(other);
        lock_drop(&other->lock);
    }
    size_t left = shard_count_resident(s);
    record = record_after(record, whole, left);
    atomic_store_explicit(&registry.record, record, memory_order_relaxed);
}

/* Memory was taken from s: does its part of the whole differ by a step? */
static inline void shard_took(struct shard *s)
{
    if (unlikely(is_step(heap_resident(&s->arena.heap), s->counted)))
        shard_recount(s);
}

/* ---- fork ------------------------------------------------------------ */

/* Before: wait until nobody is inside, so that the child gets whole arenas. */
static void shards_fork_prepare(void)
{
    lock_take(&registry.lock);
    gate_shut();
    uint32_t n = shard_count();
    for (uint32_t i = 0; i < n; i++)
        lock_take_as(&shard_at(i)->lock, RANK_NONE);
}

static void shards_fork_parent(void)
{
    for (uint32_t i = shard_count(); i-- > 0;)
        lock_drop(&shard_at(i)->lock);
    gate_open();
    lock_drop(&registry.lock);
}

static int shards_init(void (*fork_child)(void))
{
    return fork_take_locks(shards_fork_prepare, shards_fork_parent, fork_child);
}

static void shards_fini(void)
{
    for (uint32_t i = shard_count(); i-- > 0;)
        atomic_store_explicit(&shards[i], NULL, memory_order_relaxed);
    registry.orphans = registry.spare = registry.newest = NULL;
    registry.nmerged = 0;
    atomic_store_explicit(&registry.nshards, 0, memory_order_relaxed);
    atomic_store_explicit(&registry.norphans, 0, memory_order_relaxed);
    atomic_store_explicit(&registry.resident, 0, memory_order_relaxed);
    atomic_store_explicit(&registry.record, 0, memory_order_relaxed);
}

#endif
