/* shard.h - an arena that has exactly one owner at any time, and no lock.
 *
 *   a block ─► id, in its header or tag ─► owners[id] ─► the shard it lies in
 *
 *   spare ──────────► owned ◄──────────► claimed ──► stolen
 *     ▲     pop         │  ▲    claim,     ▲           │  │ owner moved on
 *     │                 │  └──revoke───────┘  give back│  ▼
 *     │  relabelled     ▼ thread ends                  │ abandoned ─► orphan
 *   merged ◄───────── orphan ◄─────────────────────────┘
 *          taken in by a thread whose heap would have to grow
 *
 * Whoever owns a shard works on its arena with plain loads and stores. To own
 * it means: it is one's own thread's, or was popped from a stack of orphans,
 * or stolen. What others may write: its inbox (lists.h), its state, a link.
 *
 * Merging. The adopter takes over the orphan's ids (its own, and those of the
 * shards that it had taken in: its wards), then closes the inbox, so that who
 * finds it closed finds the new owner, too. When there are many wards, the
 * blocks that name them are given the adopter's id, and the wards serve anew.
 * A block may so arrive at a shard that it does not belong to: who takes it out
 * of his inbox looks at its label once more, and sends it on.
 *
 * A shard is stolen for a moment from a thread that sleeps: steal.h.
 *
 * Seats. A handler may change the thread's shard just as it enters. So what the
 * thread touches first is its seat, which stays. Each shard has one, taken or
 * free; who changes shards takes his along, and leaves the other's behind.
 *
 *   thread ─► seat: open, cache, outbox ◄──► shard: inbox, state, arena
 *
 * Invariants (shards_check)
 *   L1 owners[i] leads to a shard that is not merged
 *   L2 a merged shard and a spare one have no memory
 *   L3 every block in use names an id whose owner is the shard it lies in
 *   L4 an id serves anew only when no block in use says it any more
 *   L5 the seat of a shard that no thread has is not open
 *   L6 seats and shards lead to each other */
#ifndef MM_LOCKFREE_SHARD_H
#define MM_LOCKFREE_SHARD_H

#include "mm/engine/check.h"
#include "mm/engine/merge.h"
#include "mm/front/cache.h"
#include "mm/front/rich.h"
#include "mm/front/seat.h"
#include "mm/lockfree/lists.h"

#define MAX_SHARDS 65536   /* ids are 16 bits wide */
#define WARDS_MIN 16       /* merged ids that may wait to serve anew */
#define WARD_BYTES_LOG2 18 /* ... and one more for each so many bytes */

enum status { OWNED, CLAIMED, STOLEN, ABANDONED, ORPHAN, MERGED, SPARE };
#define STATUS_BITS 3

struct shard {
    struct seat first_seat; /* where some shard's seat lies */

    _Alignas(64) struct inbox inbox;
    _Alignas(64) _Atomic uint64_t state; /* status, and how often it changed */
    _Atomic uint32_t below;              /* link in a tagged stack */
    _Atomic uint32_t seen, swept;        /* uses, when others last looked */

    _Alignas(64) _Atomic uint32_t uses; /* entries, to see that it rests */
    _Atomic uint32_t process;           /* in which it was acquired */
    _Atomic size_t waste;               /* bytes that purging would give */
    _Atomic(struct seat *) seat;
    uint32_t id; /* index in records[] */
    uint32_t nwards;
    struct shard *wards, *next_ward; /* merged into this one; a list */
    size_t counted;                  /* its part of process.resident */
    struct arena arena;
} __attribute__((aligned(64)));

/* What a child of fork does not inherit: zero in it. All threads write. */
struct process {
    _Atomic uint32_t number; /* 0: not yet known */
    _Atomic uint32_t cursor; /* of scans */
    _Atomic size_t resident; /* bytes of all shards, within SCAN_STEP each */
    _Atomic size_t record;   /* resident, above which others' waste is purged */
    _Atomic uint32_t turn;   /* odd: orphans are taken from the second stack */
    _Alignas(
        64) struct tagged orphans[2];  /* those put down in this turn wait */
    _Alignas(64) struct tagged spares; /* in the other, for the next */
};

static _Atomic uint32_t last_process; /* number of the latest known */
static _Atomic uint32_t nshards;
static struct shard *_Atomic records[MAX_SHARDS];
static struct shard *_Atomic owners[MAX_SHARDS];

