/* fit_cas_list.h - fit-cas's ordered list: nodes, links, and walking by CAS.
 *
 *   segments  | 0 | 1 | 2 | 3 |   16 KiB each: its sentinel, if it has one
 *               │       │
 *               ▼       ▼
 *   list        S0 ─► [2,9) ─► S2 ─► [2100,2140) ─► ...    by address
 *                       ▲ node: next, body, key; apart from the memory it means
 *   heap        |used|  free  |used|nodes|used| ...        units of 16 bytes
 *                                              ▲ break: where a unit begins
 *
 * A node of 0 units is dead: a thread that walks by marks its link, so that
 * nothing is inserted behind it, and unlinks it. That is Harris's list (2001),
 * walked in Michael's way (2002); the sentinels, from which a walk begins, are
 * the idea of Shalev and Shavit (2006).
 *
 * Safe reclamation: nodes stay nodes for good, so a thread that comes late to
 * one still reads a node. Each link and each size carries a tag that grows with
 * every change: a CAS on what was read late fails, and a step of a walk counts
 * only if the link before has not changed meanwhile. Nobody holds what others
 * wait for; no thread has anything of its own.
 *
 * Invariants
 *   C1 keys rise along the list; a segment's sentinel is its own
 *   C4 every node is in the list or in the pool */
#ifndef DESIGNS_FIT_CAS_LIST_H
#define DESIGNS_FIT_CAS_LIST_H

#include "config.h"
#include "memlib.h"
#include "mm/util.h"

#include <errno.h>
#include <stdatomic.h>

#define UNIT ((size_t)16)
#define MIN_UNITS 2u /* of a block: header and 24 bytes; it may hold a node */
#define SEGMENT_LOG2 10 /* units: 16 KiB */
#define TABLE_LOG2 12   /* segments: 64 MiB of the heap */
#define TABLE_SEGMENTS (1u << TABLE_LOG2)
#define CHUNK_UNITS 256u /* nodes are made out of this many units at a time */
#define IN_USE 0xa10cu   /* low bits of a header; 0 when it is free */
#define HOLDS_NODES 0xa10du

/* Two words in one, so that one CAS changes both. High: a tag; of a link its
 * lowest bit is the mark. Low: the link, or units. */
typedef _Atomic uint64_t word;

struct node {
    word next; /* link: the unit where the next node's slot begins; 0: none */
    word body; /* units; 0: dead, or a sentinel */
    word key;  /* 2 * first unit, + 1 for a range; constant while listed */
};

/* What is known of segments. */
struct table {
    word most[TABLE_SEGMENTS]; /* units: no range that begins there has more */
    _Atomic uint32_t sentinels[TABLE_SEGMENTS]; /* links; 0: none yet */
};

/* There are tables as far as the heap has grown. */
static struct {
    bool started;
    word pool; /* link: nodes that are not used */
    word none; /* 0: of segments without a table */
    _Atomic(struct table *)
        tables[(MEM_ZONE / UNIT >> SEGMENT_LOG2) >> TABLE_LOG2];
} cas;

struct range { /* seen in the list */
    struct node *node;
    uint64_t body;
    uint32_t at, units; /* units == 0: none */
};

/* A place in the list: between prev and curr. */
struct place {
    struct node *prev, *curr; /* curr == NULL: at the end */
    uint64_t link, next;      /* prev's word, curr's word */
    uint64_t key, body;       /* curr's */
    struct range before;      /* the last range that was passed */
};

/* ---- words ----------------------------------------------------------- */

/* All in one order that all threads agree on: of two threads that insert ranges
 * side by side, and then look for neighbours, not both may miss the other. For
 * the rest acquire and release would do. What a failed swap has read is not
 * used: relaxed. */
static always_inline uint64_t word_load(word *w)
{
    return atomic_load_explicit(w, memory_order_seq_cst);
}

