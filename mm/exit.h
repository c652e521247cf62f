/* exit.h - how a stage learns that a thread ends: by a key's destructor.
 *
 *   a thread ends ─► destructors, in any order ─► the program's ─► malloc, free
 *                                            └──► thread_end: the arena is left
 *
 * No order is promised among them. So a thread may call malloc after the stage
 * saw it end. `ending` says so: no destructor will come again, so nothing that
 * the thread then gets may stay with it. */
#ifndef MM_EXIT_H
#define MM_EXIT_H

#include "mm/stage.h"

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>

#define NO_KEY ((pthread_key_t)PTHREAD_KEYS_MAX) /* is refused everywhere */

/* Whose destructor is thread_end, for threads that set it. NO_KEY if the
 * program has used up all keys: then a thread that ends is like one that sleeps
 * for ever. */
static pthread_key_t thread_key = NO_KEY;
static __thread bool ending; /* thread_end was called */

static void thread_end(void *mine)
{
    (void)mine;
    ending = true;
    stage_thread_exit();
}

/** Once or more. @return 0; else there is no key */
static inline int thread_key_make(void)
{
    return thread_key == NO_KEY ? pthread_key_create(&thread_key, thread_end)
                                : 0;
}

static inline void thread_key_drop(void)
{
    pthread_key_delete(thread_key);
    thread_key = NO_KEY;
}

#endif
