/* test_huge.c - blocks of more than HUGE_OVER bytes, in each stage: mappings of
 * their own, which grow without a copy and go back when they are freed. */
#include "config.h"
#include "tests/limits.h"
#include "tests/mm_test.h"

#include "tests/misuse.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define HUGE (2 * HUGE_OVER)
#define PAGES(bytes) ((bytes) / 4096)

static size_t resident(void)
{
    return process_bytes("VmRSS");
}

static void ck_resident(size_t bound)
{
    size_t now = resident();
    if (emulated())
        bound += 64 * MIB; /* records of pages, anew for each step */
    if (!SANITIZED)
        ck_assert_msg(now <= bound, "%s: %zu KiB are resident, bound %zu",
                      mm->name, now / KIB, bound / KIB);
}

START_TEST(a_huge_block_is_known_and_goes_back_when_freed)
{
    begin(_i);
    mm->free(take(100, 'x'));
    size_t heap = mem_heapsize(), used = mm->used(), before = resident();
    char *p = take(HUGE + 1, 'p');
    ck_assert_uint_ge(mm->usable_size(p), HUGE + 1);
    ck_assert(mm->contains(p, HUGE + 1));
    ck_assert(mm->contains(p + HUGE, 1) && !mm->contains(p, 2 * HUGE));
    ck_assert(!mm->contains(p - 1, 1));
    ck_assert_uint_eq(mm->used() - used, mm->usable_size(p));
    ck_healthy();
    mm->free(p);
    ck_assert(!mm->contains(p, 1));
    ck_assert_uint_eq(mm->used(), used);
    ck_assert_uint_le(mem_heapsize(), heap + 64 * KIB); /* a node */
    ck_resident(before + MIB);
    ck_healthy();
    mm->fini();
    ck_assert_uint_eq(mem_heapsize(), 0);
}
END_TEST

/* Two take turns, so that neither is at the heap's end. */
START_TEST(buffers_that_grow_by_steps_are_not_copied)
{
    enum { STEPS = SANITIZED ? 20 : 100 };
    begin(_i);
    size_t before = resident(), first = faults();
    char *p[2] = {NULL, NULL};
    for (size_t n = 1; n <= STEPS; n++)
        for (int i = 0; i < 2; i++) {
            p[i] = mm->realloc(p[i], n * MIB);
            ck_assert_ptr_nonnull(p[i]);
            memset(p[i] + (n - 1) * MIB, (int)n, MIB);
            ck_assert_int_eq(p[i][0], 1);
        }
    if (!SANITIZED) /* a page is touched once, or twice below HUGE_OVER */
        ck_assert_uint_lt(faults() - first, PAGES(2 * (STEPS + 40) * MIB));
    ck_resident(before + (2 * STEPS + 20) * MIB);
    for (size_t n = 1; n <= STEPS; n++)
        ck_filled(p[1] + (n - 1) * MIB, MIB, (unsigned char)n);
    ck_healthy();
    mm->free(p[0]);
    mm->free(p[1]);
    ck_resident(before + 4 * MIB);
    ck_healthy();
}
END_TEST

START_TEST(realloc_keeps_what_is_there_on_both_sides_of_the_border)
{
    static const size_t sizes[] = {100,  HUGE_OVER,     HUGE_OVER + 1,
                                   HUGE, HUGE_OVER - 1, HUGE_OVER / 2 + 1,
                                   HUGE, HUGE_OVER / 2, 3 * HUGE,
                                   1000, 2 * HUGE,      1};
    begin(_i);
    char *p = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        p = mm->realloc(p, sizes[i]);
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_ge(mm->usable_size(p), sizes[i]);
        kept = kept < sizes[i] ? kept : sizes[i];
        ck_filled(p, kept, 'k');
        memset(p, 'k', sizes[i]);
        kept = sizes[i];
        ck_healthy();
    }
    mm->free(p);
    p = take(HUGE, 'z');
    ck_assert_ptr_null(mm->realloc(p, 0));
    ck_assert(!mm->contains(p, 1));
    ck_healthy();
}
END_TEST

START_TEST(calloc_is_zero_and_touches_no_page)
{
    begin(_i);
    mm->free(mm->malloc(1));
    for (int i = 0; i < 4; i++)
        mm->free(take(HUGE, 'x')); /* one is kept, by now */
    size_t before = faults();
    char *p = mm->calloc(8, HUGE / 8);
    ck_assert_ptr_nonnull(p);
    if (!SANITIZED)
        ck_assert_uint_lt(faults() - before, 20);
    ck_filled(p, HUGE, 0);
    mm->free(p);
    ck_healthy();
}
END_TEST

