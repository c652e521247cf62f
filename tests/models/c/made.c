/* made.c - the stages with locks: what is made under the registry's lock, and
 * read without it, is complete. One thread makes two, two others look.
 *
 * Shards of mm/arena; THREADS: its structs thread; PER_THREAD: shards of
 * mm/per_thread. */
#include "checked.h"

#include "mm/util.h"

#define MADE 2

struct heap {
    int unused;
};
struct arena {
    int owner; /* plain: who reads it too early races with arena_init */
};
struct shard {
    _Atomic uint64_t state;
    uint32_t id;
    struct arena arena;
};
static struct shard shards_here[MADE];
static _Atomic unsigned nrecords;

static void *mem_record(size_t size)
{
    unsigned n = atomic_fetch_add_explicit(&nrecords, 1, memory_order_relaxed);
    (void)size;
    return n < MADE ? &shards_here[n] : NULL;
}

static void arena_init(struct arena *a, uint32_t owner)
{
    a->owner = (int)owner + 1;
}

static inline uint32_t payload_owner(const void *p)
{
    (void)p;
    return 0;
}

#define MM_MAX_ARENAS MADE

#ifdef PER_THREAD
static struct {
    _Atomic uint32_t nshards;
} registry;
static struct shard *_Atomic shards[MM_MAX_ARENAS];
#include "extracted_per_thread_at.h" /* shard_count, shard_at */

#include "extracted_per_thread.h" /* shard_make */
#else
#define MM_ENGINE_ARENA_H /* the driver's own */
#include "mm/front/owners.h"

enum status { OWNED, ORPHAN, MERGED, SPARE };
#include "mm/front/state.h"

static void shard_clear(struct shard *s)
{
    arena_init(&s->arena, s->id);
}
#include "extracted_made.h" /* state_set, shard_make */
#endif

#ifdef THREADS
struct thread {
    struct thread *older;
    struct shard *shard;
    int open;
};
static struct thread threads_here[MADE];
static struct thread *_Atomic all_threads;
static _Atomic size_t nthreads;
struct threads_census {
    unsigned seen; /* bit i: struct i */
};
#define unsynchronized
#define peek(word) (word)
#define mem_record(size) thread_record()

static void *thread_record(void)
{
    static unsigned n; /* the maker's */
    return n < MADE ? &threads_here[n++] : NULL;
}

static void thread_census(const struct thread *t, struct threads_census *c)
{
    c->seen |= 1u << (t - threads_here);
}
#include "extracted_census.h"  /* shard_census_threads */
#include "extracted_threads.h" /* thread_make */

static void make(void)
{
    thread_make();
}

static void look(void)
{
    struct threads_census c = {0};
    shard_census_threads(NULL, &c);
    assert(c.seen != 2 && "the newer one leads to the older");
}
#else
static void make(void)
{
    shard_make();
}

/* By its number, as who goes through all does; by a label of one of its
 * blocks, too: then nobody has said how many there are. */
static void look(void)
{
    for (uint32_t i = 0; i < shard_count(); i++) {
        struct shard *s = shard_at(i);
#ifdef PER_THREAD
        assert(s);
#endif
        if (s)
            assert(s->id == i && s->arena.owner == (int)i + 1);
    }
    struct shard *s = shard_at(1);
    if (s)
        assert(s->id == 1 && s->arena.owner == 2);
}
#endif

static void *maker(void *unused)
{
    make();
    make();
    return unused;
}

static void *looker(void *unused)
{
    look();
    return unused;
}

int main(void)
{
    body *const bodies[] = {maker, looker, looker};
    run_all(bodies, 3);
    return 0;
}
