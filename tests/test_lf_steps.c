/* test_lf_steps.c - handlers that allocate between any two instructions: the
 * processor traps after each one of an operation, and the handler allocates and
 * frees there, or lets the thread's shard be stolen. No point is left out.
 *
 * A handler that changes a word at each step lets no compare-and-swap of it
 * succeed if there are many between that and the load before. On x86 there are
 * few. On other machines (traps.h) it is a call, so there handlers work in
 * bursts of BURST steps, with as many twice between, in each call others. */
#include "tests/lf_test.h"

#include <sys/wait.h>

#ifdef __x86_64__
#define BURST 0 /* at every step */
#define FORK _Fork
#else
#define BURST 32
#define FORK fork /* under qemu only a handler of it wipes a child's page */
#endif
#define SKIP_STEPS SANITIZED /* then there are many, and calls in between */

static struct stress in_steps; /* what the handler holds from step to step */
static uint64_t steps, steps_inside;
static uint64_t only_step; /* 0: the handler allocates at every step */
static uint64_t nth_call;
static void (*at_step)(void);

static void step_stop(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    trap_set(context, false);
}

static bool is_burst(void)
{
    return !BURST || (steps + nth_call * BURST) / (BURST + !BURST) % 3 == 0;
}

static void step(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info, (void)context;
    int saved = errno;
    steps++;
    steps_inside += inside();
    if (only_step ? steps == only_step : is_burst())
        at_step();
    errno = saved;
}

static void steps_begin(void (*body)(void))
{
    at_step = body;
    handle(SIGUSR1, step_start);
    handle(SIGUSR2, step_stop);
    handle(SIGTRAP, step);
}

/* One operation by single steps. */
static void by_steps(void (*operation)(void *), void *arg)
{
    steps = 0;
    nth_call++;
    raise(SIGUSR1);
    operation(arg);
    raise(SIGUSR2);
}

/* So many handlers in one call look like a call that was left for good
 * (test_lf_jump has those); here the thread keeps its struct. */
static void stress_in_step(void)
{
    stress_step(&in_steps);
    self()->asides = 0;
}

/* One call of the allocator. */
struct call {
    enum { MALLOC, CALLOC, REALLOC, MEMALIGN, USABLE_SIZE, FREE, CALLS } what;
    size_t size;
    void *p;
};

static void run_call(void *call)
{
    struct call *c = call;
    switch (c->what) {
    case MALLOC: c->p = lab->malloc(c->size); break;
    case CALLOC: c->p = lab->calloc(1, c->size); break;
    case REALLOC: c->p = lab->realloc(c->p, c->size); break;
    case MEMALIGN: c->p = lab->memalign(64, c->size); break;
    case USABLE_SIZE: demand(lab->usable_size(c->p) >= c->size); break;
    default: lab->free(c->p);
    }
}

/* Random calls on a few blocks, most of them small, by single steps. */
static void call_by_steps(struct call *calls, uint64_t *random)
{
    uint64_t r = next_random(random);
    struct call *c = &calls[r % 16];
    size_t largest = r >> 8 & 7 ? 500 : 500000;
    bool live = c->p != NULL;
    c->what = live ? (r >> 16) % 3 + REALLOC : (r >> 16) % 2 + MALLOC;
    if (live && c->what == MEMALIGN)
        c->what = FREE;
    else if (!live && !(r >> 24 & 7))
        c->what = MEMALIGN;
    if (c->what != USABLE_SIZE)
        c->size = 16 + (r >> 32) % (c->what == CALLOC ? 200 : largest);
    demand(!live || memcmp(c->p, &c, sizeof c) == 0);
    by_steps(run_call, c);
    if (c->what == FREE) {
        c->p = NULL;
    } else {
        demand(c->p);
        demand(!live || memcmp(c->p, &c, sizeof c) == 0);
        memcpy(c->p, &c, sizeof c); /* who it belongs to */
    }
}

START_TEST(a_handler_may_allocate_between_any_two_instructions)
{
    static struct call calls[16];
    uint64_t random = 0;
    if (SKIP_STEPS)
        return;
    steps_begin(stress_in_step);
    for (unsigned i = 0; i < figure("MM_STEP_CALLS", SANITIZED ? 30 : 200); i++)
        call_by_steps(calls, &random);
    ck_assert_uint_gt(steps_inside, 10000);
    for (int i = 0; i < 16; i++)
        lab->free(calls[i].p);
    stress_empty(&in_steps);
    stress_empty_inboxes();
    ck_assert_uint_eq(lab->check(), 0);
}
END_TEST

/* As if threads met it: the interrupted thread's shard is stolen, then the
 * handler needs another, and the old one is given back and taken by others. */
static void move_in_step(void)
{
    struct shard *s = self()->shard;
    if (!shard_steal(s))
        return;
    lab->free(lab->malloc(NO_BIN));
    ck_assert_ptr_ne(self()->shard, s);
    shard_return(s);
}

