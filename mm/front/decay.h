/* decay.h - memory that nobody has used for MM_DECAY milliseconds goes back to
 * the system by itself.
 *
 *   a thread on its slow path ─► period over? ─► sweep: each shard
 *                                 │   at work    half of what was idle: its own
 *                                 │              thread is to purge it
 *                                 │   idle       stolen for a moment, its inbox
 *                                 │              emptied, all waste purged
 *                                 └ no: nothing; one CAS decides who sweeps
 *
 * A period lasts an eighth of MM_DECAY. The next thread that comes by ends it:
 * there is no signal, no timer and no lock. Where none comes by, a thread of
 * the library's own does (MM_BACKGROUND, preload_background.h). The clock is
 * the system's coarse one, which costs no system call; the more often a thread
 * comes by, the less often it asks. What a shard at work gives back is decided
 * by low_water.h; an idle one (no use for half of MM_DECAY) gives back all.
 *
 * What a thread that sleeps keeps in its bins and its outbox stays there: only
 * that thread may touch them. While it frees, it shortens its bins (cache.h).
 *
 * To be included by a stage after front/adopt.h; its threads end periods by
 * shard_note_use. The stage defines besides: */
#ifndef MM_FRONT_DECAY_H
#define MM_FRONT_DECAY_H

#include "mm/front/huge.h"
#include "mm/front/purge.h"
#include "mm/pace.h"

#define DECAY_LEAST 128 /* a heap at work keeps 1/128 */
#define SWEEP_STEALS 64 /* idle shards, and orphans, in one sweep at most */
#define SWEEP_BYTES                                                            \
    ((size_t)64 << 20) /* waste of idle ones: then no more in this sweep */
#define PAID_BY_MS ((size_t)32 << 10) /* bytes that one pays for */

/** Is s, which is idle, the caller's for now? It never waits. */
static inline bool shard_take_idle(struct shard *s);
/** Call work for orphans that nobody else has, at most `most`; s is entered. */
static inline void orphans_decay(struct shard *s, unsigned most,
                                 void (*work)(struct shard *o,
                                              struct shard *s));

/* < 0: never */
static inline long decay_ms(void)
{
    return atomic_load_explicit(&mem_options.decay_ms, memory_order_relaxed);
}

/* ---- a part of a heap's waste ------------------------------------------ */

/* Small blocks are cut from the victim's low end, of which `hot` bytes are in
 * use: purge the rest. */
static inline void victim_purge(struct heap *h, size_t hot)
{
    struct block *v = h->fit.victim;
    char *first = (char *)(v + 1) + hot, *end = (char *)block_footer(v);
    if (victim_dirty(h, v) <= hot || first >= end)
        return;
    mem_give_back(first, (size_t)(end - first));
    h->given += victim_dirty(h, v) - hot;
    h->victim_dirty = hot;
}

/* `idle` bytes of h's waste were idle: a share of them goes back, unless
 * they are few beside the heap. Which of them are in use now and then is not
 * known page by page. */
static cold_noinline void heap_decay(struct heap *h, size_t idle)
{
    if (idle < max_size(PURGE_MIN, h->size / DECAY_LEAST))
        return;
    size_t waste = heap_purgeable(h), hot = waste - min_size(waste, idle);
    struct purge part = {.h = h, .most = decay_share(idle)};
    fit_each(&h->fit, PURGE_MIN, block_purge, &part);
    if (!h->dirty && h->fit.victim && block_size(h->fit.victim) >= PURGE_MIN)
        victim_purge(h, hot);
}

/* ---- shards ------------------------------------------------------------ */

/* Has nobody used o for long, and is something left to do? */
static inline bool shard_is_due(struct shard *o)
{
    return atomic_load_explicit(&o->activity.low_water.idle.periods,
                                memory_order_relaxed) == PERIODS &&
           !shard_is_swept(o);
}

/* Sweep o if it is due; o and s are the caller's for now. */
static void shard_decay(struct shard *o, struct shard *s)
{
    if (shard_is_due(o))
        shard_sweep(o, s);
}

/* Give back what s, which is entered, was asked for. */
static inline void shard_give(struct shard *s)
{
    struct low_water *w = &s->activity.low_water;
    if (!atomic_load_explicit(&w->give, memory_order_relaxed))
        return;
    heap_decay(&s->arena.heap,
               atomic_exchange_explicit(&w->give, 0, memory_order_relaxed));
}

/* A period ends for o. @return is it due? *busy: it has been used */
static inline bool shard_end_period(struct shard *o, bool *busy)
{
    struct activity *a = &o->activity;
    size_t idle = low_water_end(
        &a->low_water,
        atomic_load_explicit(&a->purgeable, memory_order_relaxed));
    if (idle_end_period(&a->low_water.idle, shard_uses(o)) == PERIODS)
        return shard_is_due(o);
    *busy = true;
    atomic_store_explicit(&a->low_water.give, idle, memory_order_relaxed);
    return false;
}

/* ---- spares of huge.h -------------------------------------------------- */

static struct idleness spares_idle;

