/* test_slab.c - slabs: every block of every class, page by page; what happens
 * when one fills or empties; keys. Which classes get slabs: test_slab_earn.c */
#include "tests/slab_test.h"

#define MOST 600 /* blocks in a test: more than a slab of any class holds */

/* ---- addresses ----------------------------------------------------------- */

START_TEST(a_class_serves_the_sizes_that_it_fits_best)
{
    for (size_t size = 1; size <= SLAB_MAX; size++) {
        unsigned c = slab_class(size);
        ck_assert(c * ALIGN >= size && (c - 1) * ALIGN < size);
    }
}
END_TEST

START_TEST(a_slab_has_room_for_all_its_blocks_and_little_else)
{
    for (unsigned c = 1; c <= SLAB_CLASSES; c++) {
        size_t bytes = slab_classes[c].pages * PAGE - HEADER_SIZE;
        size_t blocks = slab_classes[c].slots * (c * ALIGN);
        ck_assert_uint_le(slab_classes[c].pages, SLAB_PAGES_MAX);
        ck_assert_uint_le(slab_classes[c].slots, SLAB_SLOTS_MAX);
        ck_assert_uint_le(blocks, bytes);
        ck_assert_uint_lt(bytes - blocks, c * ALIGN);
        ck_assert_uint_ge(slab_classes[c].slots, 15);
    }
}
END_TEST

/* The multiplication says what a division would, in every page of a slab. */
START_TEST(a_block_begins_at_multiples_of_its_size_only)
{
    char *base = mem_range.base;
    for (unsigned c = 1; c <= SLAB_CLASSES; c++)
        for (uint32_t place = 0; place < slab_classes[c].pages; place++) {
            struct mem_page *page = &mem_range.pages[place];
            page->units = (uint16_t)(place * PAGE_UNITS);
            page->inverse = slab_classes[c].inverse;
            page->bound = slab_classes[c].bound;
            for (size_t off = 0; off < PAGE; off += ALIGN) {
                size_t at = place * PAGE + off, i = at / (c * ALIGN);
                bool is = at % (c * ALIGN) == 0 && i < slab_classes[c].slots;
                if (slab_has_block(base + at) != is)
                    ck_abort_msg("class %u, offset %zu", c, at);
            }
        }
}
END_TEST

START_TEST(each_block_leads_to_its_slab)
{
    for (unsigned c = 1; c <= SLAB_CLASSES; c++) {
        char *first = first_in_slab(c);
        struct mem_page *s = slab_of(first);
        ck_assert_ptr_eq(slab_start(s), first);
        for (unsigned i = 1; i < slab_classes[c].slots; i++) {
            char *p = take(c * ALIGN, 'x');
            ck_assert_ptr_eq(p, first + i * (c * ALIGN));
            ck_assert_ptr_eq(slab_of(p), s);
            ck_assert_uint_eq(arena_usable(p), c * ALIGN);
            ck_assert_uint_eq(payload_owner(p), 0);
        }
        ck_assert_ptr_ne(slab_of(take(c * ALIGN, 'x')), s);
        ck_healthy();
    }
}
END_TEST

static char *misused;

static void free_misused(void)
{
    give_back(misused);
}

static void resize_misused(void)
{
    arena_resize(&arena, misused, 10);
}

START_TEST(pointers_into_blocks_are_told_in_every_page)
{
    unsigned c = 50;
    char *p = first_in_slab(c);
    for (unsigned i = 1; i < slab_classes[c].slots; i++)
        take(c * ALIGN, 'x');
    for (unsigned place = 0; place < slab_classes[c].pages; place++) {
        size_t off = place * PAGE + PAGE / 2;
        misused = p + off - off % (c * ALIGN) + ALIGN;
        ck_dies(free_misused, "mm: pointer into the middle");
        ck_dies(resize_misused, "mm: pointer into the middle");
    }
    ck_healthy();
}
END_TEST

