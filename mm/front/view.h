/* view.h - the words of a stage whose threads have caches (mm/engine/view.h).
 */
#ifndef MM_FRONT_VIEW_H
#define MM_FRONT_VIEW_H

#include "mm/engine/view.h"
#include "mm/front/thread.h"

#define VIEW_FRONT                                                             \
    VIEW_AT("shards", all_shards), VIEW_AT("nshards", &nshards),               \
        VIEW_IS("sizeof shard", sizeof(struct shard)), VIEW_IN(shard, state),  \
        VIEW_IS("STATUS_BITS", STATUS_BITS),                                   \
        VIEW_AT("status_names", status_names), VIEW_IN(shard, inbox_bytes),    \
        VIEW_IN(shard, activity.uses),                                         \
        VIEW_IS("sizeof thread", sizeof(struct thread)),                       \
        VIEW_IN(thread, open), VIEW_IN(thread, tid), VIEW_IN(thread, shard),   \
        VIEW_IN(thread, older), VIEW_IN(thread, cache.bins),                   \
        VIEW_IN(thread, cache.large), VIEW_IN(bin, room), VIEW_IN(bin, limit), \
        VIEW_IS("nbins", NBINS), VIEW_IS("small_bins", SMALL_BINS),            \
        VIEW_IN(thread, outbox.slots), VIEW_IN(batch, to),                     \
        VIEW_IN(batch, bytes), VIEW_IS("sizeof batch", sizeof(struct batch)),  \
        VIEW_IS("nbatches", OUTBOX_SLOTS)

#endif
