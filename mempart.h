/* mempart.h - a part of the window: the break that moves up in it, and the
 * pages that are mapped before it gets there.
 *
 *   start                brk        committed       intended      limit
 *     |  handed out       |  zeros   | being mapped  |  not mapped  |
 *     +-------------------+----------+---------------+--------------+
 *
 * Every mark is a distance from the start in bytes, only rises, and is moved by
 * compare-and-swap by any thread; but skipped, a sum. Nothing is reserved: the
 * pages from committed on are mapped where they belong with
 * MAP_FIXED_NOREPLACE, which never takes what is there already, a piece at a
 * time.
 *
 * If something is there already, either another thread of ours mapped it and
 * has not yet raised committed, or it is not ours. Nobody can tell, and nobody
 * waits: a thread that meets it looks a bounded number of times whether a mark
 * moves, and then moves the break to behind it. Such a jump costs addresses, no
 * memory: of what it skips nothing was handed out, and nothing will be.
 *
 * Invariants
 *   M1 all of [brk, committed) is mapped, readable, writable and zero
 *   M2 whatever was handed out was mapped by one of our threads
 * M1 holds because a thread raises committed to the end of what it mapped,
 * which began at the old mark or at the break. M2: a thread hands out [b, b +
 * n) only by the CAS of brk from b, after it has seen b + n <= committed. If
 * the break had jumped between, that CAS fails.
 *
 * Acquire and release of committed are partners: a thread that sees it raised
 * by one whose break had jumped sees the jump, too. */
#ifndef MEMPART_H
#define MEMPART_H

#include "count.h"
#include "hint.h"
#include "memthp.h"

#include <errno.h>
#include <stdatomic.h>

#define MARK_LOOKS 1000 /* at marks, before what is in the way is skipped */
#define JUMP ((size_t)1 << 20) /* bytes: jumps lead to multiples of it */
#define JUMPS_KNOWN 256

typedef _Atomic size_t mark;

struct jump {
    size_t brk, mapped, to; /* nothing was mapped by us from mapped on */
};

struct part {
    char *start;
    size_t limit;   /* bytes that it may ever have */
    size_t piece;   /* bytes mapped at once at first */
    mark brk;       /* handed out */
    mark committed; /* M1 */
    mark intended;  /* some thread is about to map below it */
    mark suspect;   /* below it, bytes may not be zero (memlib.c) */
    mark skipped;   /* bytes that jumps left out, and holes (memhole.h) */
    mark njumps;    /* the last ones may not be known */
    struct jump jumps[JUMPS_KNOWN]; /* read by a thread that is alone */
    mark *blocks; /* units of 16 bytes that are committed; NULL: not the heap */
};

static inline size_t mark_get(const mark *m)
{
    return atomic_load_explicit(m, memory_order_relaxed);
}

static inline void mark_set(mark *m, size_t value)
{
    atomic_store_explicit(m, value, memory_order_relaxed);
}

/* Compare and swap; a failure says what is there. */
static inline bool mark_swap(mark *m, size_t *old, size_t value)
{
    count_rmw();
    return atomic_compare_exchange_strong_explicit(
        m, old, value, memory_order_release, memory_order_relaxed);
}

/* Raise a mark to at least value. */
static inline void mark_raise(mark *m, size_t value)
{
    size_t old = mark_get(m);
    while (old < value && !mark_swap(m, &old, value))
        ;
}

static inline void mark_add(mark *m, size_t more)
{
    count_rmw();
    atomic_fetch_add_explicit(m, more, memory_order_relaxed);
}

static inline size_t part_committed(const struct part *part)
{
    return atomic_load_explicit(&part->committed, memory_order_acquire);
}

/* Bytes that were handed out. */
static inline size_t part_used(const struct part *part)
{
    size_t skipped = mark_get(&part->skipped), brk = mark_get(&part->brk);
    return brk - skipped;
}

/* Bytes mapped beyond the break. */
static inline size_t part_untouched(const struct part *part)
{
    size_t brk = mark_get(&part->brk), done = part_committed(part);
    return done > brk ? done - brk : 0;
}

static inline void part_init(struct part *part, char *start, size_t limit,
                             size_t piece)
{
    part->start = start;
    part->limit = limit;
    part->piece = piece;
    mark *const marks[] = {&part->brk,     &part->committed, &part->intended,
                           &part->suspect, &part->skipped,   &part->njumps};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        mark_set(marks[i], 0);
}

/* ---- mapping --------------------------------------------------------- */

enum mapped { REFUSED = -1, TAKEN, MOVED, MAPPED };

