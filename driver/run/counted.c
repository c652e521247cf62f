/* counted.c - see counted.h. */
#include "driver/run/counted.h"

bool counted_replay(struct lane *lane)
{
    struct mm_counts before, after, *sum = &lane->mark->counts;
    lane->a->counts(&before);
    bool good = replay_timed(lane);
    lane->a->counts(&after);
    sum->rmw += after.rmw - before.rmw;
    sum->shared += after.shared - before.shared;
    return good;
}

struct mm_counts counted_sum(const struct mark *marks, unsigned n)
{
    struct mm_counts sum = {0};
    for (unsigned i = 0; i < n; i++) {
        sum.rmw += marks[i].counts.rmw;
        sum.shared += marks[i].counts.shared;
    }
    return sum;
}
