/* hooks.h - what a stage whose threads have bins knows of its threads: how one
 * enters its shard, and leaves it. A stage defines these (in its registry.h,
 * remote.h, thread.h and stage.h); slow.h and front.h call them.
 *
 *   outside ── enter ──► inside ── shard_enter_inside ──► its shard's arena
 *      ▲                    │                                   │
 *      ├────── leave ───────┘                                   │
 *      └────── shard_exit_inside, or shard_exit if it came by ──┘
 *              shard_enter and its kin, which enter on the way */
#ifndef MM_FRONT_HOOKS_H
#define MM_FRONT_HOOKS_H

#include "mm/front/thread.h"

/** This thread's struct; no_thread, which is never open, if it has none. */
static always_inline struct thread *self(void);
/** From here a signal handler of this thread keeps out of its bins. */
static always_inline void enter(struct thread *t);
/** Until here. */
static always_inline void leave(struct thread *t);
/** This thread's shard, its arena the caller's. NULL: it has none now. */
static struct shard *shard_enter(void);
/** The same; a thread that has none gets one. */
static struct shard *shard_enter_or_begin(void);
/** The same, but a novice goes on without (novice.h). */
static inline struct shard *shard_enter_or_attach(void);
/** As shard_enter, for a block that is to be freed. */
static inline struct shard *shard_enter_to_free(void);
/** The shard that p lies in, entered. NULL: this thread may not work there. */
static inline struct shard *shard_enter_to_resize(const void *p);
/** Out of s, which was entered. */
static inline void shard_exit(struct shard *s);
/** s, this thread's, would have to grow for asize bytes: is there an orphan?
 * @return the shard to go on with, entered; NULL: go on with s */
static struct shard *shard_relieve(struct shard *s, size_t asize);
/** s, this thread's, is full: on with an empty shard. @return it, entered; s:
 * there is none */
static struct shard *shard_renew(struct shard *s);
/** The thread is inside t already: its shard, whose arena is the caller's.
 * NULL: it is not, and the thread has left t. */
static always_inline struct shard *shard_enter_inside(struct thread *t);
/** Out of s and t. */
static always_inline void shard_exit_inside(struct thread *t, struct shard *s);
/** Inside t: may the thread write to a record of its shard's pages, and to
 * nothing else of it? */
static always_inline bool shard_may_put(const struct thread *t);
/** Give this thread, which has none, a struct and a shard.
 * @return false: it gets none */
static bool attach(void);
/** A block for a thread that has no shard now. */
static void *malloc_aside(size_t align, size_t size);
/** Free p for a thread that has no shard now. */
static void free_aside(void *p);

#endif
