/* test_fit_cas.c - fit-cas from inside: how ranges merge, what comes late, and
 * whether the check names each kind of damage. */
#include "tests/fit_cas_test.h"

#include <sys/mman.h>

/* Ranges in the list, and the largest of them. */
static size_t ranges(uint32_t *largest)
{
    size_t n = 0;
    *largest = 0;
    for (struct node *at = sentinel_from(0); at;
         at = node_at(word_load(&at->next))) {
        uint32_t units = low(word_load(&at->body));
        n += units > 0;
        *largest = units > *largest ? units : *largest;
    }
    return n;
}

/* ---- ranges ------------------------------------------------------------ */

START_TEST(what_is_freed_in_any_order_merges)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (int i = 0; i < 6; i++) {
        void *blocks[3] = {take_block(100 * KIB), take_block(100),
                           take_block(20 * KIB)};
        void *wall = take_block(1);
        uint32_t largest;
        for (int k = 0; k < 3; k++)
            mm->free(blocks[orders[i][k]]);
        ranges(&largest);
        ck_assert_uint_ge(largest, 120 * KIB / UNIT);
        ck_healthy();
        mm->free(wall);
    }
}
END_TEST

/* The range is seen from both sides of a segment's start. */
START_TEST(ranges_merge_across_segments)
{
    enum { N = 300 };
    static void *blocks[N];
    uint32_t largest;
    for (int i = 0; i < N; i++)
        blocks[i] = take_block(1000);
    void *wall = take_block(1);
    for (int i = 0; i < N; i += 2)
        mm->free(blocks[i]);
    ck_assert_uint_ge(ranges(&largest), N / 2);
    ck_healthy();
    for (int i = N - 1; i > 0; i -= 2)
        mm->free(blocks[i]);
    ranges(&largest);
    ck_assert_uint_ge(largest, N * 63);
    ck_healthy();
    mm->free(wall);
}
END_TEST

START_TEST(the_first_range_is_cut_at_its_end)
{
    char *first = take_block(1000), *wall = take_block(1000);
    char *second = take_block(1000);
    take_block(1);
    mm->free(second);
    mm->free(first);
    char *p = take_block(100);
    ck_assert_ptr_eq(p, first + 1008 - 112);
    ck_assert_ptr_eq(take_block(100), p - 112);
    (void)wall;
    ck_healthy();
}
END_TEST

START_TEST(realloc_takes_what_is_free_behind)
{
    char *p = take_block(1000), *next = take_block(5000);
    take_block(1);
    mm->free(next);
    ck_assert_ptr_eq(mm->realloc(p, 5000), p);
    ck_assert_ptr_eq(mm->realloc(p, 200), p);
    char *last = take_block(20 * KIB); /* at the heap's end */
    ck_assert_ptr_eq(mm->realloc(last, 21 * KIB), last);
    ck_healthy();
}
END_TEST

/* ---- what comes late --------------------------------------------------- */

/* A thread that read a place and slept: its CAS fails, its walk starts anew. */
START_TEST(late_steps_and_claims_fail)
{
    char *p = take_block(1000);
    take_block(1);
    mm->free(p);
    struct place late;
    uint32_t at = unit_of(p);
    seek(&late, 0, range_key(at));
    ck_assert_uint_eq(late.key, range_key(at));
    struct range range = {late.curr, late.body, at, low(late.body)};
    ck_assert_ptr_eq(take_block(1000), p); /* all of it: the node is unlinked */
    ck_assert(!claim(&range));
    mm->free(p); /* the same memory again, perhaps by the same node */
    ck_assert(!claim(&range));
    struct node *n = node_new();
    ck_assert_uint_eq(node_link(n, &late, range_key(at - 1), 1), 0);
    late.prev = late.curr;
    late.link = late.next;
    ck_assert(!place_read(&late));
    pool_push(n);
    ck_healthy();
}
END_TEST

/* Whoever dies between two steps leaves a range that nobody has, or a dead
 * node; others go on. */
START_TEST(a_dead_node_is_unlinked_by_who_comes_by)
{
    char *p = take_block(1000);
    take_block(1);
    mm->free(p);
    struct place w;
    seek(&w, 0, range_key(unit_of(p)));
    struct range r = {w.curr, w.body, unit_of(p), low(w.body)};
    ck_assert(claim(&r)); /* and no more */
    struct node *dead = w.curr;
    *header_at(r.at) = (uint64_t)r.units << 16 | IN_USE;
    ck_healthy(); /* it is as a used block */
    seek(&w, 0, range_key(unit_of(p)) + 1);
    ck_assert_ptr_ne(w.curr, dead);
    ck_assert_uint_ne(word_load(&dead->next) & MARK, 0);
    ck_healthy();
}
END_TEST

