/* double_free_two_threads.c - a small block is freed by two threads. */
#include "fault.h"

#include <pthread.h>

static char *shared;

static void *free_shared(void *unused)
{
    mm->free(shared);
    return unused;
}

/* The thread that was first lives on, and what it caches with it. */
static void *free_and_wait(void *unused)
{
    pthread_t second;
    mm->free(mm->malloc(40));
    mm->free(shared);
    wrong(shared);
    if (pthread_create(&second, NULL, free_shared, unused) == 0)
        pthread_join(second, NULL);
    return unused;
}

static void make_fault(void)
{
    pthread_t first;
    shared = mm->malloc(40);
    if (pthread_create(&first, NULL, free_and_wait, NULL) == 0)
        pthread_join(first, NULL);
}
