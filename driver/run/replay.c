/* replay.c - the loops. See replay.h.
 *
 * One loop, written once, inlined four times with constant flags: for one
 * lane or several, with or without the time of each operation.
 *
 * What it costs is mostly branches that cannot be foreseen: 1.6 ns for each
 * operation where mallocs and frees follow a pattern, 2 to 3 ns on recorded
 * programs, 4 to 6 ns where a generator drew lots for each. Tried: one jump for
 * four operations at once, to code for just these four. It takes 0.5 ns off the
 * last and adds as much to all others: the processor foresees two-way branches
 * better than jumps.
 *
 * With several lanes, whether an operation waits or posts is such a branch too:
 * some two thirds of what hand-overs cost, which is 10 to 20 ns for each
 * operation that does; lines of cache that change sides are the rest. Tried,
 * and no better: both without branches (a tenth to a half slower where one in
 * twenty operations waits); entries prefetched 2, 8 or 16 ahead by the thread
 * that waits, or 4 by the one that posts; entries set back by the one that
 * waits. */
#include "driver/run/replay.h"
#include "hint.h"

#include <sched.h>
#include <unistd.h>

static always_inline void at(struct lane *lane, size_t i)
{
    atomic_store_explicit(&lane->mark->op, i, memory_order_relaxed); /* R1 */
}

static void set_state(struct lane *lane, enum mark_state state)
{
    atomic_store_explicit(&lane->mark->state, state, memory_order_relaxed);
}

uint64_t marks_elapsed_ns(const struct mark *marks, unsigned n)
{
    uint64_t start = UINT64_MAX, end = 0;
    for (unsigned i = 0; i < n; i++) {
        start = marks[i].start_ns < start ? marks[i].start_ns : start;
        end = marks[i].end_ns > end ? marks[i].end_ns : end;
    }
    return end - start;
}

/* ---- hand-overs ---------------------------------------------------------- */

static always_inline uintptr_t look(_Atomic uintptr_t *hand)
{
    /* pairs with the release in give */
    return atomic_load_explicit(hand, memory_order_acquire);
}

/* @return what the entry holds; 0 if a fault ended the replay. */
static uintptr_t __attribute__((noinline))
wait_long(struct lane *lane, _Atomic uintptr_t *hand)
{
    uintptr_t got;
    set_state(lane, MARK_WAITING);
    for (unsigned spins = 0; !(got = look(hand)); spins++) {
        if (fault_seen(lane->fault))
            return 0;
        if (spins < lane->spins)
            cpu_relax();
        else
            sched_yield(); /* the thread that has it may need the processor */
    }
    set_state(lane, MARK_BUSY);
    return got;
}

static always_inline bool take(struct lane *lane, uint32_t entry, void **slot)
{
    uintptr_t got = look(&lane->hands[entry]);
    if (unlikely(!got) && !(got = wait_long(lane, &lane->hands[entry])))
        return false;
    *slot = (void *)(got - 1); /* R3 */
    return true;
}

static always_inline void give(struct lane *lane, uint32_t entry, void *p)
{
    atomic_store_explicit(&lane->hands[entry], (uintptr_t)p + 1,
                          memory_order_release); /* pairs with look */
}

bool replay_enter(struct lane *lane, size_t i)
{
    at(lane, i);
    return !lane->l->ops[i].wait ||
           take(lane, lane->l->in[lane->ins++], replay_slot(lane, i));
}

void replay_leave(struct lane *lane, size_t i)
{
    if (lane->l->ops[i].script_post)
        give(lane, lane->l->out[lane->outs++], *replay_slot(lane, i));
}

/* ---- one operation ------------------------------------------------------- */

size_t replay_absurd(void)
{
    return (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE) / 2;
}

/* Operation i got NULL: a fault, unless it asked for 0 or far too much. */
static bool __attribute__((noinline, cold)) refused(struct lane *lane, size_t i)
{
    const struct trace *t = lane->script->trace;
    const struct trace_op *op = &lane->l->ops[i];
    size_t size = script_bytes(op), index = script_index(lane->l, i);
    if (size == 0 || op->kind != TRACE_REALLOC)
        *replay_slot(lane, i) = NULL; /* else the old block stays */
    if (size == 0 || size > lane->absurd)
        return true;
    fault_set(lane->fault, FAULT_NULL, lane->thread,
              "%s: thread %u: %s:%u: NULL for %zu bytes, in a pass that "
              "is not checked",
              lane->a->name, lane->thread, t->path, trace_line(t, index), size);
    return false;
}

static always_inline void *allocate(const struct mm_allocator *a,
                                    const struct trace_op op)
{
    if (likely(op.kind == TRACE_MALLOC))
        return a->malloc(op.size);
    if (op.kind == TRACE_CALLOC)
        return a->calloc(op.size, op.elem);
    return a->memalign((size_t)1 << op.align, op.size);
}

/* @param op     operation i, already read from memory.
 * @param touch  write byte to what was allocated: not always the same, so that
 *               no realloc can know what it need not copy. */
static always_inline bool perform(struct lane *lane,
                                  const struct mm_allocator *a, size_t i,
                                  const struct trace_op op, void **slot,
                                  const bool touch, unsigned char byte)
{
    if (op.kind == TRACE_FREE) {
        a->free(*slot);
        return true;
    }
    bool resize = op.kind == TRACE_REALLOC;
    void *p = resize ? a->realloc(*slot, op.size) : allocate(a, op);
    if (unlikely(!p))
        return refused(lane, i);
    *slot = p;
    if (touch && !resize && likely(op.size))
        *(volatile unsigned char *)p = byte;
    return true;
}

