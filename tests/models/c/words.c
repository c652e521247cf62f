/* words.c - front/huge_table.h: the word of a slot. Two threads free the same
 * block, one of them by mistake; who gets it makes another, shorter one there,
 * which may be freed by mistake, too. SIDE: memlib.c's mem_side_free, the same
 * of a block of memside.h. What lies in a block is a plain word. */
#include "checked.h"

#ifdef SIDE
#include "memside.h"

struct mem_range mem_range;
static struct {
    struct {
        _Atomic size_t brk;
    } records;
    struct sides *sides;
} mem;
static struct sides sides;
static _Alignas(64) struct {
    struct side side;
    char rest[48];
} block;

static size_t mark_get(const _Atomic size_t *m)
{
    return atomic_load_explicit(m, memory_order_relaxed);
}

#include "extracted_side_free.h"

static int frees[2];

static void *free_it(void *n)
{
    frees[(intptr_t)n] = mem_side_free(&block.side + 1);
    return NULL;
}

int main(void)
{
    body *const bodies[] = {free_it, free_it};
    mem_range.records = (char *)&block;
    mem.sides = &sides;
    atomic_store_explicit(&mem.records.brk, 64, memory_order_relaxed);
    char *p = side_make((char *)&block, SIDE_LOG2_MIN, 1);
    assert(p == (char *)(&block.side + 1));
    run_all(bodies, 2);
    assert(frees[0] + frees[1] == 1);
    assert(sides_pop(&sides.heads[SIDE_LOG2_MIN]) == (char *)&block);
    assert(!sides_pop(&sides.heads[SIDE_LOG2_MIN]));
    return 0;
}
#else
#define count_rmw() ((void)0)
#define SLOT_LOG2 22
#define HUGE_PAGE_LOG2 12
#define SLOT_PAGES_LOG2 (SLOT_LOG2 - HUGE_PAGE_LOG2)
#define WORD_FREED ((uint64_t)1 << 63)
#define BLOCK ((void *)((uintptr_t)3 << SLOT_LOG2))
#define BYTES ((size_t)2 << SLOT_LOG2)

static _Atomic uint64_t word;
static struct {
    _Atomic size_t bytes, blocks;
} huge;

static _Atomic uint64_t *word_at(const void *p)
{
    assert(p == BLOCK);
    return &word;
}

#include "extracted_words.h"

static int owned; /* plain: whoever has taken the block out has it */

static void *free_it(void *unused)
{
    size_t bytes = word_take(BLOCK);
    if (bytes) {
        owned++;
        assert(bytes == BYTES && huge_freed(BLOCK));
    }
    return unused;
}

static void *look(void *unused)
{
    size_t bytes = huge_usable(BLOCK);
    assert(bytes == 0 || bytes == BYTES);
    return unused;
}

int main(void)
{
    body *const bodies[] = {free_it, free_it, look};
    word_put(BLOCK, BYTES);
    run_all(bodies, 3);
    assert(owned == 1 && huge.bytes == 0 && huge.blocks == 0);
    assert(huge_freed(BLOCK) && !huge_usable(BLOCK));
    return 0;
}
#endif