/* A loop one step too long frees what lies there. */
START_TEST(behind_the_last_block_of_a_slab_there_is_none)
{
    for (unsigned c = 1; c <= SLAB_CLASSES; c++) {
        slab_begin();
        char *p = first_in_slab(c);
        for (unsigned i = 1; i < slab_classes[c].slots; i++)
            take(c * ALIGN, 'x');
        misused = p + slab_classes[c].slots * (c * ALIGN);
        if (c % 7 == 1) { /* a process each */
            ck_dies(free_misused, "mm: pointer into the middle");
            ck_dies(resize_misused, "mm: pointer into the middle");
        }
        ck_assert(!slab_has_block(misused));
    }
}
END_TEST

/* ---- carving ------------------------------------------------------------- */

/* How many pages of s have tags. */
static unsigned tagged(const struct mem_page *s, unsigned c)
{
    unsigned n = 0;
    for (unsigned i = 0; i < slab_classes[c].pages; i++)
        n += s[i].tag != 0;
    return n;
}

START_TEST(a_slab_is_carved_a_page_at_a_time_when_it_is_needed)
{
    for (unsigned c = 1; c <= SLAB_CLASSES; c++) {
        char *first = first_in_slab(c), *p = first;
        struct mem_page *s = slab_of(first);
        for (unsigned i = 1;; i++) {
            size_t page = (size_t)(p - first) / PAGE;
            ck_assert_uint_eq(tagged(s, c), page + 1);
            size_t begun = (page + 1) * PAGE / (c * ALIGN);
            begun += begun * (c * ALIGN) < (page + 1) * PAGE;
            ck_assert_uint_eq(s->carved,
                              min_size(begun, slab_classes[c].slots));
            ck_assert_uint_eq(s->room, s->listed ? i : 1);
            ck_healthy();
            if (i == slab_classes[c].slots)
                break;
            p = take(c * ALIGN, 'x');
        }
        ck_assert(!s->listed);
    }
}
END_TEST

START_TEST(pages_that_are_not_carved_stay_untouched)
{
    enum { REST = 3 * PAGE - HEADER_SIZE };
    static char before[REST];
    struct mem_page *s = slab_new(heap, &arena.slabs, 64);
    ck_assert_ptr_nonnull(s);
    memset(slab_start(s) + PAGE, 'u', REST);
    memset(before, 'u', REST);
    for (int i = 0; i < 4; i++)
        ck_assert_ptr_nonnull(slab_take(heap, &arena.slabs, s, 64));
    ck_assert_mem_eq(slab_start(s) + PAGE, before, REST);
    ck_healthy();
}
END_TEST

START_TEST(a_free_block_is_taken_before_another_page_is_carved)
{
    char *p = first_in_slab(40), *q = take(640, 'x');
    struct mem_page *s = slab_of(p);
    while (s->free)
        take(640, 'x');
    unsigned carved = s->carved;
    give_back(q);
    ck_assert_ptr_eq(take(640, 'x'), q);
    ck_assert_uint_eq(s->carved, carved);
    take(640, 'x');
    ck_assert_uint_gt(s->carved, carved);
    ck_healthy();
}
END_TEST

/* ---- filling and emptying ------------------------------------------------ */

static void ck_fill(unsigned c)
{
    char *blocks[MOST];
    earn(c);
    for (int i = 0; i < MOST; i++)
        blocks[i] = take(c * ALIGN, (char)i);
    ck_healthy();
    for (int i = 0; i < MOST; i++)
        ck_filled(blocks[i], c * ALIGN, (char)i);
    ck_assert(!slab_of(blocks[0])->listed);
    for (int i = 0; i < MOST; i++) {
        give_back(blocks[(i * 7 + 3) % MOST]);
        if (i % 64 == 0)
            ck_healthy();
    }
    ck_assert_uint_eq(arena.slabs.nslabs[c], 1);
    ck_healthy();
}

START_TEST(blocks_of_full_slabs_do_not_overlap)
{
    for (unsigned c = 1; c <= SLAB_CLASSES; c++)
        ck_fill(c);
}
END_TEST

