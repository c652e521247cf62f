/* test_heapmap.c - what lay where: driver/report/heapmap.h, with blocks made
 * up. */
#include "driver/report/heapmap.h"
#include "tests/run_tests.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define BASE ((uintptr_t)1 << 20)
#define FAR ((uintptr_t)1 << 40)
#define UNIT 64
#define ROWS 4

static struct heapmap *map;
static const struct mm_stats stats = {.heap = 4096, .metadata = 7};

static struct oracle_place block(uintptr_t at, size_t size, size_t usable)
{
    return (struct oracle_place){.at = at, .size = size, .usable = usable};
}

static void begin(void)
{
    map = heapmap_new(UNIT, 8);
}

/* What is printed; the caller frees it. */
static char *printed(void)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    heapmap_print(map, f, "mine", "some", ROWS);
    fclose(f);
    heapmap_free(map);
    return text;
}

/* The rows of the n-th line for kind, as "50,0,,". */
static void expect_rows(const char *text, unsigned n, const char *kind,
                        const char *want)
{
    char mark[32];
    snprintf(mark, sizeof mark, ",%s,", kind);
    for (unsigned i = 0; (text = strstr(text, mark)) != NULL; i++, text++)
        if (i == n) {
            const char *row = text + strlen(mark);
            for (int comma = 0; comma < 5; comma += *row++ == ',')
                ;
            size_t size = strcspn(row, "\n");
            ck_assert_msg(size == strlen(want) && !memcmp(row, want, size),
                          "%s %u: %.*s, expected %s", kind, n, (int)size, row,
                          want);
            return;
        }
    ck_abort_msg("no line %u of %s", n, kind);
}

START_TEST(bytes_are_counted_in_the_units_where_they_lie)
{
    begin();
    struct oracle_place live[] = {block(BASE + 32, 128, 128),
                                  block(BASE + 192, 64, 64)};
    heapmap_add(map, 10, live, 2, &stats);
    char *text = printed();
    expect_rows(text, 0, "live", "50,100,50,100");
    free(text);
}
END_TEST

START_TEST(rounding_and_gaps_without_room_are_metadata)
{
    begin();
    struct oracle_place live[] = {
        block(BASE, 32, 48),
        block(BASE + 64, 64, 64),
        block(BASE + 192, 16, 16),
        block(BASE + 240, 16, 16),
    };
    heapmap_add(map, 10, live, 4, &stats);
    char *text = printed();
    expect_rows(text, 0, "live", "50,50,100,50"); /* 3 units in 4 rows */
    expect_rows(text, 0, "metadata", "50,50,0,0");
    free(text);
}
END_TEST

START_TEST(a_unit_is_free_after_its_first_block_and_unknown_before)
{
    begin();
    struct oracle_place live[] = {block(BASE, 64, 64),
                                  block(BASE + 64, 64, 64)};
    heapmap_add(map, 1, live, 1, &stats);
    heapmap_add(map, 2, live + 1, 1, &stats);
    heapmap_add(map, 3, live, 0, &stats);
    char *text = printed();
    expect_rows(text, 0, "live", "100,100,,");
    expect_rows(text, 1, "live", "0,0,100,100");
    expect_rows(text, 2, "live", "0,0,0,0");
    free(text);
}
END_TEST

START_TEST(addresses_without_blocks_are_left_out)
{
    begin();
    struct oracle_place live[] = {block(FAR, 64, 64), block(BASE, 64, 64)};
    heapmap_add(map, 1, live, 2, &stats);
    char *text = printed();
    expect_rows(text, 0, "live", "100,100,100,100");
    ck_assert_ptr_nonnull(strstr(text, ",4096,7,128,")); /* the span */
    free(text);
}
END_TEST

START_TEST(a_line_says_whose_it_is_and_what_is_live)
{
    begin();
    struct oracle_place live[] = {block(BASE, 40, 48)};
    heapmap_add(map, 10, live, 1, &stats);
    char *text = printed();
    const char *want = "mine,\"some\",10,live,40,48,4096,7,64,63";
    ck_assert_msg(!strncmp(text, want, strlen(want)), "%s", text);
    free(text);
}
END_TEST

START_TEST(many_units_are_kept)
{
    begin();
    struct oracle_place *live = calloc(5000, sizeof *live);
    for (size_t i = 0; i < 5000; i++)
        live[i] = block(BASE + (4999 - i) * UNIT, UNIT / 2, UNIT / 2);
    heapmap_add(map, 10, live, 5000, &stats);
    char *text = printed();
    expect_rows(text, 0, "live", "50,50,50,50");
    free(text);
    free(live);
}
END_TEST

START_TEST(without_any_block_there_is_no_map)
{
    begin();
    struct oracle_place none[1];
    heapmap_add(map, 10, none, 0, &stats);
    char *text = printed();
    ck_assert_str_eq(text, "");
    free(text);
}
END_TEST

START_TEST(the_unit_grows_with_the_trace)
{
    ck_assert_uint_eq(heapmap_unit(0), 64);
    ck_assert_uint_eq(heapmap_unit(64 * 512), 64);
    ck_assert_uint_eq(heapmap_unit(64 * 512 + 1), 128);
    ck_assert_uint_eq(heapmap_unit((size_t)1 << 30), (size_t)2 << 20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heapmap");
    TCase *tc = tcase_create("heapmap");
    tcase_add_test(tc, bytes_are_counted_in_the_units_where_they_lie);
    tcase_add_test(tc, rounding_and_gaps_without_room_are_metadata);
    tcase_add_test(tc, a_unit_is_free_after_its_first_block_and_unknown_before);
    tcase_add_test(tc, addresses_without_blocks_are_left_out);
    tcase_add_test(tc, a_line_says_whose_it_is_and_what_is_live);
    tcase_add_test(tc, many_units_are_kept);
    tcase_add_test(tc, without_any_block_there_is_no_map);
    tcase_add_test(tc, the_unit_grows_with_the_trace);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
