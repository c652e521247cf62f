/* fit_cas.c - one ordered list of free memory for all threads, with no lock.
 *
 *   thread 0 ─► malloc: CAS on a range's size ─┐
 *   thread 1 ─► free: CAS on a link ───────────┼─► list ─► ranges of the heap
 *   signal handler, child of fork: the same ───┘   fit_cas_list.h
 *
 * Free memory is in ranges, ordered by address, so that neighbours in memory
 * are neighbours in the list, and merge without a look at any block. Malloc
 * takes the first range that is large enough and cuts its end off by one CAS on
 * its size; the thread whose CAS makes it 0 has it all. Free inserts a range by
 * one CAS on the link before it. The pictures, and why no thread ever waits,
 * are in fit_cas_list.h.
 *
 * Each segment says how large a range in it may be, so that most are passed by
 * without a walk. That is a bound: raised after a range is listed, lowered by a
 * thread that has seen all of the segment, unless a range was listed meanwhile.
 *
 * Invariants, beside the list's (fit_cas_check)
 *   C2 no two ranges touch, and no range has more units than its segment says
 *   C3 used blocks, nodes and ranges tile the heap from end to end */
#include "designs/family.h"
#include "designs/large.h"
#include "mm.h"

#include "designs/fit_cas_list.h" /* its `word` is a type */

#define PURGE_UNITS (8192u) /* 128 KiB: smaller ranges keep their pages */
#define PURGE_SLACK ((size_t)64 << 20) /* bytes freed between two purges */
#define START (UNIT + UNIT / 2)        /* bytes before the first unit */
#define SMALL_STEP 8 /* a realloc by less than 1/8 is one of many to come */

static _Atomic size_t idle; /* bytes freed into large ranges since a purge */

/* ---- give ------------------------------------------------------------ */

/* List memory that nobody has, merged with what is free around it. A thread
 * that listed a range where others may be hidden looks again, and takes it back
 * to merge. Of two ranges that touch the first is claimed first: so that of two
 * threads that want both one gets on. @return units of the range */
static uint32_t give(uint32_t at, uint32_t units)
{
    struct node *n = NULL;
    struct range mine = {.units = 0}; /* as it is listed */
    bool late = false;
    for (;;) {
        struct neighbours near = look(at, units);
        if (near.before.units) {
            if (!claim(&near.before))
                continue;
            if (mine.units && !claim(&mine))
                units = 0; /* another thread has it now */
            at = near.before.at;
            units += near.before.units;
        } else if (near.after.units) {
            if (mine.units && !claim(&mine))
                return units;
            units += claim(&near.after) ? near.after.units : 0;
        } else if (mine.units) {
            return units;
        } else if (!late && !sentinel_of(segment_of(at))) {
            sentinel_make(segment_of(at));
            late = true; /* it may do without */
            continue;
        } else if (!n && !(n = node_new())) {
            nodes_make(at, units); /* no memory: this will do */
            return 0;
        } else {
            uint64_t body = node_link(n, &near.place, range_key(at), units);
            if (!body)
                continue;
            raise_most(segment_of(at), units);
            if (!near.hidden)
                return units;
            mine = (struct range){n, body, at, units};
            n = NULL;
            continue;
        }
        mine.units = 0;
    }
}

/* ---- take ------------------------------------------------------------ */

/* Units from the end of the first range of a segment that has enough. */
static uint32_t take_from(uint32_t segment, uint32_t units)
{
    word *most = most_of(segment);
    uint64_t seen = word_load(most), from = sentinel_key(segment);
    uint32_t largest = 0;
    struct place w;
    if (low(seen) < units)
        return 0;
    place_start(&w, segment);
    for (;;) {
        if (!place_read(&w)) {
            place_start(&w, segment);
            continue;
        }
        uint32_t has = low(w.body), at = (uint32_t)(w.key / 2);
        if (w.key >= sentinel_key(segment + 1))
            break;
        if (has >= units && w.key >= from) {
            if (!word_cas(&w.curr->body, w.body, w.body - units))
                continue;
            if (has == units)
                place_read(&w); /* unlinks it */
            return at + has - units;
        }
        if (w.key >= from && largest < has)
            largest = has;
        place_step(&w);
    }
    if (largest < low(seen))
        word_cas(most, seen, relink(seen, largest));
    return 0;
}

/* First fit. @return the first of these units; 0: there are not enough */
static uint32_t take(uint32_t units)
{
    uint32_t last = segment_of(end_unit(mem_brk()));
    for (uint32_t s = 0; s <= last; s++) {
        uint32_t at = take_from(s, units);
        if (at)
            return at;
    }
    return 0;
}

/* The same from new memory; a range at the heap's end counts. */
static uint32_t grow(uint32_t units)
{
    for (;;) {
        char *brk = mem_brk();
        uint32_t end = end_unit(brk);
        struct range r = look(end, 0).before;
        if (r.units && !claim(&r))
            continue;
        uint32_t at = end - r.units;
        if (r.units >= units) { /* it was freed just now */
            if (r.units > units)
                give(at + units, r.units - units);
            return at;
        }
        int extended = extend(brk, units - r.units);
        if (extended > 0)
            return at;
        if (r.units)
            give(at, r.units);
        if (extended < 0)
            return 0;
    }
}

