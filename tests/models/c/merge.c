/* merge.c - front/adopt.h, front/remote.h: a block is sent while its shard is
 * taken in, its label changed, and its id serves anew.
 *
 * Shard 0 is the adopter's; 1 is an orphan, in which block 0 lies. An heir gets
 * an orphan or a spare, makes block 2 there, and passes it on to be sent.
 * TAKEN_IN: shard 2 was taken in by 1 before, and block 1 still says so: both
 * blocks are sent in one batch. SLAB: block 0 lies in a slab, whose page record
 * says whose it is. */
#include "shards.h"

static _Atomic(void *) passed_on;
static int made;

static void *adopter(void *unused)
{
    struct shard *s = &shards[0];
    shard_relieve(s, NEVER_RICH);
    merged_release(s);
    shard_free_inbox(s, s);
    outbox_post(&thread_of(s)->outbox);
    return unused;
}

static void *sender(void *unused)
{
    block_begin_free(payload_at(0));
#ifdef TAKEN_IN
    block_begin_free(payload_at(1));
    if (owner_of(payload_at(0)) == owner_of(payload_at(1))) {
        *(void **)payload_at(0) = payload_at(1);
        send(payload_at(0), payload_at(1));
        return unused;
    }
    send(payload_at(1), payload_at(1));
#endif
    send(payload_at(0), payload_at(0));
    return unused;
}

static void *heir(void *unused)
{
    struct shard *s = shard_acquire();
    if (!s)
        return unused;
    arena_make(&s->arena, 2);
    made = 1;
    atomic_store_explicit(&passed_on, payload_at(2), memory_order_release);
    shard_free_inbox(s, s);
    outbox_post(&thread_of(s)->outbox);
#ifdef ENDS
    shard_push_orphan(s);
#endif
    return unused;
}

static void *sender_of_made(void *unused)
{
    void *p = atomic_load_explicit(&passed_on, memory_order_acquire);
    if (p) {
        block_begin_free(p);
        send(p, p);
    }
    return unused;
}

/* Bit i: block i is in the inbox of a shard that somebody looks into. */
static unsigned in_inboxes(void)
{
    unsigned waits = 0;
    for (int i = 0; i < SHARDS_MAX; i++) {
        void *p =
            atomic_load_explicit(&shards[i].inbox.chain, memory_order_relaxed);
        for (; p && p != INBOX_CLOSED; p = *(void **)p) {
            enum status status = status_of(state_get(&shards[i]));
            assert(status == OWNED || status == ORPHAN);
            assert(!(waits & 1u << block_number(p)));
            waits |= 1u << block_number(p);
        }
    }
    return waits;
}

static void check_block(int i, unsigned waits)
{
    int lies = 0;
    for (int k = 0; k < SHARDS_MAX; k++)
        lies += shards[k].arena.blocks >> i & 1;
    assert(freed[i] + lies == 1);
    assert(i == 2 || freed[i] + (int)(waits >> i & 1) == 1);
}

int main(void)
{
    body *const bodies[] = {adopter, sender, heir, sender_of_made};
    shard_set(0, OWNED);
    arena_make(&shard_set(1, ORPHAN)->arena, 0);
    shard_set(2, MERGED);
#ifdef TAKEN_IN
    arena_make(&shards[1].arena, 1);
    header_set_owner(payload_block(payload_at(1)), 2);
    owner_set(2, &shards[1]);
    merged_add(&shards[1], &shards[2]);
#endif
    run_all(bodies, 4);
    unsigned waits = in_inboxes();
    check_block(0, waits);
#ifdef TAKEN_IN
    check_block(1, waits);
#endif
    if (made)
        check_block(2, waits);
    return 0;
}
