/* buddy.c - binary buddies in an arena per thread: `buddy`, `buddy-plain`.
 *
 *   thread 0 ─► arena 0 ─► tree ─► region ─► region      quick lists of small
 *                 ▲ inbox ◄─┐                            blocks in front
 *   thread 1 ─► arena 1 ────┘  a block of arena 0, freed by thread 1
 *
 * How blocks are found, split and merged is in buddy_tree.h. Here is which
 * thread may do it: only its owner touches an arena's tree and quick lists, so
 * nothing is locked. A thread that frees another's block pushes it to that
 * arena's inbox with one CAS; the owner takes all with one exchange before it
 * splits what it has or takes clean memory. `buddy-plain` has no sizes between
 * the powers of two: that is the whole difference.
 *
 * An arena has one large region, and another only if that is full; blocks of
 * more than 4 MiB are mappings of their own, large.h. An arena's struct stands
 * in the header of its first region. Nothing is reserved: a region's header is
 * mapped first, then blocks and their metadata, a piece at a time; if something
 * of others lies in the way, the region ends there.
 *
 * Invariants, beside the tree's
 *   B6 a block in a quick list is marked used, with the list's byte
 *   B7 region->arena never changes: any thread may ask who owns a block */
#include "designs/buddy_tree.h"
#include "designs/family.h"
#include "designs/large.h"
#include "designs/owner.h"
#include "mm.h"

#define QUICK_BYTES 64            /* quick lists are for blocks below order 8 */
#define QUICK_UNITS ((size_t)256) /* in one list at most, and 4 blocks more */
#define SLACK ((size_t)4 << 20)   /* bytes that may stay idle in any arena */
#define GATHER_ORDER 10 /* smaller pieces are not worth a system call each */
#define SMALL_ORDER 12  /* requests of 64 KiB and less take the short way */
#define ADDRESS_BITS 47
#define PIECE ((size_t)256 << 10) /* bytes that are mapped at once, or more */
#define REGION_TRIES 1000         /* places where something else is */

struct quick {
    struct freed *head;
    size_t n;
};

struct arena {
    struct owner owner;
    struct region *regions;
    size_t told;       /* bytes of this that the tally of all has counted */
    const void *fresh; /* the last block that was cut, if it was zero */
    struct tree tree;
    struct quick quick[QUICK_BYTES];
    struct inbox inbox
        __attribute__((aligned(CACHE_LINE))); /* others write here */
};

struct region {
    char unit0; /* stays 0: see tree_add */
    struct arena *arena;
    struct region *next;
    char *end;          /* of the blocks that are mapped */
    struct arena first; /* the arena that began here, if one did */
};

_Static_assert(sizeof(struct region) <= 4096, "the header is one page");

enum variant { BUDDY, BUDDY_PLAIN };

/* For each multiple of a region's size: is there a region? Relaxed: a thread
 * that asks about a live block has synchronized with its maker, and about any
 * other address the answer is the same before and after. */
static _Atomic bool known[(size_t)1 << (ADDRESS_BITS - REGION_LOG2)];

static inline struct region *region_of(const void *p)
{
    return (struct region *)((uintptr_t)p & ~forest.mask);
}

static inline bool in_region(const void *p)
{
    return (uintptr_t)p >> ADDRESS_BITS == 0 &&
           atomic_load_explicit(&known[(uintptr_t)p >> forest.shift],
                                memory_order_relaxed);
}

static void region_known(const struct region *r, bool is)
{
    atomic_store_explicit(&known[(uintptr_t)r >> forest.shift], is,
                          memory_order_relaxed);
}

/* ---- regions and arenas ---------------------------------------------- */

/* Where the next region may be: from the heap's window on downwards. */
static _Atomic uintptr_t region_next;

static inline char *blocks_start(struct region *r)
{
    return (char *)r + (forest.mask + 1) / UNIT;
}

/* The byte of a place in r, or of its end: then that is not mapped as such. */
static inline char *byte_in(struct region *r, const char *p)
{
    return (char *)r + (size_t)(p - (char *)r) / UNIT;
}

/* The end of the bytes that are mapped: a page beyond what there are blocks
 * for, unless that is where blocks begin. */
static inline char *bytes_end(struct region *r)
{
    char *end = byte_in(r, r->end) + mem_pagesize(), *most = blocks_start(r);
    return end < most ? end : most;
}

