/* account.c - see account.h.
 *
 * A mapping is noted after it was made and struck out before it goes: another
 * thread may have the addresses at once. */
#include "driver/check/account.h"

#include "driver/base/registry.h"
#include "driver/check/spans.h"
#include "memlib.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>

/* memlib's own, which is compiled under these names. */
void *memlib_map(size_t size, size_t align);
bool memlib_map_at(void *at, size_t size);
void *memlib_remap(void *p, size_t old_size, size_t new_size);
void memlib_unmap(void *p, size_t size);

static struct {
    struct spans *mapped;   /* NULL: not open */
    const char *start;      /* of the heap; NULL: not known yet */
    _Atomic size_t peak;    /* bytes */
    bool stranger;          /* handed in: records count, too */
    _Atomic bool strangers; /* given back, but never mapped */
} account;

static size_t heap_now(void)
{
    size_t grown = account.start ? mem_sizes().heap : 0;
    size_t records = account.stranger && account.start ? mem_recordsize() : 0;
    return grown + records + spans_bytes(account.mapped);
}

static void note_peak(void)
{
    size_t now = heap_now();
    size_t old = atomic_load_explicit(&account.peak, memory_order_relaxed);
    while (old < now && !atomic_compare_exchange_weak_explicit(
                            &account.peak, &old, now, memory_order_relaxed,
                            memory_order_relaxed))
        ;
}

size_t account_peak(void)
{
    if (!account.mapped)
        return 0;
    note_peak();
    return atomic_load_explicit(&account.peak, memory_order_relaxed);
}

size_t account_place(const void *p)
{
    size_t at = (size_t)((const char *)p - account.start);
    if ((const char *)p >= account.start && mem_contains(p, 1))
        return at;
    return SIZE_MAX / 2 + (uintptr_t)p % mem_pagesize();
}

/* ---- mappings ------------------------------------------------------------ */

static size_t to_pages(size_t size)
{
    size_t page = mem_pagesize();
    return (size + page - 1) & ~(page - 1);
}

static void came(void *p, size_t size)
{
    if (!spans_add(account.mapped, p, to_pages(size)))
        atomic_store(&account.strangers, true);
}

/* @return false: it is not all of mem_map's, and stays as it is. */
static bool goes(void *p, size_t size)
{
    note_peak();
    bool good = spans_remove(account.mapped, p, to_pages(size));
    if (!good)
        atomic_store(&account.strangers, true);
    return good;
}

void *mem_map(size_t size, size_t align)
{
    void *p = memlib_map(size, align);
    if (p && account.mapped)
        came(p, size);
    return p;
}

bool mem_map_at(void *at, size_t size)
{
    bool mapped = memlib_map_at(at, size);
    if (mapped && account.mapped &&
        !spans_append(account.mapped, at, to_pages(size)))
        atomic_store(&account.strangers, true);
    return mapped;
}

void *mem_remap(void *p, size_t old_size, size_t new_size)
{
    bool noted = account.mapped && goes(p, old_size);
    void *q = memlib_remap(p, old_size, new_size);
    if (noted)
        came(q ? q : p, q ? new_size : old_size);
    return q;
}

void mem_unmap(void *p, size_t size)
{
    if (!account.mapped || goes(p, size))
        memlib_unmap(p, size);
}

void account_check(const struct mm_allocator *a, struct fault *fault)
{
    if (atomic_load(&account.strangers))
        fault_set(fault, FAULT_OUTSIDE, UINT_MAX,
                  "%s: it gave mem_unmap or mem_remap memory that mem_map did "
                  "not give; expected what mem_map returned, or pages of it",
                  a->name);
}

/* ---- in the allocator's place -------------------------------------------- */

static bool contains(const void *p, size_t size)
{
    note_peak();
    return ((const char *)p >= account.start && mem_contains(p, size)) ||
           spans_hold(account.mapped, p, size);
}

static void stats(struct mm_stats *out)
{
    *out = (struct mm_stats){.heap = heap_now(),
                             .heap_peak = account_peak(),
                             .metadata = mem_recordsize()};
}

struct mm_allocator account_open(const struct mm_allocator *a)
{
    struct mm_allocator own = *a;
    if (!registry_is_ours(a))
        return own;
    if (!account.mapped)
        account.mapped = spans_new();
    account.stranger = registry_is_stranger(a);
    own.contains = contains;
    own.small_align = false;
    if (!registry_counts_itself(a))
        own.stats = stats;
    return own;
}

void account_started(void)
{
    account.start = mem_range.base;
}