START_TEST(huge_blocks_are_aligned_as_asked)
{
    begin(_i);
    for (size_t align = 16; align <= 64 * MIB; align *= 4) {
        char *p = mm->memalign(align, HUGE + 1);
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t)p % align, 0);
        memset(p, 'a', HUGE + 1);
        char *q = mm->realloc(p, 2 * HUGE);
        ck_assert_ptr_nonnull(q);
        ck_filled(q, HUGE + 1, 'a');
        mm->free(q);
        ck_healthy();
    }
}
END_TEST

/* Else each would cost two system calls and a fault for each page. */
START_TEST(a_block_that_is_freed_and_allocated_in_turn_keeps_its_pages)
{
    enum { ROUNDS = SANITIZED ? 5 : 40 };
    begin(_i);
    size_t before = resident(), first = faults();
    for (int i = 0; i < ROUNDS; i++) {
        char *p = take(HUGE, i), *q = take(HUGE + HUGE / 4, i);
        mm->free(p);
        mm->free(q);
    }
    if (!SANITIZED)
        ck_assert_uint_lt(faults() - first, PAGES(10 * HUGE));
    ck_healthy();
    mm->trim();
    ck_resident(before + 4 * MIB);
    for (int i = 1; i < 12; i++) /* others come: what is kept goes */
        mm->free(take(HUGE + (size_t)i * 4 * MIB, i));
    ck_resident(before + 4 * MIB);
    ck_healthy();
}
END_TEST

/* Whatever their sizes: what was freed last is made as long as the next one
 * needs, and only what it lacks is faulted. */
START_TEST(a_huge_block_that_was_freed_serves_one_of_another_size)
{
    enum { ROUNDS = SANITIZED ? 7 : 32, SIZES = 7 };
    begin(_i);
    size_t first = faults(), written = 0;
    for (int i = 0; i < ROUNDS; i++) {
        size_t size = HUGE + (size_t)(i * 3 % SIZES) * MIB;
        char *p = take(size, i);
        ck_assert_uint_ge(mm->usable_size(p), size);
        ck_filled(p, size, i);
        mm->free(p);
        written += size;
        ck_healthy();
    }
    if (!SANITIZED)
        ck_assert_uint_lt(faults() - first, PAGES(written) / 4);
}
END_TEST

/* More at a time than there are hits in between: those in use say nothing of
 * whether it pays to keep some. */
START_TEST(blocks_of_which_many_are_in_use_at_a_time_keep_their_pages)
{
    enum { ROUNDS = SANITIZED ? 3 : 12, HELD = 8 };
    begin(_i);
    size_t first = faults();
    for (int i = 0; i < ROUNDS; i++) {
        char *held[HELD];
        for (int k = 0; k < HELD; k++)
            held[k] = take(HUGE, i + k);
        for (int k = 0; k < HELD; k++)
            mm->free(held[k]);
    }
    if (!SANITIZED)
        ck_assert_uint_lt(faults() - first, PAGES(4 * HELD * HUGE));
    ck_healthy();
    mm->trim();
}
END_TEST

START_TEST(no_memory_leaves_a_huge_block_as_it_was)
{
    begin(_i);
    char *p = take(HUGE, 'p');
    ck_fails(mm->malloc(PTRDIFF_MAX), ENOMEM);
    ck_fails(mm->malloc(SIZE_MAX), ENOMEM);
    ck_fails(mm->calloc(1, PTRDIFF_MAX), ENOMEM);
    ck_fails(mm->memalign(4096, PTRDIFF_MAX), ENOMEM);
    ck_fails(mm->realloc(p, PTRDIFF_MAX), ENOMEM);
    if (!SANITIZED && limits_hold()) {
        set_limit(RLIMIT_DATA, process_bytes("VmData") + MIB);
        ck_fails(mm->realloc(p, 2 * HUGE), ENOMEM);
        ck_fails(mm->malloc(HUGE), ENOMEM);
        ck_fails(mm->calloc(2, HUGE), ENOMEM);
        set_limit(RLIMIT_DATA, RLIM_INFINITY);
    }
    ck_filled(p, HUGE, 'p');
    mm->free(p);
    mm->free(take(HUGE, 'q'));
    ck_healthy();
}
END_TEST

/* ---- what is no huge block ------------------------------------------- */

START_TEST(a_pointer_that_is_no_huge_blocks_start_is_found_out)
{
    begin(_i);
    char *p = take(HUGE, 'p'), *gone = take(HUGE, 'g'), *wild[8];
    mm->free(gone);
    ck_dies(give_twice, p, "mm: ");
    wild[0] = gone;
    wild[1] = p + 16;
    wild[2] = p + 4096;
    wild[3] = p + HUGE_OVER;
    wild[4] = p - 4096;
    wild[5] = (char *)(UINTPTR_MAX - 4095);
    wild[6] = (char *)((uintptr_t)1 << 47);
    wild[7] = (char *)4096;
    for (int i = 0; i < 8; i++) {
        ck_dies(give, wild[i], "mm: ");
        ck_dies(resize, wild[i], "mm: ");
        ck_dies(measure, wild[i], "mm: ");
    }
    ck_filled(p, HUGE, 'p');
    mm->free(p);
}
END_TEST

