/* test_per_thread_few.c - the per_thread stage with two arenas at most, whose
 * zone is full: an orphan is used, or waits, and never both. */
#define MM_MAX_ARENAS 2
#define MM_STAGE "mm/per_thread/stage.h"
#define MM_ALLOCATOR mm_here
#include "mm.c"

#include "tests/arena_variants.h"
#include "tests/run_tests.h"

#define GIB ((size_t)1 << 30)

static void *take(void *size)
{
    return lab->malloc((size_t)(uintptr_t)size);
}

/* Take what is left of the first zone, in pieces, and the next one's begin. */
static void leave_zone(void)
{
    const char *end = mem_range.base + MEM_ZONE - mem_pagesize();
    for (size_t left; (left = (size_t)(end - (char *)mem_brk())) > 0;)
        ck_assert(mem_extend(mem_brk(), min_size(left, GIB)));
    ck_assert_ptr_nonnull(mem_sbrk(64));
}

/* Orphans as the registry has them; at most one more than there are arenas. */
static unsigned norphans(void)
{
    unsigned n = 0;
    for (const struct shard *s = registry.orphans; s && n <= MM_MAX_ARENAS;
         s = s->next)
        n++;
    return n;
}

START_TEST(a_full_orphan_is_used_where_no_arena_can_be_made)
{
    if (mem_range.size < 2 * MEM_ZONE) /* small address spaces: memwindow.h */
        return;
    char *kept = take((void *)100);
    lab->free(in_thread(take, (void *)100));
    ck_assert_uint_eq(shard_count(), 2);
    ck_assert_uint_eq(norphans(), 1);
    leave_zone();
    for (int i = 0; i < 4; i++) {
        ck_assert_ptr_null(in_thread(take, (void *)(uintptr_t)100000));
        ck_assert_uint_eq(norphans(), 1);
        ck_assert_ptr_eq(registry.orphans, shard_at(1));
        ck_assert_uint_eq(lab->check(), 0);
    }
    lab->free(kept);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_full_orphan_is_used_where_no_arena_can_be_made, NULL};
    return run_tests("per-thread-few", here_begin, tests);
}
