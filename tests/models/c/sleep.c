/* sleep.c - mm/lock.h, mm/gate.h: threads that wait by futex(2), and are woken.
 *
 * The kernel is in here, as its manual says: a thread looks at the word and
 * lies down in one step, and whoever wakes takes those that lay down first. No
 * sleep ends by itself: the second of lock_sleep is for what a jump leaves
 * behind. So a wake-up that is lost leaves a thread waiting for ever, which the
 * checker tells (-check-liveness). Each thread sleeps at its first look.
 *
 * GATE: two threads wait at the gate that a third shuts and opens. */
#include "checked.h"

#undef syscall
#define STDERR_FILENO 2
#define syscall(number, ...) kernel(number, FIRST_THREE(__VA_ARGS__, 0, 0, 0))
#define FIRST_THREE(a, b, c, ...) (uintptr_t)(a), (uintptr_t)(b), (uintptr_t)(c)
static long kernel(long number, uintptr_t word, uintptr_t what, uintptr_t n);

#include "mm/lock.h"

char __libc_single_threaded; /* there are several */

/* Who sleeps at one word. */
struct queue {
    pthread_mutex_t mutex;
    unsigned lay_down; /* ever; under it */
    _Atomic unsigned woken;
};
static struct queue *queue_of(uintptr_t word);

static void lie_down(struct queue *q, const _Atomic uintptr_t *word,
                     uint32_t is)
{
    pthread_mutex_lock(&q->mutex);
    bool same =
        (uint32_t)atomic_load_explicit(word, memory_order_relaxed) == is;
    unsigned me = q->lay_down += same;
    pthread_mutex_unlock(&q->mutex);
    if (same)
        while (atomic_load_explicit(&q->woken, memory_order_relaxed) < me)
            ;
}

static void wake(struct queue *q, unsigned most)
{
    pthread_mutex_lock(&q->mutex);
    unsigned n = atomic_load_explicit(&q->woken, memory_order_relaxed);
    unsigned asleep = q->lay_down - n;
    atomic_store_explicit(&q->woken, n + (asleep < most ? asleep : most),
                          memory_order_relaxed);
    pthread_mutex_unlock(&q->mutex);
}

/* Only the locks: mm_die speaks before it aborts, and no driver comes there. */
static long kernel(long number, uintptr_t word, uintptr_t what, uintptr_t n)
{
    assert(number == SYS_futex && "a line on stderr");
    if (what == FUTEX_WAIT_PRIVATE)
        lie_down(queue_of(word), (const _Atomic uintptr_t *)word, (uint32_t)n);
    else
        wake(queue_of(word), (unsigned)n);
    return 0;
}

static int guarded;

#ifdef GATE
struct shard {
    struct lock lock;
};
static struct {
    struct lock lock;
} registry;
static struct shard shard;

#include "mm/gate.h"

static inline uint32_t shard_count(void)
{
    return 1;
}

static always_inline struct shard *shard_at(uint32_t id)
{
    (void)id;
    return &shard;
}

static void *forker(void *unused)
{
    gate_shut();
    guarded++;
    gate_open();
    return unused;
}

static void *passer(void *unused)
{
    gate_pass();
    return unused;
}

static void *worker(void *unused)
{
    gate_pass();
    lock_take_as(&shard.lock, RANK_SHARD);
    guarded++;
    lock_drop(&shard.lock);
    return unused;
}

static body *const bodies[] = {forker, passer, worker};
#define WORK 2
#define LOCK shard.lock
#else
static struct lock lock = LOCK_INITIALIZER;

static void *worker(void *unused)
{
    lock_take_as(&lock, RANK_NONE);
    guarded++;
    lock_drop(&lock);
    return unused;
}

static body *const bodies[] = {worker, worker, worker};
#define WORK 3
#define LOCK lock
#endif

static struct queue queues[2]; /* at the gate; at the one lock besides */

static struct queue *queue_of(uintptr_t word)
{
    return &queues[word == (uintptr_t)&LOCK.holder];
}

int main(void)
{
    pthread_mutex_init(&queues[0].mutex, NULL);
    pthread_mutex_init(&queues[1].mutex, NULL);
    run_all(bodies, 3);
    assert(guarded == WORK);
    return 0;
}