START_TEST(what_came_back_last_is_given_out_first)
{
    char *blocks[20];
    blocks[0] = first_in_slab(3);
    for (int i = 1; i < 20; i++)
        blocks[i] = take(48, 'x');
    give_back(blocks[15]);
    give_back(blocks[4]);
    give_back(blocks[9]);
    ck_assert_ptr_eq(take(48, 'x'), blocks[9]);
    ck_assert_ptr_eq(take(48, 'x'), blocks[4]);
    ck_assert_ptr_eq(take(48, 'x'), blocks[15]);
    ck_healthy();
}
END_TEST

/* Fill slabs of class c. @return the first block of each: n of them */
static void fill_slabs(unsigned c, char **firsts, int n)
{
    firsts[0] = first_in_slab(c);
    for (int k = 0; k < n; k++) {
        if (k)
            firsts[k] = take(c * ALIGN, 'x');
        for (unsigned i = 1; i < slab_classes[c].slots; i++)
            take(c * ALIGN, 'x');
        ck_assert_ptr_eq(slab_start(slab_of(firsts[k])), firsts[k]);
    }
    ck_assert_uint_eq(arena.slabs.first[c], 0);
}

START_TEST(slabs_wait_in_the_order_in_which_their_first_block_came_back)
{
    char *full[3];
    fill_slabs(44, full, 3);
    for (int k = 2; k >= 0; k--) {
        struct mem_page *s = slab_of(full[k]);
        ck_assert(!s->listed && s->room == 1);
        give_back(full[k]);
        ck_assert(s->listed);
        ck_assert_uint_eq(s->room, slab_classes[44].slots - 1u);
        ck_healthy();
    }
    ck_assert_ptr_eq(slab_at(arena.slabs.first[44]), slab_of(full[2]));
    ck_assert_ptr_eq(slab_at(arena.slabs.last[44]), slab_of(full[0]));
    for (int k = 2; k >= 0; k--) {
        ck_assert_ptr_eq(take(704, 'x'), full[k]);
        ck_assert(!slab_of(full[k])->listed);
    }
    ck_healthy();
}
END_TEST

START_TEST(all_but_one_empty_slab_of_a_class_go_back)
{
    for (unsigned c = 8; c <= 56; c += 24) { /* of 1, 2 and 4 pages */
        char *firsts[5];
        fill_slabs(c, firsts, 5);
        for (int k = 0; k < 5; k++)
            for (unsigned i = 0; i < slab_classes[c].slots; i++)
                give_back(firsts[k] + i * (c * ALIGN));
        ck_assert_uint_eq(arena.slabs.nslabs[c], 1);
        struct mem_page *s = slab_at(arena.slabs.first[c]);
        ck_assert_uint_eq(s->room, 0);
        unsigned pages = 0;
        for (int k = 0; k < 5; k++)
            pages += tagged(slab_at((uint32_t)page_index(firsts[k])), c);
        ck_assert_uint_eq(pages, slab_classes[c].pages);
        ck_healthy();
        slabs_trim(heap, &arena.slabs);
        ck_assert_uint_eq(arena.slabs.nslabs[c], 0);
        ck_assert_uint_eq(tagged(s, c), 0);
        ck_healthy();
    }
}
END_TEST

START_TEST(a_page_that_went_back_serves_other_blocks)
{
    char *firsts[3];
    fill_slabs(37, firsts, 3);
    for (int k = 0; k < 3; k++)
        for (unsigned i = 0; i < slab_classes[37].slots; i++)
            give_back(firsts[k] + i * (37 * ALIGN));
    size_t size = heap->size;
    char *p = take(20000, 'x');
    ck_assert_uint_eq(heap->size, size);
    ck_assert_uint_eq(page_tag((char *)round_up((uintptr_t)p, PAGE)), 0);
    ck_healthy();
    give_back(p);
    ck_healthy();
}
END_TEST

