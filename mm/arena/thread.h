/* thread.h - a thread and the shard that it works in: how it comes and goes.
 *
 *   self ─► thread     open OPEN: cache, outbox, shard
 *        ─► no_thread  open 0      not yet a thread of ours, or no longer
 *
 * A struct thread is made at a thread's first allocation, and kept for the next
 * thread when this one ends: by the hook, or by a key's destructor. Threads
 * that only free need none, and novices have none yet (novice.h). What those
 * allocate, and the program's own destructors after ours, comes from a shard
 * that is borrowed for that one call. */
#ifndef MM_ARENA_THREAD_H
#define MM_ARENA_THREAD_H

#include "mm/arena/steal.h"
#include "mm/exit.h"
#include "mm/fork.h"
#include "mm/front/novice.h"

static struct thread *free_threads; /* a list; under the registry's lock */
static struct thread *_Atomic all_threads; /* a list; written under it */
static _Atomic size_t nthreads;            /* structs made; written under it */

/* ---- entering ---------------------------------------------------------- */

/* Nobody interrupts a thread of this stage: handlers must not allocate. */
static always_inline void enter(struct thread *t)
{
    (void)t;
}

static always_inline void leave(struct thread *t)
{
    (void)t;
}

/* Pass the gate, and lock the first shard that is free, from the favorite on.
 * @return is one? */
static inline bool favorite_lock(struct thread *t)
{
    gate_pass();
    uint32_t n = shard_count(), at = t->shard->id;
    for (uint32_t i = 0; i < n; i++) {
        struct shard *s = shard_at((at + i) % n);
        if (s && lock_try(&s->lock)) { /* NULL: it is being made */
            thread_set(s, t);
            return true;
        }
    }
    return false;
}

static struct shard *shard_enter(void)
{
    struct thread *t = self();
    if (unlikely(!t->open))
        return NULL;
    if (!ARENA_FAVORITE || !favorite_lock(t))
        lock_take(&t->shard->lock);
    return t->shard;
}

static inline void shard_exit(struct shard *s)
{
    shard_note_use(s);
    lock_drop(&s->lock);
}

/* Not without the lock. */
static always_inline bool shard_may_put(const struct thread *t)
{
    (void)t;
    return false;
}

static always_inline struct shard *shard_enter_inside(struct thread *t)
{
    (void)t;
    return shard_enter();
}

static always_inline void shard_exit_inside(struct thread *t, struct shard *s)
{
    (void)t;
    shard_exit(s);
}

/* ---- beginning and end ------------------------------------------------- */

/* @pre the registry's lock */
static inline void thread_put_back(struct thread *t)
{
    t->open = 0;
    t->next = free_threads;
    free_threads = t;
}

/* NULL: out of memory. @pre the registry's lock */
static inline struct thread *thread_make(void)
{
    struct thread *t = mem_record(sizeof *t);
    if (!t)
        return NULL;
    t->older = atomic_load_explicit(&all_threads, memory_order_relaxed);
    atomic_store_explicit(&all_threads, t, memory_order_release);
    atomic_fetch_add_explicit(&nthreads, 1, memory_order_relaxed);
    return t;
}

/* This thread's struct, made now. @return false: out of memory */
static cold_noinline bool attach(void)
{
    lock_take(&registry.lock);
    struct thread *t = free_threads;
    if (t)
        free_threads = t->next;
    else
        t = thread_make();
    struct shard *s = t ? shard_acquire() : NULL;
    if (s) {
        *t = (struct thread){.open = OPEN, .older = t->older};
        thread_note_id(t);
        thread_set(s, t);
        cache_init(&t->cache);
        self_thread = t;
    } else if (t) {
        thread_put_back(t);
    }
    lock_drop(&registry.lock);
    if (s)
        pthread_setspecific(thread_key, t);
    else
        errno = ENOMEM;
    return s != NULL;
}

static struct shard *shard_enter_or_begin(void)
{
    struct shard *s = shard_enter();
    if (unlikely(!s) && !ending && attach())
        s = shard_enter();
    return s;
}

/* Relaxed: a number to decide by. */
static inline struct shard *shard_enter_or_attach(void)
{
    if (self() == &no_thread &&
        is_novice(atomic_load_explicit(&nthreads, memory_order_relaxed)))
        return NULL;
    return shard_enter_or_begin();
}

/* ---- fork -------------------------------------------------------------- */

/* What lies in inboxes is freed now: of what is sent meanwhile, the child may
 * see a part. */
static void shards_fork_prepare(void)
{
    gate_shut();
    for (uint32_t i = 0; i < shard_count(); i++)
        if (status_of(state_get(shard_at(i))) <= ORPHAN)
            shard_free_inbox(shard_at(i), shard_at(i));
    outbox_post(&self()->outbox); /* no_thread's is empty */
}

/* The other threads are gone. What was in their caches, or on its way, is lost;
 * their shards are whole. */
static void shards_fork_child(void)
{
    for (uint32_t i = 0; i < shard_count(); i++) {
        struct shard *s = shard_at(i);
        if (status_of(state_get(s)) > ORPHAN)
            continue;
        inbox_open_owner(&s->inbox);
        if (!ARENA_FAVORITE && s->users && s != self()->shard)
            shard_push_orphan(s);
        s->users = s == self()->shard; /* a favorite's say nothing */
    }
    gate_open();
}

/* ---- the process ------------------------------------------------------- */

static int stage_init(void)
{
    return fork_take_locks(shards_fork_prepare, gate_open, shards_fork_child) ||
           thread_key_make();
}

/* @pre no other thread is left that used it */
static void stage_fini(void)
{
    owners_clear();
    thread_key_drop();
    free_threads = NULL;
    atomic_store_explicit(&all_threads, NULL, memory_order_relaxed);
    atomic_store_explicit(&nthreads, 0, memory_order_relaxed);
    self_thread = &no_thread;
    registry = (struct registry){.lock = LOCK_INITIALIZER};
}

#endif
