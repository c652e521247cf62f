/* scene.h - the heap at one moment, piece by piece, for --watch.
 *
 *   the driver knows   live blocks: address, size, usable bytes
 *   walk (mm.h) tells  headers, free blocks, slabs, owners, inboxes
 *
 *   address  |h| payload ... |pad|h| cached  |h| free ........ | own |
 *   pieces   |<--- live -------->|<- cached->|<--- free ------>|<own>|
 *
 * A block that is in use to the allocator and not live to the program is in a
 * thread's cache, or in an inbox if walk says so. Of an allocator without walk
 * there are the live blocks, and what lies between them: bookkeeping if it
 * could hold no block (HEAPMAP_GAP), else untold; more than SCENE_GAP is no
 * piece.
 *
 * Invariants
 *   S1 pieces are sorted by address; none is empty; they overlap only where the
 *      allocator's own walk is wrong
 *   S2 every live block is the piece of its id, once */
#ifndef DRIVER_SCENE_H
#define DRIVER_SCENE_H

#include "driver/check/oracle.h"
#include "mm.h"

#include <stdio.h>

#define SCENE_GAP ((size_t)64 << 10)

enum scene_state { /* the page's data and docs/watch.md have these numbers */
                   SCENE_LIVE,
                   SCENE_FREE,
                   SCENE_CACHED,
                   SCENE_SENT,
                   SCENE_OWN,    /* bookkeeping */
                   SCENE_UNTOLD, /* free, cached or unused: the allocator does
                                    not tell */
                   SCENE_STATES
};

struct scene_piece {
    uintptr_t at;
    size_t size;  /* bytes, header included */
    size_t head;  /* bytes of the header */
    size_t asked; /* live: bytes asked for; the rest is padding */
    enum scene_state state;
    uint32_t id;    /* live: the block's */
    unsigned owner; /* as in struct mm_piece, also the next two */
    long list;
    bool in_slab;
};

struct scene; /* the live blocks, and the pieces of two moments */

/** @param nids  ids that blocks may have */
struct scene *scene_new(const struct mm_allocator *a, size_t nids);
void scene_free(struct scene *s);
/** The block of id lies there from now on; NULL: it is not live. */
void scene_set(struct scene *s, uint32_t id, const struct oracle_place *place);
/** Bytes of all live payloads. */
size_t scene_payload(const struct scene *s);
/** Look: the pieces of now, n of them, until the next look.
 * @pre no thread is inside the allocator, and its heap is sound */
const struct scene_piece *scene_look(struct scene *s, size_t *n);
/** Write what differs from the look before the last one as two arrays of
 * numbers, addresses less base: where the pieces began that are gone, and
 * eight numbers for each that is new (docs/watch.md). */
void scene_print_change(const struct scene *s, uintptr_t base, FILE *out);
/** The live blocks that lie in some of [at, at + size), at most n.
 * @return how many */
size_t scene_at(const struct scene *s, uintptr_t at, size_t size,
                struct scene_piece *out, size_t n);

#endif