static always_inline struct process *process(void)
{
    return mem_range.process;
}

/* This process's number. A child takes a new one, whichever of its threads
 * comes first. It is used up before it is known: so that a child of the child,
 * wherever that was interrupted, takes another. */
static inline uint32_t process_number(void)
{
    uint32_t n = atomic_load_explicit(&process()->number, memory_order_relaxed);
    if (likely(n))
        return n;
    uint32_t next =
        atomic_fetch_add_explicit(&last_process, 1, memory_order_relaxed) + 1;
    if (atomic_compare_exchange_strong_explicit(&process()->number, &n, next,
                                                memory_order_relaxed,
                                                memory_order_relaxed))
        return next;
    return n;
}

/* ---- owners ---------------------------------------------------------- */

/* NULL for a moment while it is being made. Acquire, paired with the release
 * in shard_make: it is complete. */
static always_inline struct shard *shard_at(uint32_t id)
{
    return atomic_load_explicit(&records[id], memory_order_acquire);
}

static inline uint32_t shard_count(void)
{
    uint32_t n = atomic_load_explicit(&nshards, memory_order_relaxed);
    return (uint32_t)min_size(n, MAX_SHARDS);
}

/* Release, paired with the acquire in owner_of: who learns of the new owner
 * also sees the labels that were changed before. */
static inline void owner_set(uint32_t id, struct shard *s)
{
    count_shared();
    atomic_store_explicit(&owners[id], s, memory_order_release);
}

/* The shard that p, a block in use, lies in. May be out of date at once, but
 * not for who owns the shard. */
static inline struct shard *owner_of(const void *p)
{
    struct shard *s =
        atomic_load_explicit(&owners[payload_owner(p)], memory_order_acquire);
    if (unlikely(!s))
        mm_die("the block's header was overwritten", p);
    return s;
}

/* ---- states ---------------------------------------------------------- */

static inline uint64_t state_get(const struct shard *s)
{
    return atomic_load_explicit(&s->state, memory_order_acquire);
}

static always_inline enum status status_of(uint64_t state)
{
    return state & ((1u << STATUS_BITS) - 1);
}

static inline uint64_t state_next(uint64_t state, enum status status)
{
    return ((state >> STATUS_BITS) + 1) << STATUS_BITS | status;
}

/* For who owns s for good: nobody else changes its state now. */
static inline void state_set(struct shard *s, enum status status)
{
    uint64_t next = state_next(state_get(s), status);
    count_shared();
    atomic_store_explicit(&s->state, next, memory_order_release);
}

/* Acquire and release are partners of each other, and of state_get: what was
 * done to the arena under one state is seen under the next. */
static inline bool state_change(struct shard *s, uint64_t *from,
                                enum status status)
{
    uint64_t next = state_next(*from, status);
    count_rmw();
    if (!atomic_compare_exchange_strong_explicit(
            &s->state, from, next, memory_order_acq_rel, memory_order_acquire))
        return false;
    *from = next;
    return true;
}

/* ---- seats ----------------------------------------------------------- */

static always_inline struct seat *seat_of(const struct shard *s)
{
    return atomic_load_explicit(&s->seat, memory_order_relaxed);
}

static inline void seat_set(struct shard *s, struct seat *seat)
{
    seat->shard = s;
    atomic_store_explicit(&s->seat, seat, memory_order_relaxed);
}

/* a is the caller's, who is inside, and b nobody's yet: no thief may claim it.
 * So whoever reads an old seat of a's sees it shut, or fails its CAS of the
 * state; of b's there is nobody to read any. */
static inline void seats_swap(struct shard *a, struct shard *b)
{
    struct seat *of_a = seat_of(a);
    seat_set(a, seat_of(b));
    seat_set(b, of_a);
}

/* ---- sending ----------------------------------------------------------- */

/* The inbox that first led to was closed: its blocks have a new owner already,
 * and lead to him. Where they do not, and nothing happened meanwhile, they lie:
 * in a fork's child, which may have got some pages earlier than others, the
 * blocks are lost. */
