/* thread.h - a thread and the shard that it owns: how it enters and leaves.
 *
 *   self ─► thread     open OPEN   the thread is elsewhere: a handler may enter
 *                      open 0      inside: a handler takes the side way, and
 *                                  no one steals
 *        ─► no_thread  open 0      not yet a thread of ours, or no longer
 *
 * All below is done by the thread itself.
 *
 * A thread that stays shut. A handler that leaves by siglongjmp leaves the
 * thread inside for ever, its arena perhaps half changed. Nobody can tell such
 * a call from one that a handler will return to. Nobody needs to: after
 * SIDE_MOST calls that took the side way, one after the other, the thread goes
 * on with another struct, at another shard. What it leaves stays as a stopped
 * thread's: shut, and nobody enters. If the call goes on after all, it ends in
 * the struct in which it began, which is this thread's as long as it lives, and
 * is open then, to be used the next time. So a jump costs the shard that it
 * came from; handlers that allocate much cost a struct for each depth of them.
 */
#ifndef MM_LOCKFREE_THREAD_H
#define MM_LOCKFREE_THREAD_H

#include "mm/exit.h"
#include "mm/front/novice.h"
#include "mm/lockfree/steal.h"

#include <signal.h>

#define SIDE_MOST 64 /* calls in a row that find the struct shut */

/* ---- entering ---------------------------------------------------------- */

/* From here a handler of this thread keeps out. */
static always_inline void enter(struct thread *t)
{
    __atomic_store_n(&t->open, 0, __ATOMIC_RELAXED);
    atomic_signal_fence(memory_order_seq_cst);
}

/* Release, paired with the acquire in shard_steal. */
static always_inline void leave(struct thread *t)
{
    atomic_signal_fence(memory_order_seq_cst);
    __atomic_store_n(&t->open, OPEN, __ATOMIC_RELEASE);
}

/* s, this thread's, was stolen: move to another one, entered as well. NULL: no
 * memory for one, and s is left. */
static struct shard *self_move(struct shard *s, uint64_t state)
{
    struct shard *n = shard_get();
    if (!n) {
        leave(thread_of(s));
        return NULL;
    }
    threads_swap(s, n);
    /* Release, paired with the acquire of the claim in shard_steal: a thief
     * finds this thread's struct at n, which is not open, and no older one. */
    state_set(n, OWNED);
    if (!state_change(s, &state, ABANDONED))
        shard_push_orphan(s); /* it has just been given back */
    return n;
}

/* In a fork's child: what others were about to send may be torn, and is lost.
 */
static void self_inherit(struct shard *s)
{
    inbox_open_owner(&s->inbox);
    atomic_store_explicit(&s->inbox_bytes, 0, memory_order_relaxed);
    s->counted = 0; /* as totals.resident */
    thread_note_id(thread_of(s));
    atomic_store_explicit(&s->process, process_number(), memory_order_relaxed);
}

/* s, entered, is claimed, or stolen, or was acquired in an earlier process. */
static cold_noinline struct shard *shard_reclaim(struct shard *s)
{
    uint64_t state = state_get(s);
    while (status_of(state) == CLAIMED)
        state_change(s, &state, OWNED);
    if (status_of(state) != OWNED)
        return self_move(s, state);
    if (shard_is_foreign(s))
        self_inherit(s);
    return s;
}

/* This thread's shard, entered, its arena ours. NULL: it has none, or is
 * inside already. */
static struct shard *shard_enter(void)
{
    struct thread *t = self();
    if (unlikely(!t->open))
        return NULL;
    enter(t);
    t->asides = 0;
    struct shard *s = t->shard;
    if (unlikely(mem_range.no_barrier))
        full_fence();
    if (unlikely(
            status_of(state_get(s)) != OWNED ||
            atomic_load_explicit(&s->process, memory_order_relaxed) !=
                atomic_load_explicit(&process()->number, memory_order_relaxed)))
        s = shard_reclaim(s);
    return s;
}

/* Note the use of s, and leave it. */
static inline void shard_exit(struct shard *s)
{
    shard_note_use(s);
    leave(thread_of(s));
}

