/* oracle_block.c - where a block lies and what its bytes are. */
#include "driver/check/oracle_inside.h"
#include "driver/check/pattern.h"
#include "driver/check/shadow.h"

#include <stdio.h>

#define MIN_ALIGN ((size_t)16)
#define SMALL_ALIGN                                                            \
    ((size_t)8) /* SHADOW_GRANULE can tell such blocks apart                   \
                 */

static bool place_is_right(const struct call *c, unsigned char *p, size_t size)
{
    const struct mm_allocator *a = c->o->a;
    size_t align = a->small_align && size < MIN_ALIGN ? SMALL_ALIGN : MIN_ALIGN;
    if (c->op->kind == TRACE_MEMALIGN && (size_t)1 << c->op->align > align)
        align = (size_t)1 << c->op->align;
    if ((uintptr_t)p % align != 0)
        return fail(c, FAULT_ALIGN, "%p is not a multiple of %zu", (void *)p,
                    align);
    if (!shadow_covers(p, size))
        return fail(c, FAULT_OUTSIDE, "%p is no address that a program has",
                    (void *)p);
    return true;
}

/* How many of the block's bytes, from its start on, are inside the heap? */
static size_t inside_bytes(const struct mm_allocator *a, const void *p,
                           size_t size)
{
    size_t low = 0, high = size; /* low bytes are inside, high are not */
    if (!a->contains(p, 1))
        return 0;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (a->contains(p, middle))
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Not all inside the heap; if it is another block's memory, too, that is what
 * is told first. */
static bool fail_outside(const struct call *c, unsigned char *p, size_t size)
{
    size_t inside = inside_bytes(c->o->a, p, size);
    char beyond[96] = "";
    uint32_t clash = 0;
    if (inside)
        snprintf(beyond, sizeof beyond,
                 "; and %zu of its bytes lie beyond the heap's end",
                 size - inside);
    if (!shadow_claim(c->o->shadow, p, size, c->key, &clash))
        return fail_overlap(c, "payload", clash, beyond);
    shadow_release(c->o->shadow, p, size);
    if (inside)
        return fail(c, FAULT_OUTSIDE,
                    "%zu bytes at %p reach beyond the heap's end: %zu of its "
                    "bytes are not the allocator's",
                    size, (void *)p, size - inside);
    return fail(c, FAULT_OUTSIDE,
                "%zu bytes at %p are not inside the allocator's heap, which is "
                "what mem_sbrk, mem_extend and mem_map gave it (memlib.h)",
                size, (void *)p);
}

static bool usable_is_right(const struct call *c, unsigned char *p, size_t size,
                            size_t usable)
{
    const struct mm_allocator *a = c->o->a;
    if (usable < size)
        return fail(c, FAULT_USABLE,
                    "usable_size(%p) is %zu, expected at least %zu", (void *)p,
                    usable, size);
    if (!shadow_covers(p, usable) || (a->contains && !a->contains(p, usable)))
        return fail(c, FAULT_USABLE,
                    "usable_size(%p) is %zu: these bytes are not all inside "
                    "the allocator's heap",
                    (void *)p, usable);
    return true;
}

/* A block is claimed in two pieces, so that its payload is known to be its own
 * before usable_size, which may read a header, is asked:
 *
 *      p                 p + size      p + usable
 *      | payload ......... | . slack ...... |
 *      |<--- claimed first --->|<- second ->|     cut at a granule */
static size_t slack_start(size_t size)
{
    size_t whole = size ? size : 1;
    return (whole + SHADOW_GRANULE - 1) / SHADOW_GRANULE * SHADOW_GRANULE;
}

static bool claim(const struct call *c, unsigned char *p, size_t size)
{
    uint32_t clash = 0;
    return shadow_claim(c->o->shadow, p, size, c->key, &clash) ||
           fail_overlap(c, "payload", clash, "");
}

static bool claim_slack(const struct call *c, unsigned char *p, size_t size)
{
    size_t usable = c->o->a->usable_size(p), start = slack_start(size);
    uint32_t clash = 0;
    if (!usable_is_right(c, p, size, usable))
        return false;
    atomic_store_explicit(&c->b->usable, usable, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->o->asked, size, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->o->slack, usable - size,
                              memory_order_relaxed);
    return usable <= start ||
           shadow_claim(c->o->shadow, p + start, usable - start, c->key,
                        &clash) ||
           fail_overlap(c, "usable_size", clash, "");
}

bool block_accept(const struct call *c, unsigned char *p, size_t size)
{
    struct oracle_block *b = c->b;
    atomic_store_explicit(&b->size, size, memory_order_relaxed);
    atomic_store_explicit(&b->usable, size, memory_order_relaxed);
    atomic_store_explicit(&b->line, c->line, memory_order_relaxed);
    atomic_store_explicit(&b->thread, c->thread, memory_order_relaxed);
    atomic_store_explicit(&b->p, p, memory_order_relaxed);
    const struct mm_allocator *a = c->o->a;
    if (!c->o->level)
        return true;
    if (!place_is_right(c, p, size))
        return false;
    if (a->contains && !a->contains(p, size))
        return fail_outside(c, p, size);
    return claim(c, p, size) && claim_slack(c, p, size);
}

void block_release(const struct call *c)
{
    unsigned char *p = block_p(c->b);
    size_t size = block_size(c->b), usable = block_usable(c->b);
    size_t start = slack_start(size);
    if (!c->o->level)
        return;
    shadow_release(c->o->shadow, p, size);
    if (usable > start)
        shadow_release(c->o->shadow, p + start, usable - start);
}

/* Different for each block, thread, and operation that made one. */
static uint64_t seed_of(const struct call *c)
{
    uint64_t x = ((uint64_t)c->key << 32 | c->line) + c->thread;
    x = (x ^ x >> 31) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 29) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 32;
}

