/* bucket.c - buckets of equal blocks: `bucket`, `-inbox`, `-global`.
 *
 *   thread 0 ─► member 0: heap ─► lists ─► chunks      bucket_chunk.h
 *                ▲
 *                │ a block of member 0's chunk, freed by thread 1:
 *                ├── bucket         one CAS into member 0's inbox
 *                ├── bucket-inbox   into member 0's box, under its lock
 *                └── bucket-global  into one list for all, under its lock; a
 *                │                  thread looks there for its own at every
 *   thread 1 ────┘                  tenth operation, and when a list is empty
 *
 * A request takes a block of its class from the thread's own list: one pop. An
 * empty list is filled with what others returned, or from a chunk's bitmap; a
 * list that is too long goes back to the bitmaps. Blocks have no header: the
 * chunk is found by masking the address. Classes are tunable, bucket_class.h.
 * Larger requests are mappings of their own, large.h.
 *
 * Invariants, beside those of the chunks
 *   K6 a block that was returned is in one inbox, box or list, and used
 *   K7 chunks in the heaps and in the pool are all chunks that there are
 *
 * Chunks found by masking, with a bitmap: slabs, Bonwick (1994); a heap per
 * thread that owns its chunks: Hoard, Berger et al. (2000). */
#include "designs/bucket_chunk.h"
#include "designs/family.h"
#include "designs/owner.h"

#define LOOK_EVERY 10 /* operations; bucket-global */
#define LOOK_AT 64    /* blocks of the common list, at a time */

/* A thread's heap, and where others return its blocks to. */
struct member {
    struct owner owner;
    unsigned countdown; /* operations until the next look; 0: never */
    struct heap heap;
    struct inbox inbox
        __attribute__((aligned(CACHE_LINE))); /* others write here */
    struct lock lock; /* of box; atomic for the look without it */
    _Atomic(struct freed *) box;
};

static always_inline struct member *member_of(struct heap *h)
{
    return (struct member *)((char *)h - offsetof(struct member, heap));
}

/* ---- three ways back ------------------------------------------------- */

static void cas_give(struct member *to, struct freed *f)
{
    inbox_push_remote(&to->inbox, f, f); /* it is never closed */
}

static struct freed *cas_take(struct member *m)
{
    return inbox_take_owner(&m->inbox);
}

/* Relaxed, here and below: the lock orders what is read behind the pointer. */
static struct freed *box_head(struct member *m)
{
    return atomic_load_explicit(&m->box, memory_order_relaxed);
}

static void box_set(struct member *m, struct freed *f)
{
    atomic_store_explicit(&m->box, f, memory_order_relaxed);
}

static void box_give(struct member *to, struct freed *f)
{
    lock_take_as(&to->lock, RANK_NONE);
    f->next = box_head(to);
    box_set(to, f);
    lock_drop(&to->lock);
}

static struct freed *box_take(struct member *m)
{
    if (!box_head(m))
        return NULL;
    lock_take_as(&m->lock, RANK_NONE);
    struct freed *f = box_head(m);
    box_set(m, NULL);
    lock_drop(&m->lock);
    return f;
}

static struct {
    struct lock lock;
    struct freed *head, **tail;
    _Atomic size_t n; /* written under the lock; else a hint */
} common = {.lock = LOCK_INITIALIZER, .tail = &common.head};

/* @pre common.lock is held, in the next three */
static void common_append(struct freed *f)
{
    f->next = NULL;
    *common.tail = f;
    common.tail = &f->next;
}

static struct freed *common_pop(void)
{
    struct freed *f = common.head;
    common.head = f->next;
    if (!common.head)
        common.tail = &common.head;
    return f;
}

static void common_count(size_t n)
{
    size_t old = atomic_load_explicit(&common.n, memory_order_relaxed);
    atomic_store_explicit(&common.n, old + n, memory_order_relaxed);
}

static void common_give(struct member *to, struct freed *f)
{
    (void)to;
    lock_take_as(&common.lock, RANK_NONE);
    common_append(f);
    common_count(1);
    lock_drop(&common.lock);
}

/* Own blocks among the first few. The others go to the end of the list, so
 * that everybody's turn comes. */
static struct freed *common_take(struct member *m)
{
    struct freed *own = NULL;
    if (atomic_load_explicit(&common.n, memory_order_relaxed) == 0)
        return NULL;
    lock_take_as(&common.lock, RANK_NONE);
    for (unsigned i = 0; i < LOOK_AT && common.head; i++) {
        struct freed *f = common_pop();
        if (chunk_of(f)->heap != &m->heap) {
            common_append(f);
            continue;
        }
        f->next = own;
        own = f;
        common_count((size_t)-1);
    }
    lock_drop(&common.lock);
    return own;
}