START_TEST(slabs_tile_without_a_gap)
{
    for (unsigned c = 8; c <= 56; c += 24) {
        char *firsts[3];
        fill_slabs(c, firsts, 3);
        size_t bytes = slab_classes[c].pages * PAGE;
        ck_assert_ptr_eq(firsts[2], firsts[1] + bytes);
        ck_assert_ptr_eq(block_next(payload_block(firsts[1])),
                         payload_block(firsts[2]));
    }
}
END_TEST

START_TEST(tags_and_headers_name_the_owner)
{
    heap->owner = 777;
    char *p = first_in_slab(64);
    for (int i = 1; i < 15; i++)
        take(1024, 'x');
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t tag = page_tag(p + i * PAGE);
        ck_assert_uint_eq(tag, 1024 | owner_tag(777));
        ck_assert_uint_eq(tag_owner(tag), 777);
    }
    struct block *b = payload_block(take(5000, 'x'));
    ck_assert_uint_eq(b->header >> BLOCK_OWNER_SHIFT, 777);
}
END_TEST

/* ---- the list taken whole ------------------------------------------------ */

START_TEST(all_free_blocks_of_a_slab_are_taken_at_once)
{
    char *full[2];
    fill_slabs(20, full, 2);
    for (unsigned i = 0; i < 5; i++)
        give_back(full[0] + i * 320);
    give_back(full[1]);
    unsigned n = 0;
    void *chain = arena_take_all(&arena, 20, &n);
    ck_assert_uint_eq(n, 5);
    for (unsigned i = 5; i-- > 0; chain = *(void **)chain) {
        ck_assert_ptr_eq(chain, full[0] + i * 320);
        ck_assert(block_has_key(chain));
    }
    ck_assert_ptr_null(chain);
    ck_assert(!slab_of(full[0])->listed);
    ck_healthy();
    arena_put(&arena, full[0], page_tag(full[0])); /* it kept its key */
    ck_assert_uint_eq(slab_of(full[0])->room, slab_classes[20].slots - 1u);
    ck_healthy();
}
END_TEST

START_TEST(a_slab_that_has_none_free_gives_a_page_of_them)
{
    char *first = first_in_slab(64);
    struct mem_page *s = slab_of(first);
    unsigned n = 0, blocks = 1;
    while (s->listed) {
        void *chain = arena_take_all(&arena, 64, &n);
        ck_assert_uint_eq(n, s->carved - blocks);
        for (unsigned i = 0; i < n; i++, chain = *(void **)chain)
            ck_assert_ptr_eq(chain, first + (blocks + i) * 1024);
        ck_assert_ptr_null(chain);
        blocks += n;
        ck_healthy();
    }
    ck_assert_uint_eq(blocks, slab_classes[64].slots);
    ck_assert_ptr_null(arena_take_all(&arena, 64, &n));
}
END_TEST

/* ---- keys ---------------------------------------------------------------- */

START_TEST(free_blocks_have_keys_and_others_have_none)
{
    for (unsigned c = 1; c <= SLAB_CLASSES; c++) {
        char *p = first_in_slab(c);
        ck_assert(!block_has_key(p));
        for (const char *q = slab_of(p)->free; q; q = *(char *const *)q)
            ck_assert(block_has_key(q)); /* it was never given out */
        give_back(p);
        ck_assert(block_has_key(p));
        ck_assert_ptr_eq(arena_malloc(&arena, c * ALIGN), p);
        ck_assert(!block_has_key(p));
    }
}
END_TEST

static char *others[3];

static void free_twice_with_others_between(void)
{
    for (int i = 0; i < 3; i++)
        give_back(others[i]);
    give_back(others[1]);
}

static void free_what_was_never_given_out(void)
{
    give_back(slab_of(others[0])->free);
}

static void resize_free(void)
{
    give_back(others[0]);
    give_back(others[1]);
    arena_resize(&arena, others[0], 1);
}