/* A region's header, and the bytes of its first blocks, none of which is mapped
 * yet. @return false, errno: there is something, or no memory */
static bool region_begin(struct region *r)
{
    size_t page = mem_pagesize();
    if (!mem_map_at(r, page))
        return false;
    if (!mem_map_at(byte_in(r, blocks_start(r)), page)) {
        int saved = errno;
        mem_unmap(r, page);
        errno = saved;
        return false;
    }
    r->end = blocks_start(r);
    return true;
}

static struct region *region_new(void)
{
    int saved = errno;
    for (int i = 0; i < REGION_TRIES; i++) {
        struct region *r = (struct region *)atomic_fetch_sub_explicit(
            &region_next, forest.mask + 1, memory_order_relaxed);
        if (region_begin(r)) {
            errno = saved;
            region_known(r, true);
            tally_add(&held, sizeof *r);
            return r;
        }
        if (errno != EEXIST)
            break;
    }
    errno = ENOMEM;
    return NULL;
}

static void arena_add(struct arena *a, struct region *r)
{
    r->arena = a;
    r->next = a->regions;
    a->regions = r;
}

/* Have blocks of r mapped up to `to`. errno is kept */
static bool region_map(struct region *r, char *to)
{
    int saved = errno;
    char *from = r->end, *bytes = bytes_end(r);
    if (!mem_map_at(from, (size_t)(to - from))) {
        errno = saved;
        return false;
    }
    r->end = to;
    size_t more = (size_t)(bytes_end(r) - bytes);
    if (more == 0 || mem_map_at(bytes, more))
        return true;
    r->end = from;
    mem_unmap(from, (size_t)(to - from));
    errno = saved;
    return false;
}

/* Map more of the arena's newest region, so that it has a clean block of this
 * order: the more, the more there is. @return false: there is no room */
static bool region_grow(struct arena *a, unsigned order)
{
    struct region *r = a->regions;
    size_t grain = mem_pagesize() * UNIT; /* whole pages of bytes */
    size_t had = (size_t)(r->end - (char *)r), most = forest.mask + 1;
    size_t ahead = (had - most / UNIT) / 16, bytes = order_bytes(order);
    size_t need = round_up(round_up(had, bytes) + bytes, grain);
    if (need > most)
        return false;
    size_t want = round_up(had + max_size(ahead, PIECE), grain);
    want = min_size(max_size(need, want), most);
    char *from = r->end, *base = (char *)r;
    if (!region_map(r, base + want) &&
        (want == need || !region_map(r, base + need)))
        return false;
    tree_add(&a->tree, from, r->end);
    return true;
}

static struct owner *design_owner_new(void)
{
    struct region *r = region_new();
    if (!r)
        return NULL;
    arena_add(&r->first, r);
    return &r->first.owner;
}

/* Metadata is part of the heap: a byte for each unit that is not clean. */
static void tell(struct arena *a)
{
    size_t now = a->tree.held + a->tree.held / UNIT;
    if (now != a->told)
        tally_add(&held, now - a->told);
    a->told = now;
}

/* ---- free ------------------------------------------------------------ */

static void quick_flush(struct arena *a, unsigned byte)
{
    struct freed *f = a->quick[byte].head;
    a->quick[byte] = (struct quick){0};
    for (struct freed *next; f; f = next) {
        next = f->next;
        tree_release(&a->tree, (char *)f);
    }
}

static void quick_flush_all(struct arena *a)
{
    for (unsigned byte = 0; byte < QUICK_BYTES; byte++)
        if (a->quick[byte].head)
            quick_flush(a, byte);
}

static always_inline void quick_push(struct arena *a, unsigned byte, void *p)
{
    struct quick *q = &a->quick[byte];
    struct freed *f = p;
    if (unlikely(q->head == f))
        mm_die("double free", p);
    f->next = q->head;
    q->head = f;
    if (unlikely(++q->n > 4 + (QUICK_UNITS >> (byte >> 3))))
        quick_flush(a, byte);
}

