/* outbox.h - blocks of other owners, on their way: one CAS for many.
 *
 *   slot   to ─► owner     first ─► block ─► block ─► last     n, bytes
 *
 * A block of another owner waits here until OUTBOX_BLOCKS of them, or
 * OUTBOX_BYTES, can be pushed into that owner's inbox as one chain. A slot
 * serves one owner at a time; before it serves another, its batch is posted.
 * Only the thread whose outbox it is touches it, or the blocks in it. */
#ifndef MM_FRONT_OUTBOX_H
#define MM_FRONT_OUTBOX_H

#include "mm/util.h"

#define OUTBOX_SLOTS 16
#define OUTBOX_BLOCKS 32
#define OUTBOX_BYTES ((size_t)16 << 10)
#define BATCH_BLOCK_MAX ((size_t)1 << 20) /* bytes; more count as this */

struct shard;

struct batch {
    struct shard *to; /* NULL: the slot is empty */
    void *first, *last;
    uint32_t blocks;
    uint32_t bytes;
};

struct outbox {
    struct batch slots[OUTBOX_SLOTS];
};

/* Add p; dies if p was the last one added. @return whether the batch is full:
 * post it */
static inline bool batch_add(struct batch *batch, struct shard *to, void *p,
                             size_t bytes)
{
    if (!batch->to) {
        *batch = (struct batch){.to = to, .last = p};
        *(void **)p = NULL;
    } else {
        if (unlikely(p == batch->first))
            mm_die("double free", p);
        *(void **)p = batch->first;
    }
    batch->first = p;
    batch->blocks++;
    batch->bytes += (uint32_t)min_size(bytes, BATCH_BLOCK_MAX);
    return batch->blocks >= OUTBOX_BLOCKS || batch->bytes >= OUTBOX_BYTES;
}

/* The slot for an owner. */
static inline struct batch *outbox_slot(struct outbox *o, uint32_t owner)
{
    return &o->slots[owner % OUTBOX_SLOTS];
}

#endif