enum variant { BUCKET, BUCKET_INBOX, BUCKET_GLOBAL };

struct way {
    void (*give)(struct member *to, struct freed *f); /* any thread */
    struct freed *(*take)(struct member *m);          /* m's owner; a chain */
    unsigned look_every;
};

static const struct way ways[] = {
    [BUCKET] = {cas_give, cas_take, 0},
    [BUCKET_INBOX] = {box_give, box_take, 0},
    [BUCKET_GLOBAL] = {common_give, common_take, LOOK_EVERY},
};

static const struct way *way; /* written by design_start only */

/* ---- members --------------------------------------------------------- */

static struct owner *design_owner_new(void)
{
    struct member *m = mem_map(sizeof *m, 1);
    if (!m)
        return NULL;
    tally_add(&held, round_up(sizeof *m, mem_pagesize()));
    m->lock = (struct lock)LOCK_INITIALIZER;
    m->countdown = way->look_every;
    return &m->owner;
}

/* Blocks that others returned go to the lists. @return whether there were any
 */
static bool member_collect(struct member *m)
{
    struct freed *f = way->take(m);
    bool any = f != NULL;
    for (struct freed *next; f; f = next) {
        next = f->next;
        heap_free(&m->heap, chunk_of(f), f);
    }
    return any;
}

static void design_owner_leave(struct owner *o)
{
    struct member *m = (struct member *)o;
    while (member_collect(m))
        ;
    heap_flush(&m->heap);
}

/* Every operation comes by; only bucket-global counts them. */
static always_inline void member_tick(struct member *m)
{
    if (unlikely(m->countdown) && --m->countdown == 0) {
        m->countdown = LOOK_EVERY;
        member_collect(m);
    }
}

/* ---- malloc, free ---------------------------------------------------- */

/* @return a block of a class; NULL, errno == ENOMEM */
static always_inline void *member_malloc(struct member *m, uint32_t class)
{
    struct shelf *s = &m->heap.shelves[class];
    member_tick(m);
    if (unlikely(!s->list)) {
        member_collect(m);
        if (!s->list && !heap_fill(&m->heap, class))
            return NULL;
    }
    return shelf_pop(s);
}

/* @return classes.total: none is for such blocks */
static uint32_t request_class(size_t align, size_t size)
{
    if (align > ALIGN)
        return class_of_align(log2_floor(2 * max_size(align, size) - 1));
    return size <= classes.most ? class_of_size(size) : classes.total;
}

/* Any size, any alignment; also the thread's first call. */
static cold_noinline void *design_memalign(size_t align, size_t size)
{
    struct member *m = owner_mine();
    void *p = NULL;
    if (!m && !(m = (struct member *)owner_enter()))
        return NULL;
    uint32_t class = request_class(align, size);
    if (class < classes.total)
        p = member_malloc(m, class);
    if (!p)
        p = large_malloc(align, size);
    owner_done();
    return p;
}

static void *design_malloc(size_t size)
{
    struct member *m = owner_mine();
    void *p = NULL;
    if (likely(m && size <= classes.most))
        p = member_malloc(m, class_of_size(size));
    return likely(p) ? p : design_memalign(ALIGN, size);
}

static always_inline bool in_chunk(const void *p)
{
    return mem_in_range(p);
}

/* The chunk of a live block; dies if p is none, as far as that shows. */
static always_inline struct chunk *live_chunk(const void *p)
{
    struct chunk *c = chunk_of(p);
    if (unlikely((uintptr_t)p % ALIGN || (const void *)c == p || !c->heap))
        mm_die("not a live block: freed twice, or malloc never returned it", p);
    return c;
}

static void design_free(void *p)
{
    if (unlikely(!in_chunk(p))) {
        large_free(p);
        return;
    }
    struct chunk *c = live_chunk(p);
    struct member *m = owner_mine();
    if (likely(m && c->heap == &m->heap)) {
        heap_free(&m->heap, c, p);
        member_tick(m);
    } else {
        struct member *to = member_of(c->heap);
        size_t bytes = class_of(c)->size;
        way->give(to, p); /* from now on the chunk may be another's */
        owner_returned(&to->owner, bytes);
    }
}

/* ---- the rest of the family ------------------------------------------ */

static size_t design_usable(const void *p)
{
    return in_chunk(p) ? class_of(live_chunk(p))->size : large_usable(p);
}