bool replay_perform(struct lane *lane, size_t i)
{
    return perform(lane, lane->a, i, lane->l->ops[i], replay_slot(lane, i),
                   false, 0);
}

/* ---- the loops ----------------------------------------------------------- */

static const enum latency_kind latency_of[] = {
    [TRACE_MALLOC] = LATENCY_MALLOC,   [TRACE_CALLOC] = LATENCY_MALLOC,
    [TRACE_MEMALIGN] = LATENCY_MALLOC, [TRACE_REALLOC] = LATENCY_REALLOC,
    [TRACE_FREE] = LATENCY_FREE,
};

static always_inline bool loop(struct lane *lane, size_t from, size_t to,
                               const bool shared, const bool each)
{
    const struct mm_allocator a = *lane->a; /* calls need no load */
    const struct trace_op *const ops = lane->l->ops;
    const uint32_t *in = lane->l->in + lane->ins;
    const uint32_t *out = lane->l->out + lane->outs;
    void **const slots = lane->slots;
    const unsigned tag = lane->tag;
    _Atomic uint64_t *const at_op = &lane->mark->op;
    for (size_t i = from; i < to; i++) {
        const struct trace_op op = ops[i];
        const uint32_t soon = ops[i + SCRIPT_AHEAD].id;
        void **slot = &slots[op.id];
        atomic_store_explicit(at_op, i, memory_order_relaxed); /* R1 */
        __builtin_prefetch(&slots[soon], 1);
        if (shared && op.wait && unlikely(!take(lane, *in++, slot)))
            return false;
        uint64_t before = each ? ticker_read(lane->ticker) : 0;
        if (unlikely(!perform(lane, &a, i, op, slot, !each,
                              (unsigned char)(i + tag))))
            return false;
        if (each) {
            uint64_t ticks = ticker_read(lane->ticker) - before;
            latency_add(&lane->latency->kind[latency_of[op.kind]], ticks);
        }
        if (shared && op.script_post)
            give(lane, *out++, *slot);
    }
    lane->ins = (size_t)(in - lane->l->in);
    lane->outs = (size_t)(out - lane->l->out);
    return true;
}

/* Functions of their own, so that each loop has the registers to itself; and
 * from a line's start on: elsewhere the same code took 0.1 ns more. */
#define own_code __attribute__((noinline, aligned(64)))

static bool own_code loop_single(struct lane *lane, size_t from, size_t to)
{
    return loop(lane, from, to, false, false);
}

static bool own_code loop_shared(struct lane *lane, size_t from, size_t to)
{
    return loop(lane, from, to, true, false);
}

static bool own_code loop_single_each(struct lane *lane)
{
    return loop(lane, 0, lane->l->nops, false, true);
}

static bool own_code loop_shared_each(struct lane *lane)
{
    return loop(lane, 0, lane->l->nops, true, true);
}

bool replay_some(struct lane *lane, size_t from, size_t to)
{
    set_state(lane, MARK_BUSY);
    bool good =
        lane->hands ? loop_shared(lane, from, to) : loop_single(lane, from, to);
    set_state(lane, MARK_DONE);
    return good;
}

bool replay_timed(struct lane *lane)
{
    const size_t n = lane->l->nops;
    set_state(lane, MARK_BUSY);
    lane->mark->start_ns = clock_ns();
    bool good = lane->hands ? loop_shared(lane, 0, n) : loop_single(lane, 0, n);
    lane->mark->end_ns = clock_ns();
    set_state(lane, MARK_DONE);
    return good;
}

bool replay_latency(struct lane *lane)
{
    set_state(lane, MARK_BUSY);
    bool good = lane->hands ? loop_shared_each(lane) : loop_single_each(lane);
    set_state(lane, MARK_DONE);
    return good;
}

static bool check_op(struct lane *lane, size_t i, struct oracle *o,
                     struct oracle_block *blocks)
{
    struct oracle_where where = {lane->script->trace, script_index(lane->l, i),
                                 lane->thread};
    return !fault_seen(lane->fault) && oracle_op(o, &where, blocks);
}

static void note_place(struct lane *lane, size_t i,
                       const struct oracle_block *blocks)
{
    const struct script_lane *l = lane->l;
    uint32_t id = lane->script->trace->ops[script_index(l, i)].id;
    struct oracle_place place;
    bool live = id != TRACE_NO_ID && oracle_place(blocks, id, &place);
    trail_note(lane->trail, i, l->nops, live ? (void *)place.at : NULL);
}

bool replay_checked(struct lane *lane, struct oracle *o,
                    struct oracle_block *blocks, pthread_mutex_t *in_turn)
{
    bool good = true;
    set_state(lane, MARK_BUSY);
    for (size_t i = 0; good && i < lane->l->nops; i++) {
        good = replay_enter(lane, i);
        if (in_turn)
            pthread_mutex_lock(in_turn);
        good = good && check_op(lane, i, o, blocks);
        if (in_turn)
            pthread_mutex_unlock(in_turn);
        if (good && lane->trail)
            note_place(lane, i, blocks);
        replay_leave(lane, i);
    }
    set_state(lane, MARK_DONE);
    return good;
}

void replay_clear(struct lane *lane)
{
    const struct script_lane *l = lane->l;
    for (size_t k = 0; k < l->nleft; k++)
        lane->a->free(lane->slots[l->left[k]]);
    for (size_t k = 0; k < l->nout; k++)
        atomic_store_explicit(&lane->hands[l->out[k]], 0, memory_order_relaxed);
    lane->ins = lane->outs = 0;
    set_state(lane, MARK_IDLE);
}