/* Inside t already: is its shard this thread's, as it should be? In a child of
 * fork it is, too, if it was when the thread forked. */
static always_inline bool shard_may_put(const struct thread *t)
{
    return !mem_range.no_barrier && status_of(state_get(t->shard)) == OWNED;
}

static always_inline struct shard *shard_enter_inside(struct thread *t)
{
    struct shard *s = t->shard;
    uint32_t number =
        atomic_load_explicit(&process()->number, memory_order_relaxed);
    if (likely(shard_may_put(t) &&
               atomic_load_explicit(&s->process, memory_order_relaxed) ==
                   number)) {
        t->asides = 0;
        return s;
    }
    leave(t);
    return NULL;
}

static always_inline void shard_exit_inside(struct thread *t, struct shard *s)
{
    shard_note_use(s);
    leave(t);
}

/* ---- beginning and end ------------------------------------------------- */

/* This thread goes on with t, unless a handler was faster. */
static inline bool self_become(struct thread *from, struct thread *t)
{
    if (!atomic_compare_exchange_strong_explicit(
            &self_thread, &from, t, memory_order_relaxed, memory_order_relaxed))
        return false;
    pthread_setspecific(thread_key, t);
    return true;
}

static cold_noinline int threads_start_alone(void);

/* Give this thread a struct and a shard. @return false: it gets none */
static bool attach(void)
{
    if (unlikely(!mem_range.size) && threads_start_alone())
        return false;
    struct shard *s = ending ? NULL : shard_acquire();
    if (!s)
        return false;
    struct thread *t = thread_of(s);
    t->next = t;
    thread_note_id(t);
    if (self_become(&no_thread, t))
        leave(t);
    else
        shard_push_orphan(s);
    return true;
}

/* One more struct for the thread that uses t. NULL: no memory */
static struct thread *thread_add(struct thread *t)
{
    struct shard *s = shard_acquire();
    if (!s)
        return NULL;
    struct thread *n = thread_of(s);
    n->next = t->next;
    t->next = n;
    n->tid = t->tid;
    leave(n);
    return n;
}

/* t, this thread's struct, stays shut: go on with another one. No handler may
 * see the ring half changed, or jump out. @return false: no memory for one */
static cold_noinline bool thread_change(struct thread *t)
{
    uint64_t before = signals_block();
    struct thread *n = t->next;
    while (n != t && !n->open)
        n = n->next;
    if (n == t)
        n = thread_add(t);
    if (n) {
        atomic_store_explicit(&self_thread, n, memory_order_relaxed);
        pthread_setspecific(thread_key, n);
    }
    signals_restore(before);
    return n != NULL;
}

/* A call found t, this thread's struct, shut: once too often? */
static inline bool thread_is_stuck(struct thread *t)
{
    return !t->open && ++t->asides >= SIDE_MOST;
}

/* As shard_enter; a thread that has none gets one, and one whose struct stays
 * shut gets another. */
static struct shard *shard_enter_or_begin(void)
{
    struct shard *s = shard_enter();
    struct thread *t = self();
    if (unlikely(!s) &&
        (t == &no_thread ? attach() : thread_is_stuck(t) && thread_change(t)))
        s = shard_enter();
    return s;
}

/* The same, but a novice goes on without. */
static inline struct shard *shard_enter_or_attach(void)
{
    if (self() == &no_thread && is_novice(shard_count()))
        return NULL;
    return shard_enter_or_begin();
}

/* Once or more. @return 0 */
static int stage_init(void)
{
    process_number();
    thread_key_make(); /* there may be none */
    return 0;
}

/* The first call of all, by the only thread. Its handlers, which would start
 * once more, wait until it is done. @return 0, or -1: no memory */
static cold_noinline int threads_start_alone(void)
{
    uint64_t before = signals_block();
    int failed = mem_init() || stage_init() ? -1 : 0;
    signals_restore(before);
    return failed;
}

/* @pre no other thread is left that used it */
static void stage_fini(void)
{
    owners_clear();
    thread_key_drop();
    atomic_store_explicit(&self_thread, &no_thread, memory_order_relaxed);
}

#endif