/* ---- threads and processes ------------------------------------------- */

enum { CREW = 4, TURNS = SANITIZED ? 30 : 300, PLACES = 6 };

static char *_Atomic places[PLACES];

/* Each takes what another left, grows or shrinks it, and leaves it to a third.
 */
static void *hand_over(void *arg)
{
    uintptr_t seed = (uintptr_t)arg;
    mm->thread_init();
    for (unsigned i = 0; i < TURNS; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        size_t size = HUGE_OVER - MIB + (seed >> 40) % (4 * MIB);
        char *p = __atomic_exchange_n((char **)&places[i % PLACES], NULL,
                                      __ATOMIC_ACQ_REL);
        if (seed >> 60 < 4 && p) {
            mm->free(p);
            continue;
        }
        char first = p ? p[0] : 'n';
        p = mm->realloc(p, size);
        if (!p || (first != 'n' && p[0] != 'h'))
            abort();
        p[0] = p[size - 1] = 'h';
        p = __atomic_exchange_n((char **)&places[(seed >> 33) % PLACES], p,
                                __ATOMIC_ACQ_REL);
        mm->free(p);
    }
    mm->thread_exit();
    return NULL;
}

START_TEST(threads_hand_huge_blocks_over_and_lose_none)
{
    pthread_t team[CREW];
    begin(_i);
    size_t used = mm->used();
    for (uintptr_t i = 0; i < CREW; i++)
        ck_assert_int_eq(
            pthread_create(&team[i], NULL, hand_over, (void *)(i + 1)), 0);
    for (int i = 0; i < CREW; i++)
        pthread_join(team[i], NULL);
    ck_healthy();
    for (int i = 0; i < PLACES; i++)
        mm->free(
            __atomic_exchange_n((char **)&places[i], NULL, __ATOMIC_ACQ_REL));
    ck_healthy();
    ck_assert_uint_le(mm->used(), used + MIB);
    mm->trim();
    mm->fini();
    ck_assert_uint_eq(mem_heapsize(), 0);
}
END_TEST

START_TEST(a_child_of_fork_has_the_huge_blocks_too)
{
    begin(_i);
    char *p = take(HUGE, 'p'), *q = take(HUGE, 'q');
    pid_t pid = fork();
    if (pid == 0) {
        mm->free(p);
        q = mm->realloc(q, 2 * HUGE);
        p = mm->malloc(3 * HUGE);
        _exit(!p || !q || q[HUGE - 1] != 'q' || mm->check());
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    ck_filled(p, HUGE, 'p');
    ck_filled(q, HUGE, 'q');
    mm->free(p);
    mm->free(q);
    ck_healthy();
}
END_TEST

static void handler(int signal)
{
    (void)signal;
    char *p = mm->malloc(HUGE);
    if (!p || !(p = mm->realloc(p, 2 * HUGE)))
        abort();
    mm->free(p);
}

START_TEST(a_signal_handler_may_use_huge_blocks)
{
    begin(_i);
    if (mm != &mm_lockfree)
        return; /* as with glibc, malloc in a handler is for nobody else */
    signal(SIGUSR1, handler);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 2000; i++)
            kill(parent, SIGUSR1);
        _exit(0);
    }
    int status;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        char *p = mm->malloc(HUGE);
        ck_assert_ptr_nonnull(p);
        mm->free(p);
    }
    signal(SIGUSR1, SIG_IGN);
    ck_assert_uint_lt(mm->used(), MIB);
    ck_healthy();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_huge_block_is_known_and_goes_back_when_freed,
        buffers_that_grow_by_steps_are_not_copied,
        realloc_keeps_what_is_there_on_both_sides_of_the_border,
        calloc_is_zero_and_touches_no_page,
        huge_blocks_are_aligned_as_asked,
        a_block_that_is_freed_and_allocated_in_turn_keeps_its_pages,
        a_huge_block_that_was_freed_serves_one_of_another_size,
        blocks_of_which_many_are_in_use_at_a_time_keep_their_pages,
        no_memory_leaves_a_huge_block_as_it_was,
        a_pointer_that_is_no_huge_blocks_start_is_found_out,
        threads_hand_huge_blocks_over_and_lose_none,
        a_child_of_fork_has_the_huge_blocks_too,
        a_signal_handler_may_use_huge_blocks,
        NULL};
    return run_stage_tests("huge", tests);
}
