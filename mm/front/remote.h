/* remote.h - blocks on their way to another thread's shard.
 *
 *   free ─► outbox, a batch for each owner ─► one CAS ─► the owner's inbox
 *
 *   closed? it was merged ─► look the owner up again
 *
 * The order in which a shard is merged (adopt.h) is the proof that a send gets
 * on: its ids lead to the new owner before its inbox is closed.
 *
 * To be included by a stage after its struct shard, which has an inbox and
 * a count of its bytes, an arena, an id and a state (state.h). The stage
 * defines besides: */
#ifndef MM_FRONT_REMOTE_H
#define MM_FRONT_REMOTE_H

#include "mm/front/inbox.h"
#include "mm/front/outbox.h"
#include "mm/front/owners.h"
#include "mm/front/thread.h"

#include <limits.h>

/** Is s of another process? A fork's parent had it; its blocks may be torn. */
static inline bool shard_is_foreign(const struct shard *s);
/** The thread that works on s. */
static always_inline struct thread *thread_of(const struct shard *s);
/** Its outbox. NULL: it has none, and sends others' blocks at once. */
static inline struct outbox *outbox_of(const struct shard *s);
/** These bytes were just sent to a shard. */
static inline void shard_sent(struct shard *to, size_t bytes);

/* ---- sending ----------------------------------------------------------- */

/* The inbox that first leads to is closed: these blocks have a new owner
 * already, and lead to it. If they do not, and nothing happened meanwhile,
 * their headers are wrong. A fork's child may have got a copy of some pages
 * earlier than of others: there such blocks are lost. */
static cold_noinline struct shard *send_on(void *first, void *last)
{
    for (;;) {
        struct shard *to = owner_of(first);
        uint64_t state = state_get(to);
        if (inbox_push_remote(&to->inbox, first, last))
            return to;
        if (owner_of(first) != to || state_get(to) != state ||
            !inbox_is_closed_remote(&to->inbox))
            continue;
        if (shard_is_foreign(to))
            return NULL;
        mm_die("the block's header was overwritten", first);
    }
}

/* Push a chain of one owner's blocks. @return the shard that got it; NULL: it
 * is lost */
static inline struct shard *send(void *first, void *last)
{
    struct shard *to = owner_of(first);
    bool sent = likely(inbox_push_remote(&to->inbox, first, last));
    return sent ? to : send_on(first, last);
}

/* ---- the outbox -------------------------------------------------------- */

static cold_noinline void batch_post(struct batch *batch)
{
    if (!batch->to)
        return;
    batch->to = NULL;
    struct shard *to = send(batch->first, batch->last);
    if (likely(to != NULL))
        shard_sent(to, batch->bytes);
}

static inline void outbox_post(struct outbox *o)
{
    for (unsigned i = 0; i < OUTBOX_SLOTS; i++)
        batch_post(&o->slots[i]);
}

/* p, a block of shard to, which is not the caller's, starts on its way. */
static inline void outbox_add(struct outbox *o, struct shard *to, void *p)
{
    struct batch *batch = outbox_slot(o, to->id);
    if (unlikely(batch->to != to))
        batch_post(batch);
    if (unlikely(batch_add(batch, to, p, arena_usable(p))))
        batch_post(batch);
}

/* Free p, which has its key: it is s's own, or starts on its way through outbox
 * o. Its owner is looked up here, now that s is the caller's: an answer from
 * before may name s, though p has moved out of it since. */
static always_inline void free_block(struct shard *s, struct outbox *o, void *p)
{
    struct shard *owner = owner_of(p);
    if (likely(owner == s))
        arena_put(&s->arena, p, page_tag(p));
    else if (likely(o != NULL))
        outbox_add(o, owner, p);
    else
        send(p, p);
}

#define WHOLE_CHAIN UINT_MAX

/* The same for a chain of n blocks; WHOLE_CHAIN: to its end. A block that was
 * freed twice leads back to itself: there seem to be more than n, or fewer. */
static __attribute__((noinline)) void
free_chain(struct shard *s, struct outbox *o, void *p, unsigned n)
{
    unsigned left = n;
    for (; p && left; left--) {
        void *next = *(void **)p;
        free_block(s, o, p);
        p = next;
    }
    if (unlikely(n != WHOLE_CHAIN && (p || left)))
        mm_die("double free of a small block", p ? p : s);
}

/* Take what lies in the inbox of s, which is the caller's. */
static inline void *shard_take_inbox(struct shard *s)
{
    void *chain = inbox_take_owner(&s->inbox);
    if (chain)
        atomic_store_explicit(&s->inbox_bytes, 0, memory_order_relaxed);
    return chain;
}

/* Free what came to s; s and mine are the caller's. */
static inline void shard_free_inbox(struct shard *s, struct shard *mine)
{
    free_chain(s, outbox_of(mine), shard_take_inbox(s), WHOLE_CHAIN);
}

#endif