/* ---- misuse and damage ------------------------------------------------- */

static char *victim;

static void free_twice(void)
{
    mm->free(victim);
    mm->free(victim);
}

static void free_the_middle(void)
{
    mm->free(victim + 16);
}

static void free_elsewhere(void)
{
    mm->free(&victim);
}

START_TEST(misuse_is_named)
{
    victim = memset(take_block(100), 0, 100);
    ck_dies(free_twice, "not a live block");
    ck_dies(free_the_middle, "not a live block");
    ck_dies(free_elsewhere, "not a live block");
    ck_healthy();
}
END_TEST

START_TEST(the_check_names_damage)
{
    char *p = take_block(1000), *q = take_block(1000);
    mm->free(p);
    ck_healthy();
    struct place w;
    seek(&w, 0, range_key(unit_of(p)));
    word_init(&w.curr->key, 0);
    ck_names(mm, "C1 keys rise");
    word_init(&w.curr->key, w.key);
    uint32_t sentinel = sentinel_of(0);
    uint64_t most = word_load(most_of(0));
    word_init(most_of(0), 1);
    ck_names(mm, "C2 most");
    word_init(most_of(0), most);
    word_init(&w.curr->body, w.body - 1);
    ck_names(mm, "C3 tiles");
    word_init(&w.curr->body, w.body);
    *header_at(unit_of(q)) += 1 << 16;
    ck_names(mm, "C3 tiles");
    *header_at(unit_of(q)) -= 1 << 16;
    struct node *lost = pool_pop();
    ck_names(mm, "C4 nodes");
    pool_push(lost);
    uint64_t link = node_link(lost, &w, sentinel_key(0), 0);
    ck_assert_uint_ne(link, 0);
    ck_names(mm, "C1 keys rise");
    sentinel_set(0, sentinel);
}
END_TEST

START_TEST(the_check_names_ranges_that_touch)
{
    char *p = take_block(1000);
    take_block(1);
    mm->free(p);
    struct place w;
    uint32_t at = unit_of(p), units;
    seek(&w, 0, range_key(at));
    units = low(w.body);
    word_init(&w.curr->body, w.body - 10);
    seek(&w, 0, range_key(at + units - 10));
    ck_assert_uint_ne(node_link(node_new(), &w, range_key(at + units - 10), 10),
                      0);
    ck_names(mm, "C2 ranges touch");
}
END_TEST

/* Tags that cannot be had: their part of the heap is left out, and no look for
 * a sentinel goes there. */
START_TEST(ranges_are_found_on_both_sides_of_a_jump)
{
    enum { N = 60 };
    char *blocks[N];
    void *way = mem_range.pages + (MEM_TAGGED >> MEM_GRAIN_LOG2);
    ck_assert_ptr_eq(mmap(way, 4 * KIB, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                          0),
                     way);
    for (int i = 0; i < N; i++) {
        blocks[i] = take_block(2 * MIB);
        blocks[i][0] = 1;
    }
    ck_assert((char *)mem_brk() > mem_range.base + 2 * MEM_TAGGED);
    for (int i = 0; i < N; i++)
        mm->free(blocks[i * 7 % N]);
    ck_healthy();
    mm->free(take_block(20 * MIB));
    ck_healthy();
}
END_TEST

START_TEST(the_heap_may_begin_behind_a_jump)
{
    mm->fini();
    ck_assert_int_eq(mem_init(), 0);
    ck_assert_ptr_eq(mmap(mem_range.base, 4 * KIB, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                          0),
                     mem_range.base);
    set_up();
    char *p = take_block(1000), *q = take_block(1000);
    ck_assert((size_t)(p - mem_range.base) > 4 * KIB);
    ck_healthy();
    mm->free(p);
    mm->free(q);
    ck_healthy();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {ranges_are_found_on_both_sides_of_a_jump,
                                  the_heap_may_begin_behind_a_jump,
                                  what_is_freed_in_any_order_merges,
                                  ranges_merge_across_segments,
                                  the_first_range_is_cut_at_its_end,
                                  realloc_takes_what_is_free_behind,
                                  late_steps_and_claims_fail,
                                  a_dead_node_is_unlinked_by_who_comes_by,
                                  misuse_is_named,
                                  the_check_names_damage,
                                  the_check_names_ranges_that_touch,
                                  NULL};
    return run_tests("fit-cas", set_up, tests);
}
