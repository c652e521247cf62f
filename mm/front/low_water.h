/* low_water.h - how much of a heap's waste nobody has needed for a while.
 *
 *   waste          ┌──┐    ┌─────────────────────
 *                ┌─┘  └┐ ┌─┘
 *   ─────────────┘     └─┘ ◄─ low: needed again and again
 *   |period|period|period|period|period|period|
 *
 * Waste is what purging a heap would give back. Its least value in a period is
 * memory that nothing touched all that time, whatever came and went above it.
 * The least value of PERIODS periods was idle: half of it goes back at the
 * end of each period, so that waste decays along a curve. A load that takes
 * again what it frees brings the low to 0 in each period, and never pays a page
 * fault for memory that went back too soon.
 *
 * All words are hints: two threads that write at once lose a value, and a
 * period then gives back too little or too much. So all orders are relaxed. */
#ifndef MM_FRONT_LOW_WATER_H
#define MM_FRONT_LOW_WATER_H

#include "mm/util.h"

#include <stdatomic.h>

#define PERIODS 4
#define DECAY_ALL ((size_t)1 << 20) /* bytes: less goes back at once */
#define LOOK_MOST 255 /* uses between two looks at the clock, at most */

/* For how long something has not been used. */
struct idleness {
    _Atomic uint32_t seen;    /* uses, at the end of the last period */
    _Atomic uint32_t periods; /* without a use, PERIODS at most */
};

struct low_water {
    _Atomic size_t low;           /* bytes, in this period; 0: of a new one */
    _Atomic bool open;            /* low is of this period */
    _Atomic size_t give;          /* idle bytes, for its thread to purge */
    _Atomic size_t lows[PERIODS]; /* of the last periods */
    struct idleness idle;
    /* Of the thread that works on the heap: */
    uint32_t until, every; /* uses to its next look, and between looks */
    uint64_t last;         /* ms: the last look */
};

/** The heap was used, and has `waste` bytes of waste. */
static always_inline void low_water_note(struct low_water *w, size_t waste)
{
    if (atomic_load_explicit(&w->open, memory_order_relaxed)) {
        if (waste < atomic_load_explicit(&w->low, memory_order_relaxed))
            atomic_store_explicit(&w->low, waste, memory_order_relaxed);
        return;
    }
    atomic_store_explicit(&w->low, waste, memory_order_relaxed);
    atomic_store_explicit(&w->open, true, memory_order_relaxed);
}

/** Its bins have served n times since it last noted a use. */
static inline void low_water_uses(struct low_water *w, uint32_t n)
{
    w->until -= (uint32_t)min_size(w->until, n);
}

/** Is it time for the thread that works on the heap to look at the clock? */
static always_inline bool low_water_turn(struct low_water *w)
{
    return unlikely(w->until-- == 0);
}

/** It looked, at ms. The more often the clock stood still, the less often it
 * looks. */
static inline void low_water_looked(struct low_water *w, uint64_t ms)
{
    w->every = w->last == ms ? 2 * w->every + 1 : w->every / 2;
    w->every = (uint32_t)min_size(w->every, LOOK_MOST);
    w->until = w->every;
    w->last = ms;
}

/** A period ends. @param waste  of now, if nobody has noted any
 * @return bytes that were idle in all of the last PERIODS periods */
static inline size_t low_water_end(struct low_water *w, size_t waste)
{
    bool noted =
        atomic_exchange_explicit(&w->open, false, memory_order_relaxed);
    size_t least =
        noted ? atomic_load_explicit(&w->low, memory_order_relaxed) : waste;
    size_t low = least;
    for (unsigned i = 0; i < PERIODS; i++) {
        size_t before = atomic_load_explicit(&w->lows[i], memory_order_relaxed);
        atomic_store_explicit(&w->lows[i], low, memory_order_relaxed);
        low = before;
        if (i + 1 < PERIODS)
            least = min_size(least, before);
    }
    return least;
}

/** A period ends. @param uses  how often it was used, ever
 * @return periods since the last use, PERIODS at most; 0: it was used in this
 * one */
static inline uint32_t idle_end_period(struct idleness *idle, uint32_t uses)
{
    uint32_t n = atomic_load_explicit(&idle->periods, memory_order_relaxed);
    bool used = atomic_load_explicit(&idle->seen, memory_order_relaxed) != uses;
    n = used ? 0 : (uint32_t)min_size(n + 1, PERIODS);
    atomic_store_explicit(&idle->seen, uses, memory_order_relaxed);
    atomic_store_explicit(&idle->periods, n, memory_order_relaxed);
    return n;
}

/** How many of the idle bytes go back. */
static inline size_t decay_share(size_t idle)
{
    return idle > DECAY_ALL ? idle / 2 : idle;
}

/* What other threads may know of a shard, to see that it is idle. */
struct activity {
    _Atomic uint32_t uses;      /* how often it was entered */
    _Atomic uint32_t swept;     /* uses, when it was last purged as idle */
    _Atomic uint32_t seen;      /* uses, at the last look of others ... */
    _Atomic uint64_t seen_at;   /* ... and ms, at the first that saw those */
    _Atomic size_t purgeable;   /* bytes that purging would give */
    struct low_water low_water; /* ... and its low values */
};

/** The shard was used, and has `waste` bytes of waste now. For the thread that
 * has it. */
static inline void activity_note(struct activity *a, size_t waste)
{
    uint32_t uses = atomic_load_explicit(&a->uses, memory_order_relaxed);
    atomic_store_explicit(&a->uses, uses + 1, memory_order_relaxed);
    atomic_store_explicit(&a->purgeable, waste, memory_order_relaxed);
    low_water_note(&a->low_water, waste);
}

#endif