/* Of the bytes past the payload only the last usable one is written: enough to
 * do damage if it is not ours, and to see damage if it is. Not in a block of 0
 * bytes: a sanitizer's malloc(0) has one usable byte that must not be used. */
static bool has_last_byte(const struct oracle_block *b)
{
    return block_size(b) > 0 && block_usable(b) > block_size(b);
}

static unsigned char last_byte(const struct oracle_block *b)
{
    return (unsigned char)~b->seed;
}

void block_fill(const struct call *c)
{
    struct oracle_block *b = c->b;
    unsigned char *p = block_p(b);
    size_t size = block_size(b);
    if (!c->o->level)
        return;
    b->seed = seed_of(c);
    pattern_fill(p, size, b->seed);
    if (has_last_byte(b))
        p[block_usable(b) - 1] = last_byte(b);
}

static bool fail_byte(const struct call *c, enum fault_kind kind, size_t at,
                      unsigned want, const char *what)
{
    const struct oracle_block *b = c->b;
    const unsigned char *p = block_p(b);
    return fail(c, kind,
                "%s: byte %zu of %zu at %p (thread %u, line %u) is 0x%02x, "
                "expected 0x%02x",
                what, at, block_size(b), (const void *)p,
                atomic_load_explicit(&b->thread, memory_order_relaxed),
                atomic_load_explicit(&b->line, memory_order_relaxed), p[at],
                want);
}

bool block_zero(const struct call *c)
{
    if (!c->o->level)
        return true;
    size_t bad = pattern_check_zero(block_p(c->b), block_size(c->b));
    return bad == PATTERN_OK ||
           fail_byte(c, FAULT_DIRTY, bad, 0, "calloc'ed but not zero");
}

bool block_intact(const struct call *c)
{
    const struct oracle_block *b = c->b;
    const unsigned char *p = block_p(b);
    size_t size = block_size(b);
    if (!c->o->level)
        return true;
    size_t bad = pattern_check(p, size, b->seed, size);
    if (bad != PATTERN_OK)
        return fail_byte(c, FAULT_DATA, bad, pattern_byte(b->seed, bad),
                         "its data changed while it was live");
    if (has_last_byte(b) && p[block_usable(b) - 1] != last_byte(b))
        return fail_byte(c, FAULT_DATA, block_usable(b) - 1, last_byte(b),
                         "its last usable byte changed while it was live");
    return true;
}

bool block_kept(const struct call *c, size_t old_size, uint64_t seed)
{
    size_t size = block_size(c->b);
    if (!c->o->level)
        return true;
    size_t bad = pattern_check(block_p(c->b), old_size, seed,
                               size < old_size ? size : old_size);
    return bad == PATTERN_OK ||
           fail_byte(c, FAULT_REALLOC, bad, pattern_byte(seed, bad),
                     "realloc lost data");
}
