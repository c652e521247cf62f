/* trail.c - see trail.h. */
#include "driver/check/trail.h"

#include "driver/check/account.h"

/* FNV-1a, by words. */
#define PRIME UINT64_C(0x100000001b3)

void trail_note(struct trail *t, size_t i, size_t n, const void *p)
{
    uint64_t place = p ? account_place(p) + 1 : 0;
    t->sum = (t->sum ^ place) * PRIME + i;
    t->mark[i * TRAIL_MARKS / n] = t->sum;
}

unsigned trail_fork(const struct trail *a, const struct trail *b)
{
    unsigned m = a->apart || b->apart ? TRAIL_MARKS : 0;
    while (m < TRAIL_MARKS && a->mark[m] == b->mark[m])
        m++;
    return m;
}