/* Free a block of this byte in its owner's arena. */
static always_inline void arena_free(struct arena *a, void *p, uint8_t byte)
{
    if (likely(byte < QUICK_BYTES))
        quick_push(a, byte, p);
    else
        tree_release(&a->tree, p);
    if (unlikely(a->tree.idle > max_size(SLACK, a->tree.held / 2))) {
        tree_purge(&a->tree, 0);
        tell(a);
    }
}

static void arena_drain(struct arena *a)
{
    struct freed *f = inbox_take_owner(&a->inbox);
    for (struct freed *next; f; f = next) {
        next = f->next;
        arena_free(a, f, *byte_of(f));
    }
}

static void design_owner_leave(struct owner *o)
{
    struct arena *a = (struct arena *)o;
    arena_drain(a);
    quick_flush_all(a);
    tree_purge(&a->tree, 0);
    tell(a);
}

/* ---- malloc ---------------------------------------------------------- */

/* Have a free block of at least this order, from what costs least.
 * @return false: no memory is left */
static cold_noinline bool arena_gather(struct arena *a, unsigned order)
{
    struct tree *t = &a->tree;
    quick_flush_all(a);
    if (order >= PAGE_ORDER && t->idle > t->held / 8)
        tree_purge(t, GATHER_ORDER); /* what does not fit costs nothing */
    if (tree_has(t, FREE, order) || tree_has(t, CLEAN, order))
        return true;
    if (region_grow(a, order))
        return true;
    tree_purge(t, 0); /* clean buddies merge with those that were not */
    if (tree_has(t, CLEAN, order))
        return true;
    struct region *r = region_new();
    if (!r)
        return false;
    arena_add(a, r);
    return region_grow(a, order);
}

/* A block of this byte that starts at a multiple of this order's size. */
static cold_noinline void *arena_cut(struct arena *a, unsigned order,
                                     uint8_t byte)
{
    struct tree *t = &a->tree;
    unsigned least = byte >> 3 > order ? byte >> 3 : order;
    bool zero = false;
    if (inbox_has_blocks(&a->inbox))
        arena_drain(a);
    char *p = order == 0 ? tree_fill_hole(t, byte) : NULL;
    if (!p) {
        if (!tree_has(t, FREE, least) && !arena_gather(a, least))
            return NULL;
        p = tree_cut(t, least, byte, &zero);
    }
    a->fresh = zero ? p : NULL;
    tell(a);
    return p;
}

static always_inline void *arena_malloc(struct arena *a, size_t size)
{
    uint8_t byte = request_byte(size);
    if (likely(byte < QUICK_BYTES)) {
        struct quick *q = &a->quick[byte];
        struct freed *f = q->head;
        if (likely(f)) {
            q->head = f->next;
            q->n--;
            return f;
        }
    }
    return arena_cut(a, 0, byte);
}

/* Any size, any alignment; also the thread's first call. */
static cold_noinline void *design_memalign(size_t align, size_t size)
{
    struct arena *a = owner_mine();
    void *p = NULL;
    if (!a && !(a = (struct arena *)owner_enter()))
        return NULL;
    if (max_size(size, align) > HUGE_OVER)
        p = large_malloc(align, size);
    else
        p = arena_cut(a, log2_floor(align) - UNIT_LOG2, request_byte(size));
    if (!p)
        no_memory();
    owner_done();
    return p;
}

static void *design_malloc(size_t size)
{
    struct arena *a = owner_mine();
    void *p = NULL;
    if (likely(a && size <= order_bytes(SMALL_ORDER)))
        p = arena_malloc(a, size);
    return likely(p) ? p : design_memalign(UNIT, size);
}

/* ---- the rest of the family ------------------------------------------ */

/* The byte of the live block at p; dies if none is, as far as that shows. */
static always_inline uint8_t live_byte(const void *p)
{
    uint8_t byte = *byte_of(p);
    if (unlikely((uintptr_t)p % UNIT || !is_used(byte)))
        mm_die("not a live block: freed twice, or malloc never returned it", p);
    return byte;
}

static void design_free(void *p)
{
    if (unlikely(!in_region(p))) {
        large_free(p);
        return;
    }
    uint8_t byte = live_byte(p);
    struct arena *a = region_of(p)->arena;
    if (likely(a == owner_mine()))
        arena_free(a, p, byte);
    else {
        inbox_push_remote(&a->inbox, p, p); /* it is never closed */
        owner_returned(&a->owner, byte_bytes(byte));
    }
}

