/* test_bucket_ways.c - bucket's three ways back to a block's owner. */
#include "tests/bucket_test.h"

enum { RETURNED = 30 };
static char *returned[RETURNED];

static void *return_all(void *arg)
{
    for (int i = 0; i < RETURNED; i++)
        mm_bucket.free(returned[i]);
    return arg;
}

static size_t waiting(void)
{
    size_t n = 0;
    struct member *m = owner_mine();
    for (struct freed *f = m->inbox.chain; f; f = f->next)
        n++;
    for (struct freed *f = m->box; f; f = f->next)
        n++;
    for (struct freed *f = common.head; f; f = f->next)
        n++;
    return n;
}

/* Blocks that another thread freed; and a list of 16-byte blocks that is not
 * empty, so that an operation on these need not look for more. */
static void have_blocks_returned(void)
{
    pthread_t thread;
    for (int i = 0; i < RETURNED; i++)
        returned[i] = take(2000);
    mm_bucket.free(take(16));
    ck_assert_int_eq(pthread_create(&thread, NULL, return_all, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_eq(waiting(), RETURNED);
    ck_healthy();
}

static void ck_returned_come(const struct mm_allocator *variant)
{
    ck_assert_int_eq(restart(variant), 0);
    have_blocks_returned();
    shelf_flush(heap(), &heap()->shelves[class_of_size(2000)], 0);
    take(2000);
    ck_assert_uint_eq(waiting(), 0);
    ck_healthy();
}

START_TEST(returned_blocks_come_when_a_list_is_empty)
{
    ck_returned_come(&mm_bucket);
    ck_returned_come(&mm_bucket_inbox);
    ck_returned_come(&mm_bucket_global);
}
END_TEST

START_TEST(bucket_global_looks_at_every_tenth_operation)
{
    ck_assert_int_eq(restart(&mm_bucket_global), 0);
    have_blocks_returned();
    for (int i = 0; i < LOOK_EVERY && waiting(); i += 2)
        mm_bucket.free(take(16));
    ck_assert_uint_eq(waiting(), 0);
}
END_TEST

START_TEST(the_others_wait_until_a_list_is_empty)
{
    have_blocks_returned();
    for (int i = 0; i < 100; i++)
        mm_bucket.free(take(16));
    ck_assert_uint_eq(waiting(), RETURNED);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {returned_blocks_come_when_a_list_is_empty,
                                  bucket_global_looks_at_every_tenth_operation,
                                  the_others_wait_until_a_list_is_empty, NULL};
    return run_tests("bucket-ways", set_up, tests);
}