static void run_small(void *block)
{
    void **p = block;
    lab->free(*p);
    *p = lab->malloc(100);
}

static void run_large(void *block)
{
    run_small(block);
    lab->free(lab->malloc(NO_BIN));
}

START_TEST(a_shard_may_be_lost_between_any_two_instructions)
{
    void *p = NULL;
    unsigned moves = 0;
    if (SKIP_STEPS)
        return;
    steps_begin(move_in_step);
    lab->free(lab->malloc(100));
    only_step = 1;
    do {
        const struct shard *before = self()->shard;
        by_steps(run_small, &p);
        moves += self()->shard != before;
        ck_assert_uint_eq(lab->check(), 0);
    } while (steps >= only_step++);
    ck_assert_uint_gt(moves, 10);
    lab->free(p);
}
END_TEST

/* A block of a slab of this thread's that is full, so that its coming back is
 * an event; and its bin has no room, so that it goes there. */
#define FULL_SIZE 96
static void *full_slab_block(void *blocks[SLAB_SLOTS_MAX])
{
    struct thread *t = self();
    const struct mem_page *s;
    unsigned n = 0, c = slab_class(FULL_SIZE);
    struct bin *bin = &t->cache.bins[c];
    bin->room -= bin->limit;
    bin->limit = 0;
    do {
        demand(n < SLAB_SLOTS_MAX && (blocks[n] = lab->malloc(FULL_SIZE)));
        uint32_t tag = page_tag(blocks[n]);
        s = tag_owner(tag) == t->shard->id && tag ? payload_slab(blocks[n])
                                                  : NULL;
        n++;
    } while (!s || s->listed);
    return blocks[n - 1];
}

static void call_free(void *p)
{
    lab->free(p);
}

START_TEST(a_shard_may_be_lost_between_any_two_instructions_of_a_free_to_a_slab)
{
    unsigned moves = 0;
    if (SKIP_STEPS)
        return;
    lab->free(lab->malloc(100));
    steps_begin(move_in_step);
    for (only_step = 1, steps = 1; steps >= only_step; only_step++) {
        void *blocks[SLAB_SLOTS_MAX] = {NULL};
        void *p = full_slab_block(blocks);
        const struct shard *before = self()->shard;
        by_steps(call_free, p);
        moves += self()->shard != before;
        ck_assert_uint_eq(lab->check(), 0);
        for (unsigned i = 0; i < SLAB_SLOTS_MAX; i++)
            if (blocks[i] != p)
                lab->free(blocks[i]);
        ck_assert_uint_eq(lab->check(), 0);
    }
    ck_assert_uint_gt(moves, 10);
}
END_TEST

/* ---- what other threads do in between ------------------------------------ */

/* A shard that some other thread has; who takes in an orphan, and the orphan,
 * in which the block lies that is freed. */
static struct shard *adopter, *orphan;
static void *orphaned;

static void *run_take_block(void *size)
{
    return lab->malloc((size_t)(uintptr_t)size);
}

/* The orphan's id serves anew: whoever asks for a shard next gets this one. */
static void adopt_in_step(void)
{
    if (status_of(state_get(orphan)) != ORPHAN ||
        !shard_relieve(adopter, NEVER_RICH))
        return; /* the thread was faster */
    merged_release(adopter);
    ck_assert_int_eq(status_of(state_get(orphan)), SPARE);
}

/* The first call of a thread is this free. */
static void *free_by_steps(void *p)
{
    by_steps(call_free, p);
    return NULL;
}

START_TEST(an_owner_may_change_between_any_two_instructions_of_a_free)
{
    if (SKIP_STEPS)
        return;
    steps_begin(adopt_in_step);
    only_step = 0;
    do {
        adopter = shard_acquire();
        orphaned = in_thread(run_take_block, (void *)20000);
        orphan = owner_of(orphaned);
        ck_assert_int_eq(status_of(state_get(orphan)), ORPHAN);
        only_step++;
        in_thread(free_by_steps, orphaned);
        shard_free_inbox(adopter, adopter);
        ck_assert(!block_used(payload_block(orphaned)));
        shard_push_orphan(adopter);
        ck_assert_uint_eq(lab->check(), 0);
        lab->free(lab->malloc(1 << 20)); /* takes all orphans in */
    } while (steps >= only_step);
    ck_assert_uint_gt(steps, 100);
}
END_TEST

/* A thief stops between its look at a shard's thread and its look at that
 * thread. */
static struct {
    struct shard *shard;
    struct thread *thread;
    uint64_t state;
} thief;

static void claim_in_step(void)
{
    for (uint32_t i = 0; i < shard_count() && !thief.shard; i++) {
        struct shard *s = shard_at(i);
        thief.state = state_get(s);
        if (status_of(thief.state) <= CLAIMED &&
            state_change(s, &thief.state, CLAIMED)) {
            thief.shard = s;
            thief.thread = thread_of(s);
        }
    }
}