/* A period ends for them. @return were they used in it? */
static inline bool spares_end_period(void)
{
    uint32_t turn = atomic_load_explicit(&spares.oldest, memory_order_relaxed);
    uint32_t periods = idle_end_period(&spares_idle, turn);
    if (periods == PERIODS)
        huge_trim();
    return periods == 0;
}

/* ---- sweeps ------------------------------------------------------------ */

/* Sweep those of the first n shards that are due. @return how many are left */
static inline unsigned shards_decay(struct shard *s, uint32_t n)
{
    unsigned steals = 0, left = 0;
    size_t given = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct shard *o = shard_at(i);
        if (!o || o == s || !shard_is_due(o))
            continue;
        size_t waste =
            atomic_load_explicit(&o->activity.purgeable, memory_order_relaxed);
        if (steals == SWEEP_STEALS || given >= SWEEP_BYTES ||
            !shard_take_idle(o)) {
            left++;
            continue;
        }
        shard_decay(o, s);
        shard_return(o);
        given += waste;
        steals++;
    }
    return left;
}

/** End a period for all shards; s is the caller's, and entered.
 * @return false: nothing was used in it, nothing went back, nothing is due */
static cold_noinline bool decay_sweep(struct shard *s)
{
    size_t all =
        atomic_load_explicit(&totals()->resident, memory_order_relaxed);
    if (!pace_end_period(all)) { /* the period goes on */
        shard_give(s);
        return true;
    }
    uint32_t n = shard_count();
    unsigned due = 0;
    bool busy = spares_end_period(), mine = false;
    for (uint32_t i = 0; i < n; i++) {
        struct shard *o = shard_at(i);
        if (o)
            due += shard_end_period(o, o == s ? &mine : &busy);
    }
    shard_give(s);
    if (!due)
        return busy;
    unsigned left = shards_decay(s, n);
    orphans_decay(s, (unsigned)min_size(left, SWEEP_STEALS), shard_decay);
    return true;
}

/* ---- memory is short --------------------------------------------------- */

/* Give back what o has. Its thread is to do that if it was at work in the
 * period that has just ended: half of it each time. */
static inline void shard_give_at_once(struct shard *o, struct shard *s)
{
    struct low_water *w = &o->activity.low_water;
    bool idle =
        atomic_load_explicit(&w->idle.periods, memory_order_relaxed) != 0;
    if (!idle) {
        atomic_store_explicit(
            &w->give,
            atomic_load_explicit(&o->activity.purgeable, memory_order_relaxed),
            memory_order_relaxed);
    } else if (!shard_is_swept(o) && shard_take_idle(o)) {
        shard_sweep(o, s);
        shard_return(o);
    }
}

/** After decay_sweep: do not wait until memory has been idle for long. s is the
 * caller's, and entered. */
static cold_noinline void decay_at_once(struct shard *s)
{
    for (uint32_t i = 0; i < shard_count(); i++) {
        struct shard *o = shard_at(i);
        if (o && o != s)
            shard_give_at_once(o, s);
    }
    orphans_decay(s, SWEEP_STEALS, shard_sweep);
    arena_purge(&s->arena);
    huge_trim();
}

/* ---- on the slow path --------------------------------------------------- */

/* The clock says now to s, which is entered: the time since it last did pays
 * for purges (heap_purge_for_price). A page that is taken again costs up to a
 * microsecond, so they cost less than a hundredth of the time. */
static inline void shard_pay(struct shard *s, uint64_t now)
{
    struct low_water *w = &s->activity.low_water;
    struct heap *h = &s->arena.heap;
    size_t pays = (now - w->last) * PAID_BY_MS / pace_slowness();
    h->allowance = min_size(w->last ? h->allowance + pays : 0, h->size);
    heap_note_taken(h);
    low_water_looked(w, now);
}

/* errno is kept: a free may call this. */
static cold_noinline void decay_look(struct shard *s)
{
    struct low_water *w = &s->activity.low_water;
    if (decay_ms() < 0) {
        w->until = LOOK_MOST;
        w->last = 0;
        s->arena.heap.allowance = NO_LIMIT;
        return;
    }
    uint64_t now = clock_ms();
    shard_pay(s, now);
    shard_give(s);
    if (atomic_load_explicit(&mem_options.background, memory_order_relaxed))
        return;
    uint64_t at =
        atomic_load_explicit(&totals()->sweep_at, memory_order_relaxed);
    if (now < at)
        return;
    count_rmw();
    uint64_t next = now + max_size((size_t)decay_ms() / DECAY_PERIODS, 1);
    int saved = errno; /* what is refused, a barrier perhaps, is no error */
    if (atomic_compare_exchange_strong_explicit(&totals()->sweep_at, &at, next,
                                                memory_order_relaxed,
                                                memory_order_relaxed))
        decay_sweep(s);
    errno = saved;
}

/* Note, for others, the use of s, which is about to be left, and how much it
 * has by now; now and then look at the clock. errno is kept. */
static inline void shard_note_use(struct shard *s)
{
    activity_note(&s->activity, heap_purgeable(&s->arena.heap));
    if (unlikely(is_step(heap_resident(&s->arena.heap), s->counted)))
        shard_recount(s);
    if (low_water_turn(&s->activity.low_water))
        decay_look(s);
}

#endif
