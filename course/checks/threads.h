/* threads.h - the checks of lessons 5 and 6: several threads. Their calls of
 * memlib come by here (--wrap), so that one can be held while others go on. */
#ifndef COURSE_CHECKS_THREADS_H
#define COURSE_CHECKS_THREADS_H

#include "course/checks/slabs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define THREADS 4
#define MEET_MS 300   /* how long a thread waits for another in memlib */
#define HELD_MS 20000 /* how long a thread is held at most */
#define STEPS 30000

void *__real_mem_sbrk(size_t size);
bool __real_mem_extend(const void *end, size_t size);
void *__wrap_mem_sbrk(size_t size);
bool __wrap_mem_extend(const void *end, size_t size);

static void (*in_memlib)(void); /* NULL: nothing */

void *__wrap_mem_sbrk(size_t size)
{
    if (in_memlib)
        in_memlib();
    return __real_mem_sbrk(size);
}

bool __wrap_mem_extend(const void *end, size_t size)
{
    if (in_memlib)
        in_memlib();
    return __real_mem_extend(end, size);
}

static inline void pause_ms(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static inline void on_threads(unsigned n, void *(*work)(void *))
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < n; i++)
        EXPECT(pthread_create(&threads[i], NULL, work, (void *)i) == 0,
               "no thread can be made");
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

static inline void *as_thread(void *arg, void *(*work)(void *))
{
    if (mm_mine.thread_init)
        mm_mine.thread_init();
    void *result = work(arg);
    if (mm_mine.thread_exit)
        mm_mine.thread_exit();
    return result;
}

/* ---- lesson 5 -------------------------------------------------------- */

static inline void it_is_for_threads(void)
{
    EXPECT(!mm_mine.single_threaded,
           "its table says .single_threaded: it is never run with two");
}

static atomic_int inside, met;

static void meet(void)
{
    if (atomic_fetch_add(&inside, 1) > 0)
        atomic_store(&met, 1);
    for (int i = 0; i < MEET_MS && !atomic_load(&met); i++)
        pause_ms();
    atomic_fetch_sub(&inside, 1);
}

static void *grow_once(void *arg)
{
    (void)arg;
    get(3 << 20);
    return NULL;
}

/* Whoever makes the heap grow stays there for a while: does another come? */
static inline void one_thread_at_a_time_grows_the_heap(void)
{
    begin();
    in_memlib = meet;
    on_threads(2, grow_once);
    in_memlib = NULL;
    EXPECT(!atomic_load(&met),
           "two threads are inside malloc at once, each making the heap grow");
}

static void *mix(void *arg)
{
    struct live blocks[64] = {0};
    unsigned state = (unsigned)(size_t)arg;
    for (int i = 0; i < STEPS; i++)
        random_step(&blocks[dice(&state, COUNT(blocks))], &state,
                    i % 4 ? 100 : 3000);
    for (size_t i = 0; i < COUNT(blocks); i++) {
        see(&blocks[i], blocks[i].size);
        mm_mine.free(blocks[i].p);
    }
    return NULL;
}

static void *mix_thread(void *arg)
{
    return as_thread(arg, mix);
}

static inline void threads_do_not_disturb_each_other(void)
{
    begin();
    on_threads(THREADS, mix_thread);
    check_heap();
}

static void *_Atomic passed_on[THREADS];

static void *relay(void *arg)
{
    size_t me = (size_t)arg;
    unsigned state = (unsigned)me;
    for (int i = 0; i < STEPS; i++) {
        size_t size = 1 + dice(&state, 1 + dice(&state, 2000));
        size_t *p = get(size < 16 ? 16 : size);
        p[0] = (size_t)p ^ me;
        p[1] = me;
        p = atomic_exchange(&passed_on[dice(&state, THREADS)], p);
        EXPECT(!p || p[0] == ((size_t)p ^ p[1]),
               "a block that another thread made has changed on its way");
        mm_mine.free(p);
    }
    return NULL;
}

