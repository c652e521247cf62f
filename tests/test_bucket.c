/* test_bucket.c - bucket from inside: its classes, its chunks, and whether the
 * check names each kind of damage. */
#include "tests/bucket_test.h"

#include <sys/mman.h>

/* ---- classes ----------------------------------------------------------- */

static void ck_classes(const size_t *sizes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_uint_eq(classes.all[i].size, sizes[i]);
    for (size_t size = 0; size <= classes.most; size++) {
        const struct class *k = &classes.all[class_of_size(size)];
        if (k->size < size || (k > classes.all && k[-1].size >= size))
            ck_abort_msg("%zu bytes are in class %u", size, k->size);
    }
    for (unsigned i = 0; i < classes.total; i++) {
        const struct class *k = &classes.all[i];
        ck_assert_uint_ge(k->n, FIT_LEAST);
        ck_assert_uint_ge(k->first, offsetof(struct chunk, used_bits) +
                                        bitmap_bytes(k->n));
        ck_assert_uint_le(k->first + k->n * k->size, classes.chunk);
        ck_assert_uint_eq(k->first % (i < classes.n ? ALIGN : k->size), 0);
    }
}

START_TEST(classes_are_8_and_a_power_of_two_and_midways)
{
    static const size_t sizes[] = {16,   32,   48,   64,   80,   112,
                                   144,  208,  272,  400,  528,  784,
                                   1040, 1552, 2064, 3088, 4112, 6160};
    ck_classes(sizes, sizeof sizes / sizeof *sizes);
    if (classes.chunk == CHUNK_DEFAULT)
        ck_assert_uint_eq(classes.n, sizeof sizes / sizeof *sizes);
}
END_TEST

START_TEST(classes_and_chunks_are_set_by_the_environment)
{
    static const size_t sizes[] = {16, 112, 30000};
    setenv("MM_BUCKET_CHUNK", "65536", 1);
    setenv("MM_BUCKET_CLASSES", "1,100,30000", 1);
    ck_assert_int_eq(restart(&mm_bucket), 0);
    ck_classes(sizes, 3);
    ck_assert_uint_eq(classes.n, 3);
    ck_assert_uint_eq(mm_bucket.usable_size(take(17)), 112);
    ck_assert_uint_eq(mm_bucket.usable_size(take(200)), 30000);
    for (size_t chunk = CHUNK_MIN; chunk <= CHUNK_MAX; chunk *= 2) {
        char text[32];
        snprintf(text, sizeof text, "%zu", chunk);
        setenv("MM_BUCKET_CHUNK", text, 1);
        unsetenv("MM_BUCKET_CLASSES");
        ck_assert_int_eq(restart(&mm_bucket), 0);
        ck_classes(NULL, 0);
    }
}
END_TEST

static const char *bad_variable, *bad_value;

static void start_badly(void)
{
    setenv(bad_variable, bad_value, 1);
    if (restart(&mm_bucket) == -1 && errno == EINVAL)
        abort();
}

