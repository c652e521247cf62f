/* damage.h - for tests that damage an arena: does the check name it? And a heap
 * with blocks of all kinds to be damaged. */
#ifndef TESTS_DAMAGE_H
#define TESTS_DAMAGE_H

#include "tests/heap_test.h"

/* Does a line of said name this invariant at this place? */
static inline bool names(const char *invariant, const void *where)
{
    char start[64], place[64];
    snprintf(start, sizeof start, "mm_check: %s ", invariant);
    snprintf(place, sizeof place, ": at %p: ", where);
    for (const char *line = said; *line;) {
        const char *end = strchr(line, '\n');
        const char *at = strstr(line, place);
        if (strncmp(line, start, strlen(start)) == 0 && at && at < end)
            return true;
        line = end + 1;
    }
    return false;
}

/* The check counts at least one broken invariant: this one, at this place; and
 * it counts as many as it prints lines. */
static inline void ck_names(const char *invariant, const void *where)
{
    size_t bad = arena_check(), lines = 0;
    for (const char *s = said; (s = strchr(s, '\n')) != NULL; s++)
        lines++;
    ck_assert_uint_ge(bad, 1);
    ck_assert_msg(bad == lines, "%zu counted, but said: %s", bad, said);
    ck_assert_msg(names(invariant, where), "expected %s at %p, but it said: %s",
                  invariant, where, said);
}

/* Live heap of every kind of block: used, free large and small, a free mini,
 * a victim, an unpurged block that counts as dirty. */
static struct {
    struct block *used, *listed, *after_listed; /* large: 2000 bytes */
    struct block *mini, *after_mini;
    struct block *dirty;
} live;

static inline struct block *take_block(size_t size)
{
    return payload_block(take(size, 'x'));
}

static inline void fill_heap(void)
{
    take_block(100);
    live.dirty = take_block(PURGE_MIN);
    live.used = take_block(2000);
    live.listed = take_block(2000);
    live.after_listed = take_block(2000);
    take_block(2000);
    live.mini = take_block(0);
    live.after_mini = take_block(0);
    struct block *cut = take_block(500);
    take_block(100);
    give_back(block_payload(cut));
    take_block(40); /* from cut, whose rest is the victim */
    give_back(block_payload(live.dirty));
    give_back(block_payload(live.listed));
    give_back(block_payload(live.mini));
    ck_assert_uint_eq(block_size(live.mini), MIN_BLOCK);
    ck_assert_ptr_nonnull(heap->fit.victim);
    ck_assert_uint_gt(heap->dirty, 0);
    ck_healthy();
}

static inline struct block *region_first(void)
{
    return (struct block *)(heap_region(heap, heap->regions) + 1);
}

static inline struct block *region_last(void)
{
    const struct region *r = heap_region(heap, heap->regions);
    return (struct block *)(region_end(r) - HEADER_SIZE);
}

#endif
