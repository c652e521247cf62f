/* test_arena_stress.c - random traffic of eight threads through each variant of
 * the arena stage. STRESS=N: N times as many operations. */
#include "tests/arena_stress.h"

static unsigned stress_factor(void)
{
    const char *s = getenv("STRESS");
    return s ? (unsigned)atoi(s) : 1;
}

START_TEST(random_traffic_of_eight_threads_leaves_all_sound)
{
    lab_begin(_i);
    stress(stress_factor() * (SANITIZED ? 4000 : 100000), 1);
    lab_end();
}
END_TEST

START_TEST(threads_that_come_and_go_amid_the_traffic_leave_all_sound)
{
    lab_begin(_i);
    stress(stress_factor() * (SANITIZED ? 4000 : 100000), 20);
    lab_end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        random_traffic_of_eight_threads_leaves_all_sound,
        threads_that_come_and_go_amid_the_traffic_leave_all_sound, NULL};
    return run_variants("arena-stress", tests);
}