static always_inline bool word_cas(word *w, uint64_t old, uint64_t new)
{
    return atomic_compare_exchange_strong_explicit(
        w, &old, new, memory_order_seq_cst, memory_order_relaxed);
}

/* For a node that nobody else has; the CAS that lists it publishes it. */
static always_inline void word_init(word *w, uint64_t value)
{
    atomic_store_explicit(w, value, memory_order_relaxed);
}

static always_inline uint32_t low(uint64_t w)
{
    return (uint32_t)w;
}

#define TAG_STEP ((uint64_t)2 << 32) /* of a link */
#define MARK ((uint64_t)1 << 32)
#define BODY_STEP ((uint64_t)1 << 32)

/* What follows the word `old` of a link: unmarked, to another node. */
static always_inline uint64_t relink(uint64_t old, uint32_t link)
{
    return (((old & ~MARK) + TAG_STEP) & ~(uint64_t)UINT32_MAX) | link;
}

/* ---- units ----------------------------------------------------------- */

/* Headers lie at 8 mod 16, payloads and nodes 8 bytes behind. */
static always_inline uint64_t *header_at(uint32_t at)
{
    return (uint64_t *)(mem_range.base + UNIT / 2 + at * UNIT);
}

static always_inline void *payload_at(uint32_t at)
{
    return header_at(at) + 1;
}

static always_inline uint32_t unit_of(const void *p)
{
    return (uint32_t)((size_t)((const char *)p - mem_range.base) / UNIT - 1);
}

static always_inline struct node *node_at(uint64_t link)
{
    return low(link) ? payload_at(low(link)) : NULL;
}

/* The end of the heap when the break was there. So that each thread writes only
 * what memlib gave it, and in a child of fork may still be clearing, the break
 * is where this unit's header is to be; or 8 bytes behind, after a jump. */
static uint32_t end_unit(const char *brk)
{
    return (uint32_t)((size_t)(brk - mem_range.base - UNIT / 2) / UNIT);
}

/* Bytes by which the break moves for so many units. */
static size_t units_bytes(const char *brk, uint32_t units)
{
    return (size_t)((char *)header_at(end_unit(brk) + units) - brk);
}

static always_inline uint32_t segment_of(uint32_t at)
{
    return at >> SEGMENT_LOG2;
}

static always_inline uint64_t sentinel_key(uint32_t segment)
{
    return (uint64_t)segment << (SEGMENT_LOG2 + 1);
}

static always_inline uint64_t range_key(uint32_t at)
{
    return (uint64_t)at * 2 + 1;
}

/* ---- nodes ----------------------------------------------------------- */

/* A node in the pool is marked: nothing is inserted behind it. */
static void pool_push(struct node *n)
{
    uint64_t head, next = word_load(&n->next);
    do {
        head = word_load(&cas.pool);
        next = relink(next, low(head)) | MARK;
        word_init(&n->next, next);
    } while (!word_cas(&cas.pool, head, relink(head, unit_of(n))));
}

static struct node *pool_pop(void)
{
    for (;;) {
        uint64_t head = word_load(&cas.pool);
        struct node *n = node_at(head);
        if (!n)
            return NULL;
        uint64_t next = word_load(&n->next); /* not so if another pops n */
        if (word_cas(&cas.pool, head, relink(head, low(next))))
            return n;
    }
}

/* Make nodes of memory that nobody has. */
static void nodes_make(uint32_t at, uint32_t units)
{
    *header_at(at) = (uint64_t)units << 16 | HOLDS_NODES;
    for (uint32_t i = 0; i + MIN_UNITS <= units; i += MIN_UNITS) {
        struct node *n = payload_at(at + i);
        word_init(&n->next, MARK);
        word_init(&n->body, 0);
        word_init(&n->key, 0);
        pool_push(n);
    }
}

static uint32_t take(uint32_t units);

/* Release, paired with the acquire in table_of: it is all zero. Of two threads
 * that make the same one the later loses its own. @return false: no memory */
