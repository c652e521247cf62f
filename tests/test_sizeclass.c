/* test_sizeclass.c - the formula from sizes to free lists, for every size that
 * small heaps have and around every border up to the largest. */
#include "mm/engine/sizeclass.h"

#include "config.h"
#include "tests/run_tests.h"

static void nothing(void)
{
}

/* size, a multiple of 16, lies in its class and not in the next. */
static void ck_class(size_t size)
{
    unsigned c = size_class(size);
    if (c >= NCLASSES || size < class_floor(c) || size >= class_floor(c + 1))
        ck_abort_msg("size %zu: class %u of %zu begins at %zu", size, c,
                     (size_t)NCLASSES, class_floor(c));
}

START_TEST(each_size_up_to_1_mib_lies_in_its_class)
{
    for (size_t size = ALIGN; size <= (size_t)1 << 20; size += ALIGN)
        ck_class(size);
}
END_TEST

START_TEST(sizes_around_each_power_of_two_lie_in_their_class)
{
    for (size_t power = 1 << 20; power <= (size_t)64 << 30; power *= 2)
        for (size_t near = 0; near <= 100 * ALIGN; near += ALIGN) {
            ck_class(power - near);
            if (power + near <= (size_t)64 << 30)
                ck_class(power + near);
        }
}
END_TEST

START_TEST(sizes_around_each_floor_lie_in_their_class)
{
    for (unsigned c = 1; c < NCLASSES; c++) {
        ck_assert_uint_eq(size_class(class_floor(c)), c);
        ck_assert_uint_eq(size_class(class_floor(c) - ALIGN), c - 1);
    }
}
END_TEST

START_TEST(classes_grow_with_the_size)
{
    unsigned before = 0;
    for (size_t size = ALIGN; size <= (size_t)1 << 20; size += ALIGN) {
        unsigned c = size_class(size);
        if (c != before && c != before + 1)
            ck_abort_msg("size %zu: class %u after %u", size, c, before);
        before = c;
    }
    for (unsigned c = 0; c < NCLASSES; c++)
        ck_assert_uint_lt(class_floor(c), class_floor(c + 1));
}
END_TEST

START_TEST(small_sizes_have_a_class_of_their_own)
{
    for (size_t size = ALIGN; size <= EXACT_MAX; size += ALIGN)
        ck_assert_uint_eq(class_floor(size_class(size)), size);
    ck_assert_uint_eq(size_class(EXACT_MAX), NEXACT - 1);
    ck_assert_uint_eq(size_class(EXACT_MAX + ALIGN), NEXACT);
}
END_TEST

START_TEST(a_class_is_no_wider_than_a_sixteenth)
{
    for (unsigned c = NEXACT; c < NCLASSES; c++)
        ck_assert_uint_le(class_floor(c + 1) - class_floor(c),
                          class_floor(c) / 16);
}
END_TEST

START_TEST(sizes_beyond_the_range_share_the_last_class)
{
    ck_assert_uint_eq(size_class(MEM_ZONE), NCLASSES - 1);
    ck_assert_uint_eq(size_class(MEM_ZONE + ALIGN), NCLASSES - 1);
    ck_assert_uint_eq(size_class(MAX_BLOCK), NCLASSES - 1);
    ck_assert_uint_eq(size_class((size_t)1 << 63), NCLASSES - 1);
}
END_TEST

START_TEST(a_block_holds_its_request_and_less_than_16_bytes_more)
{
    ck_assert_uint_eq(request_to_block(0), MIN_BLOCK);
    ck_assert_uint_eq(request_to_block(PTRDIFF_MAX), ((size_t)1 << 63) + ALIGN);
    for (size_t size = 1; size <= (size_t)1 << 20; size++) {
        size_t asize = request_to_block(size);
        if (asize % ALIGN || asize < size + HEADER_SIZE ||
            asize >= size + HEADER_SIZE + ALIGN)
            ck_abort_msg("request %zu: block %zu", size, asize);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_size_up_to_1_mib_lies_in_its_class,
        sizes_around_each_power_of_two_lie_in_their_class,
        sizes_around_each_floor_lie_in_their_class,
        classes_grow_with_the_size,
        small_sizes_have_a_class_of_their_own,
        a_class_is_no_wider_than_a_sixteenth,
        sizes_beyond_the_range_share_the_last_class,
        a_block_holds_its_request_and_less_than_16_bytes_more,
        NULL};
    return run_tests("sizeclass", nothing, tests);
}