static size_t design_usable(const void *p)
{
    return in_region(p) ? byte_bytes(live_byte(p)) : large_usable(p);
}

static bool design_fresh(const void *p)
{
    struct arena *a = owner_mine();
    return in_region(p) ? a && a->fresh == p : large_fresh(p);
}

/* Only the owner resizes in place; others keep what is large enough. */
static void *design_resize(void *p, size_t size)
{
    if (!in_region(p))
        return size > HUGE_OVER ? large_resize(p, size) : NULL;
    uint8_t byte = live_byte(p);
    struct arena *a = region_of(p)->arena;
    if (a != owner_mine() || size > HUGE_OVER)
        return size <= byte_bytes(byte) ? p : NULL;
    if (request_byte(size) == byte)
        return p;
    bool resized = tree_resize(&a->tree, p, request_byte(size));
    tell(a);
    return resized ? p : NULL;
}

static bool buddy_contains(const void *p, size_t size)
{
    if (!in_region(p))
        return huge_contains(p, size);
    struct region *r = region_of(p);
    const char *start = blocks_start(r), *at = p;
    return at >= start && at <= r->end && size <= (size_t)(r->end - at);
}

static void design_lock_all(bool take)
{
    (void)take; /* there are none */
}

/* ---- start, stop, check ---------------------------------------------- */

static int design_start(int variant)
{
    unsigned page_order = log2_floor(mem_pagesize()) - UNIT_LOG2;
    forest.plain = variant == BUDDY_PLAIN;
    forest.purge_order = page_order > PAGE_ORDER ? page_order : PAGE_ORDER;
    forest.shift = REGION_LOG2;
    forest.mask = ((uintptr_t)1 << REGION_LOG2) - 1;
    uintptr_t window = (uintptr_t)mem_range.pages & ~forest.mask;
    atomic_store_explicit(&region_next, window - forest.mask - 1,
                          memory_order_relaxed);
    return 0;
}

static void regions_unmap(struct region *r)
{
    for (struct region *next; r; r = next) {
        next = r->next; /* the arena's own is the last */
        char *start = blocks_start(r), *bytes = byte_in(r, start);
        region_known(r, false);
        mem_unmap(bytes, (size_t)(bytes_end(r) - bytes));
        if (r->end > start)
            mem_unmap(start, (size_t)(r->end - start));
        mem_unmap(r, mem_pagesize());
    }
}

static void design_stop(void)
{
    large_fini();
    for (struct owner *o = owners.all, *next; o; o = next) {
        next = o->next;
        regions_unmap(((struct arena *)o)->regions);
    }
}

static size_t arena_check(const struct arena *a)
{
    struct tree_sums sums = {0};
    size_t bad = 0;
    for (struct region *r = a->regions; r; r = r->next) {
        bad += broken(r->arena != a, "B7 arena", r, "not its arena's", 0);
        bad += tree_check_range(blocks_start(r), r->end, &sums);
    }
    for (unsigned byte = 0; byte < QUICK_BYTES; byte++)
        for (struct freed *f = a->quick[byte].head; f; f = f->next)
            bad += broken(*byte_of(f) != byte, "B6 quick", f,
                          "its byte is not the list's", byte);
    return bad ? bad : tree_check(&a->tree, &sums);
}

static size_t buddy_check(void)
{
    size_t bad = huge_check();
    for (struct owner *o = owners.all; o; o = o->next)
        bad += arena_check((struct arena *)o);
    return bad;
}

static int buddy_init(void)
{
    return owners_init(BUDDY);
}

static int buddy_plain_init(void)
{
    return owners_init(BUDDY_PLAIN);
}

#define BUDDY_REST                                                             \
    FAMILY, LIFECYCLE, .check = buddy_check, .contains = buddy_contains,       \
                       .stats = held_stats, .trim = huge_trim

const struct mm_allocator mm_buddy = {
    .name = "buddy",
    .summary = "binary buddies without headers: 2^k, and 5/8 and 3/4 of that",
    .init = buddy_init,
    BUDDY_REST,
};

const struct mm_allocator mm_buddy_plain = {
    .name = "buddy-plain",
    .summary = "binary buddies without headers: 2^k only",
    .init = buddy_plain_init,
    BUDDY_REST,
};