static cold_noinline void send_on(void *first, void *last)
{
    for (;;) {
        struct shard *to = owner_of(first);
        uint64_t state = state_get(to);
        if (inbox_push_remote(&to->inbox, first, last))
            return;
        if (owner_of(first) != to || state_get(to) != state)
            continue;
        if (atomic_load_explicit(&to->process, memory_order_relaxed) !=
            process_number())
            return;
        mm_die("the block's header was overwritten", first);
    }
}

/* Push a chain of one owner's blocks. */
static inline void send(void *first, void *last)
{
    if (unlikely(!inbox_push_remote(&owner_of(first)->inbox, first, last)))
        send_on(first, last);
}

/* ---- birth and death --------------------------------------------------- */

static _Atomic uint32_t *shard_below(uint32_t index)
{
    return &shard_at(index)->below;
}

static inline struct shard *shard_pop(struct tagged *stack)
{
    uint32_t i = tagged_pop(stack, shard_below);
    return i == TAGGED_NONE ? NULL : shard_at(i);
}

static inline void shard_clear(struct shard *s)
{
    arena_init(&s->arena, s->id);
    s->arena.heap.fixed = true; /* it grows only where the stage says so */
    s->arena.heap.steps = true;
    s->counted = 0;
}

/* Add to the whole what s, the caller's, has more than it had, or take off what
 * it has less. Relaxed: a sum to decide by, which publishes nothing.
 * @return the whole */
static inline size_t shard_count_resident(struct shard *s)
{
    size_t more = heap_resident(&s->arena.heap) - s->counted; /* or less */
    s->counted += more;
    count_rmw();
    return atomic_fetch_add_explicit(&process()->resident, more,
                                     memory_order_relaxed) +
           more;
}

/* NULL: out of memory, or of ids. */
static cold_noinline struct shard *shard_make(void)
{
    if (shard_count() == MAX_SHARDS)
        return no_memory();
    struct shard *s = mem_record(sizeof *s);
    if (!s)
        return NULL;
    count_rmw();
    s->id = atomic_fetch_add_explicit(&nshards, 1, memory_order_relaxed);
    if (s->id >= MAX_SHARDS)
        return no_memory();
    cache_init(&s->first_seat.cache);
    seat_set(s, &s->first_seat);
    shard_clear(s);
    /* Not 0, which is OWNED: thieves look at whatever is in records[]. */
    atomic_store_explicit(&s->state, SPARE, memory_order_relaxed);
    owner_set(s->id, s);
    atomic_store_explicit(&records[s->id], s, memory_order_release);
    return s;
}

static inline void shard_push_orphan(struct shard *s)
{
    uint64_t state = state_get(s);
    while (!state_change(s, &state, ORPHAN))
        ; /* no plain store: thieves may claim it, and count */
    uint32_t turn =
        atomic_load_explicit(&process()->turn, memory_order_relaxed);
    tagged_push(&process()->orphans[~turn & 1], &s->below, s->id);
}

/* One of those that wait longest: first in, first out but for those of one
 * turn. Relaxed: turn decides the order only, and either order is right. */
static inline struct shard *shard_pop_orphan(void)
{
    struct process *all = process();
    uint32_t turn = atomic_load_explicit(&all->turn, memory_order_relaxed);
    struct shard *s = shard_pop(&all->orphans[turn & 1]);
    if (s || !(s = shard_pop(&all->orphans[~turn & 1])))
        return s;
    count_shared();
    atomic_store_explicit(&all->turn, turn + 1, memory_order_relaxed);
    return s;
}

/* A shard that nobody else has; its seat is empty, and not open. It is not yet
 * OWNED, so no thief looks at it. NULL: out of memory. */
static inline struct shard *shard_get(void)
{
    uint32_t number = process_number();
    struct shard *s = shard_pop_orphan();
    if (!s && (s = shard_pop(&process()->spares)))
        inbox_open_owner(&s->inbox);
    if (!s && !(s = shard_make()))
        return NULL;
    atomic_store_explicit(&s->process, number, memory_order_relaxed);
    return s;
}

/* The same, with the seat that it has. From here thieves may claim it, and read
 * which seat that is. */
static inline struct shard *shard_acquire(void)
{
    struct shard *s = shard_get();
    if (s)
        state_set(s, OWNED);
    return s;
}

/* ---- mail ------------------------------------------------------------ */

static cold_noinline void letter_post(struct letter *l)
{
    if (!l->to)
        return;
    l->to = NULL;
    send(l->first, l->last);
}

