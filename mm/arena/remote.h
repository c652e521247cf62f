/* remote.h - what a thread frees that its bins do not keep: how it gets home.
 *
 *   own block ──────────────────────────────────► its arena
 *   other's block ► outbox, a letter for each owner ► his mail ► his bins, or
 *                                                                his arena
 *
 * A letter waits until it is full (outbox.h); then its owner's lock is taken,
 * or tried again with the next block, and the chain left in his mail: he has in
 * his processor's cache what freeing a block touches, lists and neighbours, and
 * need not get it back afterwards. Where the owner does not come, because he
 * sleeps or is gone, the thread that overfills his mail frees it for him.
 *
 * Invariants
 *   T1 all blocks of a letter have one root: they had when they were added, and
 *      no id was made to serve anew since
 *   T2 no more than WAIT_LETTERS for each slot, and MAIL_BYTES with each
 *      shard wait; a block of WAIT_BYTES never does */
#ifndef MM_ARENA_REMOTE_H
#define MM_ARENA_REMOTE_H

#include "mm/front/cache.h"
#include "mm/front/outbox.h"
#include "mm/arena/shard.h"

#define WAIT_LETTERS 4 /* as full as so many: wait for the lock */
#define WAIT_BYTES (WAIT_LETTERS * OUTBOX_BYTES)

#ifndef ARENA_FAVORITE
#define ARENA_FAVORITE 0
#endif

struct thread {
    struct cache cache;
    struct outbox outbox;
    uint32_t era;        /* of all letters in it */
    struct shard *shard; /* of this thread; or the favorite */
    struct thread *next; /* free records */
} __attribute__((aligned(64)));

/* ---- others' blocks ---------------------------------------------------- */

/* @pre l is for s, which is locked: all its blocks have this root, as when they
 * were added */
static inline void letter_leave(struct letter *l, struct shard *s)
{
    l->to = NULL;
    shard_leave(s, l->first, l->last, l->bytes);
    lock_drop(&s->lock);
}

static cold_noinline void letter_post(struct letter *l)
{
    if (l->to)
        letter_leave(l, owner_lock(l->first));
}

/* l is full. Its owner is not waited for, unless it is far too full: who is at
 * work in his arena holds the lock for as long as it takes to fall asleep. */
static cold_noinline void letter_full(struct letter *l)
{
    bool wait =
        l->blocks >= WAIT_LETTERS * OUTBOX_BLOCKS || l->bytes >= WAIT_BYTES;
    struct shard *s = wait ? owner_lock(l->first) : owner_try(l->first);
    if (s)
        letter_leave(l, s);
}

static inline void outbox_post(struct outbox *o)
{
    for (unsigned i = 0; i < OUTBOX_SLOTS; i++)
        letter_post(&o->slots[i]);
}

/* p's root, in the era of t's letters. Letters of another are posted first: a
 * root that serves anew need not be that of the blocks that once had it. */
static inline struct shard *era_root(struct thread *t, const void *p)
{
    for (;;) {
        uint32_t era = era_get();
        if (unlikely(t->era != era)) {
            outbox_post(&t->outbox);
            t->era = era;
        }
        struct shard *to = owner_root(p);
        if (likely(era_get() == era))
            return to;
    }
}

/* p, which belongs to another shard, starts on its way. */
static inline void outbox_add(struct thread *t, void *p)
{
    struct shard *to = era_root(t, p);
    struct letter *l = outbox_slot(&t->outbox, to->id);
    if (unlikely(l->to != to))
        letter_post(l);
    if (unlikely(letter_add(l, to, p, arena_usable(p))))
        letter_full(l);
}

/* What others left: into the bins as long as there is room. @pre t's shard's
 * lock */
static cold_noinline void take_mail(struct thread *t)
{
    void *p = shard_take_mail(t->shard);
    while (p) {
        void *next = *(void **)p;
        if (!bin_take_home(&t->cache, p, true))
            arena_free(&t->shard->arena, p);
        p = next;
    }
}

/* ---- freeing ----------------------------------------------------------- */

static cold_noinline void free_now(void *p)
{
    struct shard *s = owner_lock(p);
    arena_free(&s->arena, p);
    lock_drop(&s->lock);
}

/* Free p, which belongs into no bin: another's by letter, unless it is large,
 * or the process has one thread and so no lock. */
static inline void thread_free(struct thread *t, void *p)
{
    struct shard *owner = owner_root(p);
    if (owner == t->shard || __libc_single_threaded ||
        arena_usable(p) >= WAIT_BYTES)
        free_now(p);
    else
        outbox_add(t, p);
}

/* Free a chain of blocks: what is t's own now, the rest through its outbox.
 * Needs no lock to tell: while t uses its shard, nothing leads away from it.
 * @param n  its blocks. One that was freed twice leads back to itself: there
 *           seem to be more, or the cut left fewer. */
static cold_noinline void thread_free_chain(struct thread *t, void *p,
                                            unsigned n)
{
    void *own = NULL, **last = &own;
    for (; p && n; n--) {
        void *next = *(void **)p;
        struct shard *owner = owner_root(p);
        if (likely(owner == t->shard)) {
            *last = p;
            last = p;
        } else {
            outbox_add(t, p);
        }
        p = next;
    }
    if (unlikely(p || n))
        mm_die("double free of a small block", p ? p : own);
    *last = NULL;
    if (!own)
        return;
    lock_take(&t->shard->lock);
    shard_free_chain(t->shard, own);
    lock_drop(&t->shard->lock);
}

/* Free all but the keep newest blocks of bin i. */
static inline void bin_free(struct thread *t, size_t i, unsigned keep)
{
    unsigned n = bin_count(&t->cache, i) - keep;
    thread_free_chain(t, bin_cut(&t->cache, i, keep), n);
}

/* The same, for the bin is over its limit. */
static cold_noinline void bin_flush(struct thread *t, size_t i, unsigned keep)
{
    bin_shrink(&t->cache, i);
    bin_free(t, i, keep);
}

/* Others need the memory more: this says nothing of the limits. A letter may be
 * for this thread by now: that mail shall not fill the bins again. */
static cold_noinline void cache_flush(struct thread *t)
{
    for (size_t i = 1; i < NBINS; i++)
        if (bin_count(&t->cache, i))
            bin_free(t, i, 0);
    outbox_post(&t->outbox);
    lock_take(&t->shard->lock);
    shard_free_mail(t->shard);
    lock_drop(&t->shard->lock);
}

/* ---- the end ----------------------------------------------------------- */

/* Bytes that wait with t, with headers. */
static inline size_t thread_bytes(const struct thread *t)
{
    size_t bytes = cache_bytes(&t->cache);
    for (unsigned i = 0; i < OUTBOX_SLOTS; i++)
        if (t->outbox.slots[i].to)
            bytes += chain_bytes(t->outbox.slots[i].first);
    return bytes;
}

#endif
