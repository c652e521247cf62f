/* fork.h - fork takes an allocator's locks, so that the child gets a whole
 * heap, and in the order in which everyone else takes them: after stdio's.
 *
 *   a thread in getline      holds a stream                waits for our lock
 *   a thread in fflush(NULL) holds the list of streams     waits for the stream
 *   fork                     held our locks (handlers)     waited for the list
 *
 * fork calls the handlers of pthread_atfork before it locks stdio's list, but
 * locks libc's own malloc after that. So the handler takes the list first, if
 * libc lets it: fork then takes it a second time, which one thread may. In the
 * child libc has made the list's lock anew; in the parent both are dropped.
 *
 * Two locks are left that fork takes after the handler, and that none can take
 * first. What libc knows of nsswitch.conf: a thread that reads the file has let
 * go of it (glibc 2.34 and later), so none allocates under it. And the list of
 * handlers: a thread that registers the 49th, or 73rd ..., allocates under it,
 * and would wait for us while fork waits for it. So under a program
 * (preload_dlopen.c) no thread registers one from our handler on until fork is
 * over: that is a lock of our own, which both take first. */
#ifndef MM_FORK_H
#define MM_FORK_H

#include "mm/lock.h"

#include <pthread.h>
#include <stdbool.h>

/* glibc's, exported by it, in no header. */
__attribute__((weak)) void _IO_list_lock(void);
__attribute__((weak)) void _IO_list_unlock(void);
__attribute__((weak)) void _IO_list_resetlock(void);

static struct {
    void (*prepare)(void), (*parent)(void), (*child)(void);
    bool registered;
    bool list_held; /* by the list's lock and ours, or alone */
    struct lock registering;
} fork_handlers;

/* A thread is about to register handlers: no fork goes on beside it.
 * @return false: it is inside fork, in a handler */
static inline bool fork_hold_off(void)
{
    if (lock_is_mine(&fork_handlers.registering))
        return false;
    lock_take_as(&fork_handlers.registering, RANK_NONE);
    return true;
}

/* It has. */
static inline void fork_go_on(void)
{
    lock_drop(&fork_handlers.registering);
}

static void fork_prepare_all(void)
{
    bool list = !single_threaded() && _IO_list_lock;
    lock_take_as(&fork_handlers.registering, RANK_NONE);
    if (list)
        _IO_list_lock();
    fork_handlers.prepare();
    fork_handlers.list_held = list;
}

static void fork_parent_all(void)
{
    bool list = fork_handlers.list_held;
    fork_handlers.list_held = false;
    fork_handlers.parent();
    if (list)
        _IO_list_unlock();
    fork_go_on();
}

static void fork_child_all(void)
{
    if (fork_handlers.list_held)
        _IO_list_resetlock();
    fork_handlers.list_held = false;
    fork_handlers.child();
    fork_go_on();
}

/** Once or more: have fork take the locks with prepare, and drop them with
 * parent and child. @return 0; else there is no memory */
static inline int fork_take_locks(void (*prepare)(void), void (*parent)(void),
                                  void (*child)(void))
{
    if (fork_handlers.registered)
        return 0;
    fork_handlers.prepare = prepare;
    fork_handlers.parent = parent;
    fork_handlers.child = child;
    int failed =
        pthread_atfork(fork_prepare_all, fork_parent_all, fork_child_all);
    fork_handlers.registered = !failed;
    return failed;
}

#endif
