/* inspect_inside.h - the structures of an inspection; for driver/inspect*.c. */
#ifndef DRIVER_INSPECT_INSIDE_H
#define DRIVER_INSPECT_INSIDE_H

#include "driver/run/inspect.h"

/* One id at a cut. */
struct held {
    struct lane *lane; /* that touched it last */
    uint32_t slot, hand;
    uint32_t op; /* index in the trace of the one that made or resized it */
    bool live, posted, unsure, written;
    unsigned char byte; /* at its start, if written */
    size_t size;        /* bytes */
    uint64_t seed;
    size_t filled; /* bytes with the pattern; 0: none */
    size_t whole;  /* bytes that the pattern was made for */
};

/* One part of the round. */
struct walk {
    struct lane *lanes;
    unsigned nlanes;
    size_t cut[4];       /* indices in the trace: 0, both cuts, its end */
    size_t at;           /* operations gone through */
    size_t *done, *outs; /* of each lane: operations, entries written */
    struct held *held;   /* of each id */
};

/* A live block, to be sorted by address. */
struct place {
    unsigned char *p;
    struct held *h;
    const struct walk *w;
};

struct inspection {
    const struct mm_allocator *a;
    const struct round *round;
    uint64_t random;
    struct walk *walks; /* of each part */
    struct place *places;
    size_t nplaces;
};

static inline const struct trace *trace_of(const struct walk *w)
{
    return w->lanes[0].script->trace;
}

/** All blocks that are live at a cut, sorted by address, into places. */
void inspect_find(struct inspection *x, unsigned cut);

#endif
