/* checked.h - before any shipped header: what the checker's interpreter cannot
 * run, and what all drivers do alike.
 *
 * It takes a signal fence for a thread's, which would hide that one of those is
 * missing: so there is none, or, with IPI, it is a point at which the interrupt
 * of membarrier may come (steal.c). */
#ifndef CHECKED_H
#define CHECKED_H

#include <assert.h>
#include <errno.h>
#include <genmc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#undef atomic_signal_fence
#ifdef IPI
static void interrupt_point(void);
#define atomic_signal_fence(order) interrupt_point()
#else
#define interrupt_point() ((void)0)
#define atomic_signal_fence(order) ((void)0)
#endif

#ifndef IN_HANDLER
#define handler_point() ((void)0)
#endif

/* It has no threads' errno. */
#undef errno
static _Thread_local int own_errno __attribute__((unused));
#define errno own_errno

/* mm_die speaks before it aborts: no driver may come there. */
#define syscall(...) (assert(0 && "a line on stderr"), 0L)

typedef unsigned pthread_key_t;
#ifndef PTHREAD_KEYS_MAX
#define PTHREAD_KEYS_MAX 1024
#endif
#define pthread_setspecific(key, value) ((void)(key), (void)(value))
#define pthread_key_create(key, end) ((void)(key), (void)(end), 0)
#define pthread_key_delete(key) ((void)(key))

/* Each driver has a table of these, which main runs. */
typedef void *body(void *);

static void run_all(body *const *bodies, int n)
{
    pthread_t thread[4];
    for (int i = 0; i < n; i++)
        pthread_create(&thread[i], NULL, bodies[i], (void *)(intptr_t)i);
    for (int i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
}

#endif
