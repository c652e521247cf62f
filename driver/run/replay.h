/* replay.h - one thread's part of a trace, through an allocator.
 *
 * Four ways: checked (by the oracle), touched (resident.h), timed, and with
 * the time of every operation. The timed loop is the driver's hot path: it
 * may cost 3 ns per operation, which -V measures with the no-op allocator.
 *
 * A timed malloc, calloc or memalign writes one byte of the new block, as a
 * program that uses its memory would: an allocator that returns cold or
 * unmapped memory pays for it in the time that is measured.
 *
 * Invariants
 *   R1 mark->op is the operation that is being performed, at all times: what
 *      the watchdog and the report of a crash rely on
 *   R2 nothing here allocates, locks or calls the system, but sched_yield
 *      when a lane has waited long for another
 *   R3 an entry is 0 until the block is handed over, then its address + 1,
 *      until replay_clear of the lane that wrote it; of a free, any address:
 *      only a malloc can wait for it */
#ifndef DRIVER_REPLAY_H
#define DRIVER_REPLAY_H

#include "config.h"
#include "driver/base/clock.h"
#include "driver/base/fault.h"
#include "driver/base/latency.h"
#include "driver/check/oracle.h"
#include "driver/check/trail.h"
#include "driver/trace/script.h"
#include "mm.h"

#include <pthread.h>
#include <stdatomic.h>

enum mark_state {
    MARK_IDLE,    /* between passes */
    MARK_BUSY,    /* performing operation `op` */
    MARK_WAITING, /* `op` waits for another lane */
    MARK_DONE,    /* finished this pass */
};

/* Where a thread is. In memory shared with the parent process. */
struct mark {
    _Alignas(CACHE_LINE) _Atomic uint64_t op; /* index in the script lane */
    _Atomic uint32_t state;                   /* enum mark_state */
    uint64_t start_ns, end_ns;                /* of the last timed pass */
    struct mm_counts counts;                  /* of the counted pass */
};

/** Nanoseconds from the first start to the last end of n threads. */
uint64_t marks_elapsed_ns(const struct mark *marks, unsigned n);

/* One thread's share of a round. */
struct lane {
    const struct mm_allocator *a;
    const struct script *script;
    const struct script_lane *l;
    void **slots;             /* this lane's */
    _Atomic uintptr_t *hands; /* R3: of all lanes; NULL: nothing to hand over */
    size_t ins, outs; /* taken and given so far, in passes that stop between */
    size_t *sizes;    /* of each block of the trace, for the touch pass; the
                       * hand-overs order what the lanes do there too */
    struct mark *mark;
    struct fault *fault;
    struct trail *trail; /* of the checked pass and the touched; NULL: none */
    unsigned thread;     /* number of the driver thread */
    unsigned tag;        /* operation i writes the byte i + tag to its block */
    unsigned spins; /* looks at an entry before the processor is given away */
    size_t absurd;  /* bytes; NULL for a larger request is no fault */
    struct latency *latency;
    const struct ticker *ticker;
};

/** Replay with the clock running: sets mark->start_ns and end_ns.
 * @return false if a fault was found, by this thread or by another. */
bool replay_timed(struct lane *lane);
/** Operations from .. to - 1 of the same, the clock aside.
 * @pre those before were performed, in this pass. */
bool replay_some(struct lane *lane, size_t from, size_t to);
/** The byte that operation i writes. */
static inline unsigned char replay_byte(const struct lane *lane, size_t i)
{
    return (unsigned char)(i + lane->tag);
}
/** The same, with each operation's time added to lane->latency. */
bool replay_latency(struct lane *lane);
/** Through the oracle. Same return.
 * @param in_turn  held during each operation, so that the allocator's own
 *                 check, at level 2, finds no other thread inside; or NULL. */
bool replay_checked(struct lane *lane, struct oracle *o,
                    struct oracle_block *blocks, pthread_mutex_t *in_turn);
/** Free what the script leaves, and set back the entries that this lane wrote,
 * for the next replay.
 * @pre no lane of the same script is at work. */
void replay_clear(struct lane *lane);

/** Bytes of a request that may fail without a fault: as the oracle's bound,
 * half of the machine's memory. */
size_t replay_absurd(void);

/* ---- for passes of one's own (resident.c) -------------------------------- */

/** Wait until the lane may perform operation i, and take its block if another
 * lane had it. @return false if a fault ended the replay meanwhile. */
bool replay_enter(struct lane *lane, size_t i);
/** Hand operation i's block to the lane that is next to use it, if one is. */
void replay_leave(struct lane *lane, size_t i);
/** Perform operation i. On failure it sets the fault and returns false. */
bool replay_perform(struct lane *lane, size_t i);
static inline void **replay_slot(const struct lane *lane, size_t i)
{
    return &lane->slots[lane->l->ops[i].id];
}

#endif