static bool tables_make(uint32_t end)
{
    for (uint32_t t = 0; t <= segment_of(end) >> TABLE_LOG2; t++) {
        struct table *none = NULL, *table;
        if (atomic_load_explicit(&cas.tables[t], memory_order_relaxed))
            continue;
        if (!(table = mem_record(sizeof *table)))
            return false;
        atomic_compare_exchange_strong_explicit(&cas.tables[t], &none, table,
                                                memory_order_release,
                                                memory_order_relaxed);
    }
    return true;
}

/* NULL: none, as for the break when it has jumped. */
static always_inline struct table *table_of(uint32_t segment)
{
    return atomic_load_explicit(&cas.tables[segment >> TABLE_LOG2],
                                memory_order_acquire);
}

static always_inline word *most_of(uint32_t segment)
{
    struct table *t = table_of(segment);
    return t ? &t->most[segment % TABLE_SEGMENTS] : &cas.none;
}

/* @return 1: the heap is longer by so much; 0: it had grown already; -1: no
 * memory. errno is kept but for that. */
static int extend(char *brk, uint32_t units)
{
    int saved = errno;
    errno = 0;
    bool extended = tables_make(end_unit(brk) + units) &&
                    mem_extend(brk, units_bytes(brk, units));
    if (!extended && errno)
        return -1;
    errno = saved;
    return extended;
}

/* @return a chunk for nodes; 0: no memory */
static uint32_t chunk_new(void)
{
    uint32_t at = take(CHUNK_UNITS);
    for (int extended = 0; !at && extended == 0;) {
        char *brk = mem_brk();
        extended = extend(brk, CHUNK_UNITS);
        at = extended > 0 ? end_unit(brk) : 0;
    }
    return at;
}

/* @return a node of one's own; NULL: no memory */
static struct node *node_new(void)
{
    for (;;) {
        struct node *n = pool_pop();
        uint32_t at = n ? 0 : chunk_new();
        if (!at)
            return n;
        nodes_make(at, CHUNK_UNITS);
    }
}

/* ---- the list -------------------------------------------------------- */

/* @return link; 0: none yet, or the break has jumped over the segment */
static uint32_t sentinel_of(uint32_t segment)
{
    struct table *t = table_of(segment);
    return t ? atomic_load_explicit(&t->sentinels[segment % TABLE_SEGMENTS],
                                    memory_order_seq_cst)
             : 0;
}

/* @pre the sentinel is listed; several threads may set the same */
static void sentinel_set(uint32_t segment, uint32_t link)
{
    atomic_store_explicit(
        &table_of(segment)->sentinels[segment % TABLE_SEGMENTS], link,
        memory_order_seq_cst);
}

/* The nearest sentinel at or before a segment. The first is always there. */
static struct node *sentinel_from(uint32_t segment)
{
    uint32_t link;
    while (!(link = sentinel_of(segment)))
        segment--;
    return node_at(link);
}

static void place_start(struct place *w, uint32_t segment)
{
    w->before.units = 0;
    w->prev = sentinel_from(segment);
    w->link = word_load(&w->prev->next);
}

/* Read the node after prev; unlink it if it is dead, and read the next.
 * @return false: prev is not what it was, start again */
static bool place_read(struct place *w)
{
    while ((w->curr = node_at(w->link))) {
        w->next = word_load(&w->curr->next);
        w->key = word_load(&w->curr->key);
        w->body = word_load(&w->curr->body);
        if (word_load(&w->prev->next) != w->link)
            return false; /* else curr was in the list all the time */
        if (low(w->body) || !(w->key & 1))
            return true;
        if (!(w->next & MARK)) {
            word_cas(&w->curr->next, w->next, w->next + TAG_STEP + MARK);
            continue;
        }
        uint64_t after = relink(w->link, low(w->next));
        if (!word_cas(&w->prev->next, w->link, after))
            return false;
        pool_push(w->curr);
        w->link = after;
    }
    w->key = UINT64_MAX;
    return word_load(&w->prev->next) == w->link;
}

