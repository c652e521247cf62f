/* remote_test.h - blocks that one thread made and another frees, for the tests
 * of arena/remote.h. */
#ifndef TESTS_REMOTE_TEST_H
#define TESTS_REMOTE_TEST_H

#include "tests/arena_test.h"
#include "tests/check_said.h"

#define LARGE ((size_t)4000) /* of no slab */

static size_t made_size; /* bytes of each */
static void *made[1000];

static inline void *run_nothing(void *unused)
{
    return unused;
}

static inline void *run_make(void *n)
{
    for (size_t i = 0; i < (size_t)n; i++)
        made[i] = take(made_size);
    return NULL;
}

static inline void *run_free_made(void *n)
{
    take(1);
    for (size_t i = 0; i < (size_t)n; i++)
        lab->free(made[i]);
    return NULL;
}

/* p, another's, starts on its way. */
static inline void send_home(void *p)
{
    if (page_tag(p))
        slab_mark_free(p);
    outbox_add(&self()->outbox, owner_of(p), p);
}

/* Blocks of a thread that is gone. @return its shard */
static inline struct shard *make_elsewhere(size_t n, size_t size)
{
    take(1); /* this thread's shard comes first */
    made_size = size;
    in_thread(run_make, (void *)n);
    ck_assert_ptr_ne(shard_of(made[0]), self()->shard);
    return owner_of(made[0]);
}

#endif