START_TEST(a_second_free_is_told_at_once_whatever_lies_between)
{
    for (unsigned c = 1; c <= SLAB_CLASSES; c += 21) {
        others[0] = first_in_slab(c);
        others[1] = take(c * ALIGN, 'x');
        others[2] = take(c * ALIGN, 'x');
        ck_dies(free_twice_with_others_between, "mm: double free");
        ck_dies(free_what_was_never_given_out, "mm: double free");
        ck_dies(resize_free, "mm: realloc of a small block that is free");
    }
}
END_TEST

START_TEST(a_small_block_is_resized_within_its_size_only)
{
    char *p = memset(first_in_slab(4), 'k', 64);
    ck_assert_ptr_eq(arena_resize(&arena, p, 64), p);
    ck_assert_ptr_eq(arena_resize(&arena, p, 1), p);
    ck_assert_ptr_null(arena_resize(&arena, p, 65));
    ck_filled(p, 64, 'k');
    ck_healthy();
}
END_TEST

/* Nor has one with a header: what lay there before may be keys. One in a block
 * that the program does not write would come by realloc to the place whose key
 * it is, and the block there would count as free. */
START_TEST(blocks_with_headers_begin_without_the_keys_that_lay_there)
{
    enum { BYTES = 200000, N = 60 };
    char *before = arena_malloc(&arena, BYTES);
    ck_assert_ptr_nonnull(before);
    for (size_t at = 0; at < BYTES; at += ALIGN)
        block_put_key(before + at);
    arena_free(&arena, before);
    for (size_t i = 0; i < N; i++) {
        size_t size = 9 + i * 97 % 1500;
        char *p = i % 3 ? arena_malloc(&arena, size)
                        : arena_memalign(&arena, 64, size);
        ck_assert_ptr_nonnull(p);
        ck_assert_msg(!block_has_key(p), "block %zu, of %zu bytes", i, size);
    }
    ck_assert_uint_eq(arena_check(), 0);
}
END_TEST

/* A mini has no second word, until it grows down into the block before it. */
START_TEST(a_mini_that_grows_down_has_no_key_either)
{
    arena_free(&arena, take(4000, 'r')); /* room that serves all of them */
    take(100, 'x');
    char *below = take(24, 'b'), *mini = take(8, 'm'), *above = take(24, 'a');
    ck_assert(mini == below + 32 && above == mini + 16);
    block_put_key(below);
    arena_free(&arena, below);
    ck_assert_ptr_eq(arena_resize(&arena, mini, 24), below);
    ck_assert(!block_has_key(below));
    ck_assert_uint_eq(arena_check(), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_class_serves_the_sizes_that_it_fits_best,
        a_slab_has_room_for_all_its_blocks_and_little_else,
        a_block_begins_at_multiples_of_its_size_only,
        each_block_leads_to_its_slab,
        pointers_into_blocks_are_told_in_every_page,
        behind_the_last_block_of_a_slab_there_is_none,
        a_slab_is_carved_a_page_at_a_time_when_it_is_needed,
        pages_that_are_not_carved_stay_untouched,
        a_free_block_is_taken_before_another_page_is_carved,
        blocks_of_full_slabs_do_not_overlap,
        what_came_back_last_is_given_out_first,
        slabs_wait_in_the_order_in_which_their_first_block_came_back,
        all_but_one_empty_slab_of_a_class_go_back,
        a_page_that_went_back_serves_other_blocks,
        slabs_tile_without_a_gap,
        tags_and_headers_name_the_owner,
        all_free_blocks_of_a_slab_are_taken_at_once,
        a_slab_that_has_none_free_gives_a_page_of_them,
        free_blocks_have_keys_and_others_have_none,
        blocks_with_headers_begin_without_the_keys_that_lay_there,
        a_mini_that_grows_down_has_no_key_either,
        a_second_free_is_told_at_once_whatever_lies_between,
        a_small_block_is_resized_within_its_size_only,
        NULL};
    return run_tests("slab", slab_begin, tests);
}