static void place_step(struct place *w)
{
    if (w->key & 1)
        w->before = (struct range){w->curr, w->body, (uint32_t)(w->key / 2),
                                   low(w->body)};
    w->prev = w->curr;
    w->link = w->next;
}

/* The place before the first node whose key is not less. */
static void seek(struct place *w, uint32_t segment, uint64_t key)
{
    place_start(w, segment);
    for (;;) {
        if (!place_read(w))
            place_start(w, segment);
        else if (w->key >= key)
            return;
        else
            place_step(w);
    }
}

/* Make the range, or what is left of it, one's own. */
static bool claim(const struct range *r)
{
    return word_cas(&r->node->body, r->body, r->body - r->units);
}

/* List n as these units, 0 for a sentinel. @return n's body; 0: w is late */
static uint64_t node_link(struct node *n, const struct place *w, uint64_t key,
                          uint32_t units)
{
    uint64_t body = word_load(&n->body) & ~(uint64_t)UINT32_MAX;
    word_init(&n->key, key);
    word_init(&n->body, (body + BODY_STEP) | units);
    word_init(&n->next, relink(word_load(&n->next), low(w->link)));
    bool listed =
        word_cas(&w->prev->next, w->link, relink(w->link, unit_of(n)));
    return listed ? (body + BODY_STEP) | units : 0;
}

/* A segment gets its sentinel, if there is a node for it. */
static void sentinel_make(uint32_t segment)
{
    struct place w;
    struct node *n = node_new();
    if (!n)
        return;
    uint64_t key = sentinel_key(segment);
    do
        seek(&w, segment - 1, key); /* not from the one that we look for */
    while (w.key != key && !node_link(n, &w, key, 0));
    if (w.key == key) /* another thread was faster */
        pool_push(n);
    sentinel_set(segment, unit_of(w.key == key ? w.curr : n));
}

/* After a range is listed: its segment may have so much. The tag tells a thread
 * that looked before and found less. */
static void raise_most(uint32_t segment, uint32_t units)
{
    word *most = most_of(segment);
    uint64_t old, new;
    do {
        old = word_load(most);
        new = relink(old, low(old) > units ? low(old) : units);
    } while (!word_cas(most, old, new));
}

/* ---- around a place --------------------------------------------------- */

struct neighbours {
    struct place place;
    struct range before, after; /* that touch */
    bool hidden; /* others may insert a neighbour where no CAS would fail */
};

/* The range before a place that has no range since its segment's start. */
static struct range range_before(uint32_t at)
{
    struct place w;
    for (uint32_t s = segment_of(at); s-- > 0;) {
        uint64_t seen = word_load(most_of(s));
        if (!low(seen))
            continue;
        seek(&w, s, range_key(at));
        if (w.before.units)
            return w.before;
        word_cas(most_of(s), seen, relink(seen, 0));
    }
    return (struct range){0};
}

/* What is around [at, at + units), which may be listed or not. */
static struct neighbours look(uint32_t at, uint32_t units)
{
    struct neighbours n;
    struct place w;
    bool whole;
    do {
        n.hidden = false;
        seek(&n.place, segment_of(at), range_key(at));
        w = n.place;
        whole = true;
        if (w.key == range_key(at)) { /* it is listed */
            place_step(&w);
            whole = place_read(&w);
        }
        while (whole && !(w.key & 1) && w.key <= range_key(at + units)) {
            n.hidden = true;
            place_step(&w);
            whole = place_read(&w);
        }
    } while (!whole);
    n.before = n.place.before;
    if (segment_of(at) && n.place.prev != n.before.node)
        n.hidden = true;
    if (!n.before.units)
        n.before = range_before(at);
    if (n.before.at + n.before.units != at)
        n.before.units = 0;
    n.after.units = 0;
    if (w.key == range_key(at + units))
        n.after = (struct range){w.curr, w.body, at + units, low(w.body)};
    return n;
}

#endif