static void run_own(void *s)
{
    *(struct shard **)s = shard_enter();
}

/* Its shard is another thief's. That gives it back, another thread takes it,
 * and is gone to do something else: it is open. */
START_TEST(a_thief_may_look_between_any_two_instructions_of_a_move)
{
    unsigned claims = 0;
    if (SKIP_STEPS)
        return;
    steps_begin(claim_in_step);
    only_step = 0;
    do {
        lab->free(lab->malloc(100));
        struct shard *old = self()->shard, *now = NULL;
        thief.shard = NULL;
        only_step++;
        ck_assert(shard_steal(old));
        by_steps(run_own, &now);
        ck_assert(now && now != old);
        shard_return(old);
        ck_assert_ptr_eq(shard_acquire(), old); /* as another thread's */
        leave(thread_of(old));
        claims += thief.shard == now;
        ck_assert(!(thief.shard == now && thief.thread->open &&
                    state_change(now, &thief.state, STOLEN)));
        enter(thread_of(old));
        shard_push_orphan(old);
        shard_exit(now);
    } while (steps >= only_step);
    ck_assert_uint_gt(claims, 3);
}
END_TEST

/* A thread's first and last moments. */
static void run_hooks(void *unused)
{
    (void)unused;
    lab->thread_exit();
    ck_assert_int_eq(lab->thread_init(), 0);
}

START_TEST(a_handler_may_allocate_while_the_thread_begins_and_ends)
{
    if (SKIP_STEPS)
        return;
    steps_begin(stress_in_step);
    for (unsigned i = 0; i < 2; i++)
        by_steps(run_hooks, NULL);
    ck_assert_uint_gt(steps_inside, 500);
    stress_empty(&in_steps);
    stress_empty_inboxes();
    ck_assert_uint_eq(lab->check(), 0);
}
END_TEST

/* ---- threads that end ---------------------------------------------------- */

static void end_in_step(void)
{
    pthread_exit(NULL);
}

/* @return block: it came to the end of its steps */
static void *run_until_step(void *block)
{
    lab->free(lab->malloc(100));
    by_steps(run_large, block);
    return block;
}

/* Those of threads that ended inside: nobody can have them. */
static unsigned shards_lost(void)
{
    unsigned lost = 0;
    for (uint32_t i = 0; i < shard_count(); i++) {
        const struct shard *s = shard_at(i);
        lost += s != self()->shard && status_of(state_get(s)) == OWNED;
    }
    return lost;
}

/* It keeps what it was working on; all others go on. */
START_TEST(a_thread_may_end_between_any_two_instructions)
{
    void *p;
    if (SKIP_STEPS)
        return;
    steps_begin(end_in_step);
    only_step = 0;
    lab->free(lab->malloc(100));
    do {
        p = NULL;
        only_step += only_step < 200 ? 1 : 7;
        lab->free(lab->malloc(NO_BIN));
        ck_assert_uint_eq(shard_check(self()->shard), 0);
    } while (!in_thread(run_until_step, &p));
    printf("%u of %u threads ended inside\n", shards_lost(),
           (unsigned)only_step);
    ck_assert_uint_gt(shards_lost(), 100);
    ck_assert_uint_lt(shards_lost(), only_step); /* some ended outside */
}
END_TEST

/* ---- numbers of processes ------------------------------------------------ */

/* A child of this process, which may know its number already. */
static void fork_in_step(void)
{
    int status;
    uint32_t mine = atomic_load(&process()->number);
    pid_t pid = FORK();
    if (pid == 0)
        _exit(mine && process_number() == mine);
    demand(pid > 0 && waitpid(pid, &status, 0) == pid);
    demand(status == 0);
}

static void run_process_number(void *unused)
{
    (void)unused;
    process_number();
}

START_TEST(a_child_has_another_number_wherever_its_parent_was)
{
    if (SKIP_STEPS)
        return;
    steps_begin(fork_in_step);
    atomic_store(&process()->number, 0); /* as in a new child */
    by_steps(run_process_number, NULL);
    ck_assert_uint_gt(steps, 5);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_handler_may_allocate_between_any_two_instructions,
        a_shard_may_be_lost_between_any_two_instructions,
        a_shard_may_be_lost_between_any_two_instructions_of_a_free_to_a_slab,
        an_owner_may_change_between_any_two_instructions_of_a_free,
        a_thief_may_look_between_any_two_instructions_of_a_move,
        a_handler_may_allocate_while_the_thread_begins_and_ends,
        a_thread_may_end_between_any_two_instructions,
        a_child_has_another_number_wherever_its_parent_was,
        NULL};
    return run_tests("lf-steps", here_begin, tests);
}