/* ---- purge ----------------------------------------------------------- */

/* Give the pages of all large ranges back to the system. Such a range is the
 * last that begins in its segment. */
static void purge(void)
{
    uint32_t last = segment_of(end_unit(mem_brk()));
    for (uint32_t s = 0; s <= last; s++) {
        struct place w;
        if (low(word_load(most_of(s))) < PURGE_UNITS)
            continue;
        seek(&w, s, sentinel_key(s + 1));
        if (w.before.units < PURGE_UNITS || !claim(&w.before))
            continue;
        mem_purge(header_at(w.before.at), w.before.units * UNIT);
        give(w.before.at, w.before.units);
    }
}

/* Units were freed, and are in a range of `range` units now. */
static void purge_if_idle(uint32_t units, uint32_t range)
{
    size_t bytes = units * UNIT;
    size_t limit = max_size(PURGE_SLACK, mem_heapsize() / 2);
    if (range < PURGE_UNITS)
        return;
    size_t were = atomic_fetch_add_explicit(&idle, bytes, memory_order_relaxed);
    if (were <= limit && were + bytes > limit) {
        atomic_store_explicit(&idle, 0, memory_order_relaxed);
        purge();
    }
}

/* ---- the family ------------------------------------------------------ */

static uint32_t request_units(size_t size)
{
    size_t units = (size + sizeof(uint64_t) + UNIT - 1) / UNIT;
    return (uint32_t)max_size(units, MIN_UNITS);
}

static void *block_make(uint32_t at, uint32_t units)
{
    *header_at(at) = (uint64_t)units << 16 | IN_USE;
    return payload_at(at);
}

/* The first unit of the live block at p; dies if it is none, as far as that
 * shows. */
static uint32_t live_unit(const void *p)
{
    size_t off = (size_t)((const char *)p - mem_range.base);
    if (unlikely(off % UNIT || (off - 1) / UNIT >= mem_blocks() ||
                 (uint16_t)*header_at(unit_of(p)) != IN_USE))
        mm_die("not a live block: freed twice, or malloc never returned it", p);
    return unit_of(p);
}

static uint32_t block_units(uint32_t at)
{
    return (uint32_t)(*header_at(at) >> 16);
}

static void *design_memalign(size_t align, size_t size)
{
    void *p = size > HUGE_OVER ? large_malloc(align, size) : NULL;
    if (p || size >= MEM_ZONE || align >= MEM_ZONE)
        return p ? p : no_memory();
    uint32_t units = request_units(size);
    uint32_t all = units + (uint32_t)(align / UNIT) - 1;
    uint32_t at = take(all);
    if (!at && !(at = grow(all)))
        return no_memory();
    size_t skip = -(uintptr_t)payload_at(at) & (align - 1);
    uint32_t lead = (uint32_t)(skip / UNIT);
    if (lead)
        give(at, lead);
    if (lead + units < all)
        give(at + lead + units, all - lead - units);
    return block_make(at + lead, units);
}

static void *design_malloc(size_t size)
{
    return design_memalign(UNIT, size);
}

static void design_free(void *p)
{
    if (unlikely(!mem_in_range(p))) {
        large_free(p);
        return;
    }
    int saved = errno;
    uint32_t at = live_unit(p), units = block_units(at);
    *header_at(at) = 0;
    purge_if_idle(units, give(at, units));
    errno = saved;
}

static size_t design_usable(const void *p)
{
    return mem_in_range(p) ? block_units(live_unit(p)) * UNIT - sizeof(uint64_t)
                           : large_usable(p);
}

static bool design_fresh(const void *p)
{
    return !mem_in_range(p) && large_fresh(p);
}

/* May there be a range of this many units? */
static bool has_room(uint32_t units)
{
    uint32_t s = segment_of(end_unit(mem_brk()));
    while (s && low(word_load(most_of(s))) < units)
        s--;
    return low(word_load(most_of(s))) >= units;
}

/* Units behind a block, now one's own, so that it has what it wants; or 0. The
 * heap grows for a small step, or if there is no room to move the block to. */
static uint32_t annex(uint32_t at, uint32_t units, uint32_t want)
{
    struct place w;
    uint32_t end = at + units, more = want - units, free = 0;
    seek(&w, segment_of(end), range_key(end));
    struct range r = {w.curr, w.body, end, low(w.body)};
    if (w.key == range_key(end) && claim(&r))
        free = r.units;
    char *brk = mem_brk();
    if (free < more && end_unit(brk) == end + free &&
        (more < want / SMALL_STEP || !has_room(want)) &&
        extend(brk, more - free) > 0)
        return more;
    if (free && free < more) {
        give(end, free);
        return 0;
    }
    return free;
}