static inline void outbox_post(struct outbox *o)
{
    for (unsigned i = 0; i < OUTBOX_SLOTS; i++)
        letter_post(&o->slots[i]);
}

/* p, a block of shard to, which is not the caller's, starts on its way. */
static inline void outbox_add(struct outbox *o, struct shard *to, void *p)
{
    struct letter *l = outbox_slot(o, to->id);
    if (unlikely(l->to != to))
        letter_post(l);
    if (unlikely(letter_add(l, to, p, arena_usable(p))))
        letter_post(l);
}

/* Free p, which is s's own, or starts on its way through outbox o. Its owner is
 * looked up here, now that s is the caller's: an answer from before may name s,
 * though p has moved out of it since. */
static inline void free_block(struct shard *s, struct outbox *o, void *p)
{
    struct shard *owner = owner_of(p);
    if (likely(owner == s))
        arena_free(&s->arena, p);
    else
        outbox_add(o, owner, p);
}

/* The same for a chain. */
static inline void free_chain(struct shard *s, struct outbox *o, void *p)
{
    while (p) {
        void *next = *(void **)p;
        free_block(s, o, p);
        p = next;
    }
}

static inline void shard_free_chain(struct shard *s, void *p)
{
    free_chain(s, &seat_of(s)->outbox, p);
}

/* ---- merging ----------------------------------------------------------- */

/* L4: relabel, and let the wards serve anew. */
static cold_noinline void wards_release(struct shard *s)
{
    arena_relabel(&s->arena, s->id);
    for (struct shard *w = s->wards, *next; w; w = next) {
        next = w->next_ward;
        state_set(w, SPARE); /* before owners[]: send_on relies on it */
        owner_set(w->id, w);
        tagged_push(&process()->spares, &w->below, w->id);
    }
    s->wards = NULL;
    s->nwards = 0;
}

static inline void ward_add(struct shard *s, struct shard *w)
{
    w->next_ward = s->wards;
    s->wards = w;
    s->nwards++;
}

/* Take orphan o, which is the caller's, into s, which is, too. */
static cold_noinline void shard_merge(struct shard *s, struct shard *o)
{
    for (struct shard *w = o->wards, *next; w; w = next) {
        next = w->next_ward;
        owner_set(w->id, s);
        ward_add(s, w);
    }
    owner_set(o->id, s); /* before the inbox closes: send relies on it */
    void *mail = inbox_close_owner(&o->inbox);
    arena_merge(&s->arena, &o->arena);
    s->counted += o->counted;
    shard_clear(o);
    o->wards = NULL;
    o->nwards = 0;
    state_set(o, MERGED);
    ward_add(s, o);
    shard_free_chain(s, mail);
    if (s->nwards > WARDS_MIN + (s->arena.heap.size >> WARD_BYTES_LOG2))
        wards_release(s);
}

/* Work in orphan o from now on, which is the caller's, and leave s, which is
 * entered. Thieves look at a shard's seat before they take it: o gets the
 * thread's, which is not open, before it can be claimed; and who has claimed s,
 * and reads of it the seat that o had, or later that the thread has opened its
 * own, finds that the state of s has changed. */
static inline void shard_exchange(struct shard *s, struct shard *o)
{
    seats_swap(s, o);
    atomic_store_explicit(&o->process, process_number(), memory_order_relaxed);
    state_set(o, OWNED);
    shard_push_orphan(s);
}

/* s needs a block of asize bytes and would have to grow, but an orphan may be
 * there. One that has plenty is used from now on instead of s (rich.h); one
 * that has not is taken into s.
 * @return the shard to go on with, entered; NULL: there was no orphan */
static cold_noinline struct shard *shard_relieve(struct shard *s, size_t asize)
{
    struct shard *o = shard_pop_orphan();
    if (!o)
        return NULL;
    free_chain(o, &seat_of(s)->outbox, inbox_take_owner(&o->inbox));
    if (!heap_is_rich(&o->arena.heap, asize)) {
        shard_merge(s, o);
        return s;
    }
    shard_exchange(s, o);
    return o;
}

/* Take an orphan's memory into s. @return whether there was one */
static inline bool shard_adopt(struct shard *s)
{
    return shard_relieve(s, NEVER_RICH) != NULL;
}

#endif