START_TEST(a_setting_that_cannot_be_is_named)
{
    static const char *const bad[][2] = {
        {"MM_BUCKET_CHUNK", "5000"},     {"MM_BUCKET_CHUNK", "2097152"},
        {"MM_BUCKET_CHUNK", "16K"},      {"MM_BUCKET_CHUNK", ""},
        {"MM_BUCKET_CLASSES", "64,32"},  {"MM_BUCKET_CLASSES", "16,600000"},
        {"MM_BUCKET_CLASSES", "16,,32"}, {"MM_BUCKET_CLASSES", "16;32"},
        {"MM_BUCKET_CLASSES", ""},       {"MM_BUCKET_CLASSES", "0"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char line[64];
        bad_variable = bad[i][0];
        bad_value = bad[i][1];
        snprintf(line, sizeof line, "%s=%s: expected ", bad_variable,
                 bad_value);
        ck_dies(start_badly, line);
    }
}
END_TEST

/* ---- chunks ------------------------------------------------------------ */

START_TEST(blocks_of_a_class_lie_side_by_side_without_headers)
{
    char *p = take(48);
    const struct class *k = class_of(chunk_of(p));
    for (uint32_t i = 1; i < k->n; i++)
        ck_assert_ptr_eq(take(48), p + i * 48);
    ck_assert_ptr_ne(chunk_of(take(48)), chunk_of(p));
    ck_healthy();
}
END_TEST

/* Fill and empty many chunks; @return the bytes held when all is freed */
static size_t fill_and_empty(size_t size, size_t n)
{
    void **blocks = take(n * sizeof *blocks);
    for (size_t i = 0; i < n; i++)
        blocks[i] = take(size);
    ck_assert_uint_ge(tally_now(&held), n * size);
    for (size_t i = 0; i < n; i++)
        mm_bucket.free(blocks[i]);
    mm_bucket.free(blocks);
    heap_flush(heap());
    return tally_now(&held);
}

START_TEST(empty_chunks_go_back_and_serve_other_classes)
{
    size_t before = fill_and_empty(100, 1);
    size_t after = fill_and_empty(100, 40000);
    ck_assert_uint_le(after, before + POOL_SLACK + MIB);
    ck_assert_uint_gt(pool.nclean, 100 * CHUNK_DEFAULT / classes.chunk / 2);
    size_t brk = (uintptr_t)mem_brk();
    fill_and_empty(1000, 3000);
    ck_assert_uint_eq((uintptr_t)mem_brk(), brk);
    ck_healthy();
}
END_TEST

START_TEST(aligned_blocks_are_in_chunks_up_to_a_quarter)
{
    size_t most = classes.chunk / 4;
    for (size_t align = 32; align <= most; align *= 2) {
        void *p = mm_bucket.memalign(align, align / 2 + 1);
        ck_assert(in_chunk(p));
        ck_assert_uint_eq((uintptr_t)p % align, 0);
        ck_assert_uint_eq(mm_bucket.usable_size(p), align);
        mm_bucket.free(p);
    }
    ck_assert(!in_chunk(mm_bucket.memalign(2 * most, 1)));
    ck_healthy();
}
END_TEST

START_TEST(the_check_leaves_out_what_is_not_ours)
{
    char *others =
        mmap(mem_range.base + 2 * MIB, MIB, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    ck_assert_ptr_eq(others, mem_range.base + 2 * MIB);
    fill_and_empty(6000, 1000);
    ck_assert((char *)mem_brk() > others + MIB); /* it jumped */
    take(100);
    ck_healthy();
    munmap(others, MIB);
}
END_TEST

/* ---- misuse and damage ------------------------------------------------- */

static char *victim;

static void free_twice(void)
{
    mm_bucket.free(victim);
    mm_bucket.free(victim);
}

static void free_the_middle(void)
{
    mm_bucket.free(victim + 16);
    heap_flush(heap()); /* a list does not look; the bitmap knows */
}

static void free_twice_in_turn(void)
{
    mm_bucket.free(victim);
    mm_bucket.free(take(100));
    heap_flush(heap());
    mm_bucket.free(victim);
    heap_flush(heap());
}

START_TEST(misuse_is_named)
{
    victim = take(100);
    ck_dies(free_twice, "double free");
    ck_dies(free_twice_in_turn, "not a live block");
    ck_dies(free_the_middle, "not a live block");
    victim = take(100 * KIB);
    ck_dies(free_twice, "double free of a large block");
    ck_dies(free_the_middle, "not a live block");
    ck_healthy();
}
END_TEST

START_TEST(the_check_names_damaged_chunks)
{
    struct chunk *c = chunk_of(take(100));
    struct shelf *s = &heap()->shelves[c->class];
    uint32_t class = c->class;
    c->class = classes.total;
    ck_names(&mm_bucket, "K1 class, heap");
    c->class = class;
    c->used++;
    ck_names(&mm_bucket, "K2 used");
    c->used--;
    s->open = NULL;
    ck_names(&mm_bucket, "K3 open");
    s->open = c;
    c->prev = c;
    ck_names(&mm_bucket, "K3 open");
    c->prev = NULL;
    pool.ndirty++;
    ck_names(&mm_bucket, "K7 pool");
    pool.ndirty--;
    ck_healthy();
}
END_TEST

START_TEST(the_check_names_damaged_lists)
{
    char *p = take(100), *q = take(200);
    heap_flush(heap());
    struct chunk *c = chunk_of(p);
    chunk_put(heap(), q);
    struct shelf *s = &heap()->shelves[c->class];
    s->n++;
    ck_names(&mm_bucket, "K5 list");
    s->n--;
    struct freed *f = (struct freed *)(p + 16);
    f->next = NULL;
    inbox_push_remote(&member_of(heap())->inbox, f, f);
    ck_names(&mm_bucket, "K6 returned");
    inbox_take_owner(&member_of(heap())->inbox);
    c->used_bits[0] &= ~UINT64_C(1);
    c->used = 0;
    ck_names(&mm_bucket, "K4 empty");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        classes_are_8_and_a_power_of_two_and_midways,
        classes_and_chunks_are_set_by_the_environment,
        a_setting_that_cannot_be_is_named,
        blocks_of_a_class_lie_side_by_side_without_headers,
        empty_chunks_go_back_and_serve_other_classes,
        aligned_blocks_are_in_chunks_up_to_a_quarter,
        the_check_leaves_out_what_is_not_ours,
        misuse_is_named,
        the_check_names_damaged_chunks,
        the_check_names_damaged_lists,
        NULL};
    return run_tests("bucket", set_up, tests);
}