static void *design_resize(void *p, size_t size)
{
    if (!mem_in_range(p))
        return size > HUGE_OVER ? large_resize(p, size) : NULL;
    uint32_t at = live_unit(p), units = block_units(at);
    if (size > HUGE_OVER && size >= units * UNIT)
        return NULL;
    uint32_t want = request_units(size);
    if (want > units)
        units += annex(at, units, want);
    if (want > units)
        return NULL;
    if (want < units)
        give(at + want, units - want);
    return block_make(at, want);
}

/* ---- start, stop, check ---------------------------------------------- */

/* Unit 0 is nobody's: link 0 leads nowhere. */
static int fit_cas_init(void)
{
    if (cas.started)
        return 0;
    if (mem_init() != 0 || !tables_make(0) || !mem_sbrk(START))
        return -1;
    struct node *head = node_new();
    if (!head)
        return -1;
    word_init(&head->next, relink(word_load(&head->next), 0));
    sentinel_set(0, unit_of(head));
    cas.started = true;
    return 0;
}

static void fit_cas_fini(void)
{
    cas.started = false;
    memset(cas.tables, 0, sizeof cas.tables);
    word_init(&cas.pool, 0);
    atomic_store_explicit(&idle, 0, memory_order_relaxed);
    large_fini();
    mem_fini();
}

struct sums {
    size_t bad, nodes; /* met in the list */
};

/* C1, C2 of one node, after another that ends at `end`. */
static void node_check(struct node *n, uint64_t last, uint32_t end,
                       struct sums *s)
{
    uint64_t key = word_load(&n->key);
    uint32_t at = (uint32_t)(key / 2), units = low(word_load(&n->body));
    uint32_t segment = segment_of(at);
    s->nodes++;
    s->bad += broken(last != UINT64_MAX && key <= last, "C1 keys rise", n,
                     "not so at unit", at);
    if (!(key & 1))
        s->bad += broken(sentinel_of(segment) != unit_of(n), "C1 sentinel", n,
                         "not its segment's; unit", at);
    else
        s->bad += broken(units && at <= end, "C2 ranges touch", n,
                         "it is not merged, at unit", at) +
                  broken(units > low(word_load(most_of(segment))), "C2 most", n,
                         "more than its segment says; units", units);
}

/* Used blocks and nodes from `at` to `end`; counts nodes. */
static size_t tiles_check(uint32_t at, uint32_t end, size_t *nodes)
{
    while (at < end) {
        at = end_unit(mem_skip(header_at(at))); /* the break was there */
        if (at >= end)
            break;
        uint64_t header = *header_at(at);
        uint32_t units = (uint32_t)(header >> 16);
        bool used = (uint16_t)header == IN_USE;
        if (broken((!used && (uint16_t)header != HOLDS_NODES) || !units ||
                       units > end - at,
                   "C3 tiles", header_at(at), "no block begins here; header",
                   header))
            return 1;
        *nodes += used ? 0 : units / MIN_UNITS;
        at += units;
    }
    return 0;
}

static size_t fit_cas_check(void)
{
    struct sums s = {.bad = huge_check()};
    size_t made = 0;
    const char *first = mem_skip(mem_range.base);
    uint32_t at = end_unit(first + START), end = 0;
    uint32_t last_unit = end_unit(mem_brk());
    uint64_t last = UINT64_MAX;
    struct node *n = sentinel_from(0);
    for (; n && !s.bad; n = node_at(word_load(&n->next))) {
        uint32_t units = low(word_load(&n->body));
        node_check(n, last, end, &s);
        last = word_load(&n->key);
        if (s.bad || !units)
            continue;
        s.bad += tiles_check(at, (uint32_t)(last / 2), &made);
        at = end = (uint32_t)(last / 2) + units;
    }
    if (s.bad) /* what follows would be found by guessing */
        return s.bad;
    s.bad += tiles_check(at, last_unit, &made);
    for (n = node_at(word_load(&cas.pool)); n && s.nodes <= made; s.nodes++)
        n = node_at(word_load(&n->next));
    return s.bad + broken(s.nodes != made, "C4 nodes", &cas,
                          "not all listed or in the pool, but", s.nodes);
}

static void fit_cas_stats(struct mm_stats *out)
{
    size_t segments = segment_of(end_unit(mem_brk())) + 1;
    *out = (struct mm_stats){.heap = mem_heapsize(),
                             .heap_peak = mem_peak(),
                             .metadata = segments * sizeof(word),
                             .nmapped = huge_blocks(),
                             .mapped = huge_used()};
}

const struct mm_allocator mm_fit_cas = {
    .name = "fit-cas",
    .summary = "one ordered list of free memory for all threads, no lock",
    .init = fit_cas_init,
    .fini = fit_cas_fini,
    FAMILY,
    .check = fit_cas_check,
    .contains = heap_or_huge_contains,
    .stats = fit_cas_stats,
    .trim = huge_trim,
};
