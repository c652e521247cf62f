/* test_mm_random.c - random operations on each stage, checked by the model. */
#include "config.h"
#include "tests/limits.h"
#include "tests/mm_test.h"

#include "tests/model.h"

#define NSEEDS (SANITIZED ? 1 : 4)
#define NOPS (SANITIZED ? 500 : 2000)

START_TEST(random_operations_break_no_promise)
{
    for (uint64_t seed = 1; seed <= NSEEDS; seed++) {
        begin(_i);
        model_run(mm, seed, NOPS);
        model_end();
        mm->fini();
    }
}
END_TEST

START_TEST(what_was_all_freed_serves_again)
{
    begin(_i);
    model_run(mm, 7, NOPS);
    model_end();
    size_t heap = mem_heapsize();
    mm->free(take(heap / 2 < HUGE_OVER ? heap / 2 : HUGE_OVER, 'x'));
    ck_assert_uint_eq(mem_heapsize(), heap);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {random_operations_break_no_promise,
                                  what_was_all_freed_serves_again, NULL};
    return run_stage_tests("mm-random", tests);
}