/* Map pages just there, unless something is. errno is kept. */
static inline enum mapped map_at(char *at, size_t size)
{
    int saved = errno;
    char *p = sys_mmap(at, size, PROT_READ | PROT_WRITE, MAP_FIXED_NOREPLACE);
    bool taken = p != MAP_FAILED || errno == EEXIST;
    if (p != at && p != MAP_FAILED)
        sys_munmap(p, size); /* Linux before 4.17 takes it for a hint */
    errno = saved;
    return p == at ? MAPPED : taken ? TAKEN : REFUSED;
}

/* Bytes to map beyond what is needed, so that there are few calls: more with
 * each, up to a sixteenth of all. */
static inline size_t part_ahead(const struct part *part, size_t has)
{
    size_t more = has < 4 * part->piece ? has : 4 * part->piece;
    more = more > has / 16 ? more : has / 16;
    return more > part->piece ? more : part->piece;
}

/* Does a mark move in a little while? */
static inline bool part_moves(const struct part *part, size_t brk, size_t done)
{
    for (int i = 0; i < MARK_LOOKS; i++, cpu_relax())
        if (part_committed(part) != done || mark_get(&part->brk) != brk)
            return true;
    return false;
}

/* Move the break, if it is still there: nobody has what is between. The page
 * before is mapped with what follows: an allocator with headers puts the first
 * one there. */
static inline void part_skip(struct part *part, size_t brk, size_t to)
{
    size_t done = part_committed(part), old = brk;
    if (!mark_swap(&part->brk, &old, to))
        return;
    mark_add(&part->skipped, to - brk);
    size_t i =
        atomic_fetch_add_explicit(&part->njumps, 1, memory_order_relaxed);
    if (i < JUMPS_KNOWN)
        part->jumps[i] = (struct jump){brk, done > brk ? done : brk, to};
}

/* The same to behind what is in the way: perhaps to the limit, where there is
 * no memory. */
static inline void part_jump(struct part *part, size_t brk, size_t to)
{
    to = ((to + JUMP - 1) & ~(JUMP - 1)) + JUMP; /* the page before, too */
    part_skip(part, brk, to < part->limit ? to : part->limit);
}

/* Bytes to map from `from` on: what is needed, and some ahead. */
static inline size_t part_piece(const struct part *part, size_t from,
                                size_t need, size_t page)
{
    char *at = part->start + from;
    size_t room = part->limit - from;
    size_t more = need + (part_ahead(part, from) & ~(page - 1));
    more = part->blocks ? (size_t)(thp_piece_end(at + more) - at) : more;
    return more < room ? more : room;
}

/* The mode is new: tell the kernel of what is mapped, unless the break has
 * jumped. */
static inline void part_advise(const struct part *part)
{
    if (!mark_get(&part->njumps))
        thp_advise(part->start, part->start + part_committed(part));
}

static inline const char *part_title(const struct part *part)
{
    return part->blocks ? NAME_HEAP : NAME_RECORDS;
}

/* Name what is mapped already, likewise. */
static inline void part_name(const struct part *part)
{
    if (!mark_get(&part->njumps))
        sys_name(part->start, part_committed(part), part_title(part));
}

/* Have [brk, end) mapped. @param page  bytes of the system's.
 * @return TAKEN: something is in the way; *from says up to where it is ours */
static inline enum mapped part_commit(struct part *part, size_t brk, size_t end,
                                      size_t page, size_t *from)
{
    size_t done = part_committed(part);
    if (end <= done)
        return MAPPED;
    *from = done >= brk ? done : brk - page;
    size_t need = (end - *from + page - 1) & ~(page - 1);
    size_t more = part_piece(part, *from, need, page);
    mark_raise(&part->intended, *from + more);
    enum mapped result = map_at(part->start + *from, more);
    if (result != MAPPED && more > need) {
        more = need;
        result = map_at(part->start + *from, more);
    }
    if (result != MAPPED)
        return result;
    sys_name(part->start + *from, more, part_title(part));
    if (part->blocks) {
        char *at = part->start + *from;
        thp_advise(at, at + more);
        /* before committed: a thread that relies on that knows this, too */
        mark_raise(part->blocks, (*from + more) / 16);
    }
    mark_raise(&part->committed, *from + more);
    return MAPPED;
}

/* ---- alone ----------------------------------------------------------- */

/* A jump that led from p, as a distance; NULL: none. */
static inline const struct jump *part_jump_from(const struct part *part,
                                                size_t brk)
{
    for (size_t i = 0; i < mark_get(&part->njumps) && i < JUMPS_KNOWN; i++)
        if (part->jumps[i].brk == brk)
            return &part->jumps[i];
    return NULL;
}

#endif