static bool design_fresh(const void *p)
{
    return !in_chunk(p) && large_fresh(p);
}

/* A block stays where it fits, unless it would be half empty. */
static void *design_resize(void *p, size_t size)
{
    if (!in_chunk(p))
        return size > classes.most ? large_resize(p, size) : NULL;
    size_t usable = design_usable(p);
    return size <= usable && size >= usable / 2 ? p : NULL;
}

static void design_lock_all(bool take)
{
    lock_if(&pool.lock, take);
    lock_if(&common.lock, take);
    for (struct owner *o = owners.all; o; o = o->next)
        lock_if(&((struct member *)o)->lock, take);
}

/* ---- start, stop, check ---------------------------------------------- */

static int design_start(int variant)
{
    way = &ways[variant];
    return classes_init(offsetof(struct chunk, used_bits));
}

static void design_stop(void)
{
    for (struct owner *o = owners.all, *next; o; o = next) {
        next = o->next;
        mem_unmap(o, sizeof(struct member));
    }
    large_fini();
    pool.dirty = pool.clean = 0;
    pool.ndirty = pool.nclean = 0;
    common.head = NULL;
    common.tail = &common.head;
    atomic_store_explicit(&common.n, 0, memory_order_relaxed);
}

static bool is_member(const struct heap *h)
{
    for (const struct owner *o = owners.all; o; o = o->next)
        if (&((const struct member *)o)->heap == h)
            return true;
    return false;
}

/* The next chunk from there on. Where the break jumped there is none: what lies
 * between is others' memory. */
static const char *chunk_from_here(const char *at, const char *end)
{
    at = end ? mem_skip(at) : NULL;
    return at < end ? at : NULL;
}

/* Count what is broken in the chunks. @param open  chunks that should be in a
 * shelf's open list */
static size_t chunks_check(size_t *open)
{
    const char *end = mem_range.size ? mem_brk() : NULL;
    size_t bad = 0, pooled = 0;
    *open = 0;
    for (const char *at = mem_range.base; (at = chunk_from_here(at, end));
         at += classes.chunk) {
        const struct chunk *c = (const void *)at;
        pooled += !c->heap;
        if (!c->heap)
            continue;
        size_t here = chunk_check(c, is_member(c->heap));
        *open += !here && c->used < class_of(c)->n;
        bad += here;
    }
    return bad + broken(pooled != pool.ndirty + pool.nclean, "K7 pool", &pool,
                        "chunks of no heap are not all there;", pooled);
}

static size_t returned_check(const struct freed *f)
{
    size_t bad = 0;
    for (; f; f = f->next)
        bad += broken(block_index(chunk_of(f), f) == NO_BLOCK, "K6 returned", f,
                      "not a used block; class", chunk_of(f)->class);
    return bad;
}

static size_t bucket_check(void)
{
    size_t open, listed = 0, bad = huge_check() + chunks_check(&open);
    if (bad)
        return bad;
    for (struct owner *o = owners.all; o; o = o->next) {
        struct member *m = (struct member *)o;
        struct freed *inbox =
            atomic_load_explicit(&m->inbox.chain, memory_order_relaxed);
        bad += heap_check(&m->heap, &listed);
        bad += returned_check(inbox) + returned_check(box_head(m));
    }
    return bad + returned_check(common.head) +
           broken(open != listed, "K3 open", &owners,
                  "chunks with free blocks are not all listed;", open);
}

static int bucket_init(void)
{
    return owners_init(BUCKET);
}

static int bucket_inbox_init(void)
{
    return owners_init(BUCKET_INBOX);
}

static int bucket_global_init(void)
{
    return owners_init(BUCKET_GLOBAL);
}

#define BUCKET_REST                                                            \
    FAMILY, LIFECYCLE, .check = bucket_check,                                  \
                       .contains = heap_or_huge_contains, .stats = held_stats, \
                       .trim = huge_trim

const struct mm_allocator mm_bucket = {
    .name = "bucket",
    .summary = "equal blocks in chunks, an inbox by CAS for each thread",
    .init = bucket_init,
    BUCKET_REST,
};

const struct mm_allocator mm_bucket_inbox = {
    .name = "bucket-inbox",
    .summary = "bucket, with a lock for each inbox",
    .init = bucket_inbox_init,
    BUCKET_REST,
};

const struct mm_allocator mm_bucket_global = {
    .name = "bucket-global",
    .summary = "bucket, with one list of returned blocks and one lock",
    .init = bucket_global_init,
    BUCKET_REST,
};