static void *relay_thread(void *arg)
{
    return as_thread(arg, relay);
}

static inline void blocks_are_freed_by_other_threads(void)
{
    begin();
    on_threads(THREADS, relay_thread);
    check_heap();
}

#define LESSON_THREADS                                                         \
    LESSON_4, {"its table says that it is for threads", it_is_for_threads},    \
        {"threads do not disturb each other",                                  \
         threads_do_not_disturb_each_other},                                   \
    {                                                                          \
        "blocks are freed by other threads", blocks_are_freed_by_other_threads \
    }
#define LESSON_5                                                               \
    LESSON_THREADS,                                                            \
    {                                                                          \
        "one thread at a time makes the heap grow",                            \
            one_thread_at_a_time_grows_the_heap                                \
    }

/* ---- lesson 6 -------------------------------------------------------- */

static _Thread_local bool is_held;
static atomic_int holding, other_done;

static void hold(void)
{
    if (!is_held)
        return;
    is_held = false;
    atomic_store(&holding, 1);
    for (int i = 0; i < HELD_MS && !atomic_load(&other_done); i++)
        pause_ms();
}

static void *held(void *arg)
{
    (void)arg;
    is_held = true;
    get(3 << 20);
    return NULL;
}

/* The one is inside malloc and stands still: does the other come through? */
static void *hold_or_pass(void *arg)
{
    if (!arg)
        return as_thread(arg, held);
    while (!atomic_load(&holding))
        pause_ms();
    for (int i = 0; i < 1000; i++)
        mm_mine.free(get(16 + (size_t)i));
    EXPECT(!atomic_load(&other_done), "(the other one has waited too long)");
    atomic_store(&other_done, 1);
    return NULL;
}

static void *see_that_it_passes(void *arg)
{
    (void)arg;
    while (!atomic_load(&holding))
        pause_ms();
    for (int i = 0; i < HELD_MS / 4 && !atomic_load(&other_done); i++)
        pause_ms();
    EXPECT(atomic_load(&other_done),
           "a thread inside malloc stands still, and another's malloc waits "
           "for it: they share a lock");
    return NULL;
}

static void *three(void *arg)
{
    return (size_t)arg == 2 ? see_that_it_passes(arg) : hold_or_pass(arg);
}

static inline void threads_do_not_wait_for_each_other(void)
{
    begin();
    in_memlib = hold;
    on_threads(3, three);
    in_memlib = NULL;
}

#define BATCH 1000
#define BATCHES 200

static void *batch[BATCH];
static atomic_int full; /* whose turn is it? 1: the consumer's */

static void *produce_or_consume(void *arg)
{
    for (int i = 0; i < BATCHES; i++) {
        while (atomic_load(&full) != (arg != NULL))
            sched_yield();
        for (int k = 0; k < BATCH; k++)
            if (arg)
                mm_mine.free(batch[k]);
            else
                batch[k] = get(k % 2 ? 300 : 32);
        atomic_store(&full, arg == NULL);
    }
    return NULL;
}

static void *produce_thread(void *arg)
{
    return as_thread(arg, produce_or_consume);
}

/* One thread allocates, another frees: what comes back must serve again. */
static inline void remote_frees_come_home(void)
{
    begin();
    size_t before = mem_heapsize();
    on_threads(2, produce_thread);
    size_t grown = mem_heapsize() - before,
           batch_bytes = BATCH * (300 + 48) / 2;
    EXPECT(grown < 8 * batch_bytes,
           "one thread allocates %d blocks, another frees them, %d times: the "
           "heap grows to %zu bytes, of which %zu are in use at most",
           BATCH, BATCHES, grown, batch_bytes);
    check_heap();
}

#define LESSON_6                                                               \
    LESSON_THREADS,                                                            \
        {"a thread that stands still holds up no other",                       \
         threads_do_not_wait_for_each_other},                                  \
    {                                                                          \
        "blocks that another thread frees come home", remote_frees_come_home   \
    }

#endif
