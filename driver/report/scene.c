/* scene.c - see scene.h. */
#include "driver/report/scene.h"

#include "driver/base/driver_mem.h"
#include "driver/report/heapmap.h"

#include <stdlib.h>
#include <string.h>

struct pieces {
    struct scene_piece *all; /* room for as many */
    size_t n, room;
};

struct scene {
    const struct mm_allocator *a;
    struct pieces live; /* sorted by address; head is 0 */
    uintptr_t *where;   /* of each id; 0: not live */
    size_t payload;
    struct pieces now, before;
};

struct scene *scene_new(const struct mm_allocator *a, size_t nids)
{
    struct scene *s = driver_mem_alloc(sizeof *s);
    s->a = a;
    s->where = driver_mem_alloc((nids + 1) * sizeof *s->where);
    return s;
}

void scene_free(struct scene *s)
{
    driver_mem_free(s->live.all);
    driver_mem_free(s->now.all);
    driver_mem_free(s->before.all);
    driver_mem_free(s->where);
    driver_mem_free(s);
}

static void add(struct pieces *p, const struct scene_piece *piece)
{
    if (p->n == p->room) {
        size_t room = p->room ? p->room * 2 : 256;
        struct scene_piece *more = driver_mem_alloc(room * sizeof *more);
        if (p->n)
            memcpy(more, p->all, p->n * sizeof *more);
        driver_mem_free(p->all);
        p->all = more;
        p->room = room;
    }
    p->all[p->n++] = *piece;
}

/* ---- live blocks --------------------------------------------------------- */

/* The first piece that begins at `at` or above. */
static size_t find(const struct pieces *p, uintptr_t at)
{
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->all[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void drop_live(struct scene *s, uint32_t id)
{
    struct pieces *live = &s->live;
    size_t i = find(live, s->where[id]);
    s->payload -= live->all[i].asked;
    s->where[id] = 0;
    live->n--;
    memmove(live->all + i, live->all + i + 1,
            (live->n - i) * sizeof *live->all);
}

void scene_set(struct scene *s, uint32_t id, const struct oracle_place *place)
{
    struct pieces *live = &s->live;
    if (s->where[id])
        drop_live(s, id);
    if (!place)
        return;
    struct scene_piece block = {.at = place->at,
                                .size = place->usable ? place->usable : 1,
                                .asked = place->size,
                                .state = SCENE_LIVE,
                                .id = id};
    size_t i = find(live, place->at);
    add(live, &block); /* makes room */
    memmove(live->all + i + 1, live->all + i,
            (live->n - 1 - i) * sizeof *live->all);
    live->all[i] = block;
    s->where[id] = place->at;
    s->payload += place->size;
}

size_t scene_payload(const struct scene *s)
{
    return s->payload;
}

size_t scene_at(const struct scene *s, uintptr_t at, size_t size,
                struct scene_piece *out, size_t n)
{
    const struct pieces *live = &s->live;
    size_t found = 0, i = find(live, at);
    i -= i > 0;
    for (; i < live->n && live->all[i].at < at + size && found < n; i++)
        if (live->all[i].at + live->all[i].size > at)
            out[found++] = live->all[i];
    return found;
}

/* ---- looking ------------------------------------------------------------- */

static void add_gap(struct pieces *now, uintptr_t from, uintptr_t to)
{
    if (from >= to || to - from >= SCENE_GAP)
        return;
    struct scene_piece gap = {.at = from,
                              .size = to - from,
                              .state = to - from < HEAPMAP_GAP ? SCENE_OWN
                                                               : SCENE_UNTOLD};
    add(now, &gap);
}

/* All that can be known without the allocator. */
static void look_between(struct scene *s)
{
    for (size_t i = 0; i < s->live.n; i++) {
        const struct scene_piece *b = &s->live.all[i];
        if (i > 0)
            add_gap(&s->now, b[-1].at + b[-1].size, b->at);
        add(&s->now, b);
    }
}

static void hear_mail(struct scene *s, const struct mm_piece *told)
{
    struct pieces *now = &s->now;
    size_t i = find(now, (uintptr_t)told->at + 1);
    struct scene_piece *p = i > 0 ? &now->all[i - 1] : NULL;
    if (p && p->state == SCENE_CACHED && p->at + p->head == (uintptr_t)told->at)
        p->state = SCENE_SENT;
}

static int by_address(const void *a, const void *b)
{
    const struct scene_piece *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

static void sort(struct pieces *p)
{
    for (size_t i = 1; i < p->n; i++)
        if (p->all[i].at < p->all[i - 1].at) {
            qsort(p->all, p->n, sizeof *p->all, by_address);
            return;
        }
}

struct hearing {
    struct scene *s;
    bool sorted; /* all but what was sent was told */
};

static void hear(const struct mm_piece *told, void *arg)
{
    static const enum scene_state states[] = {[MM_PIECE_OWN] = SCENE_OWN,
                                              [MM_PIECE_FREE] = SCENE_FREE,
                                              [MM_PIECE_USED] = SCENE_CACHED};
    struct hearing *h = arg;
    if (told->kind == MM_PIECE_SENT) {
        if (!h->sorted)
            sort(&h->s->now);
        h->sorted = true;
        hear_mail(h->s, told);
        return;
    }
    struct scene_piece p = {.at = (uintptr_t)told->at,
                            .size = told->size,
                            .head = told->head,
                            .state = states[told->kind],
                            .owner = told->owner,
                            .list = told->list,
                            .in_slab = told->in_slab};
    add(&h->s->now, &p);
}

/* Which of the blocks in use are the program's? Both are sorted. */
static void match_live(struct scene *s)
{
    size_t nlive = s->live.n, ntold = s->now.n, i = 0;
    for (size_t b = 0; b < nlive; b++) {
        const struct scene_piece *live = &s->live.all[b];
        while (i < ntold && s->now.all[i].at + s->now.all[i].head < live->at)
            i++;
        struct scene_piece *p = i < ntold ? &s->now.all[i] : NULL;
        if (p && p->at + p->head == live->at && p->state == SCENE_CACHED) {
            p->state = SCENE_LIVE;
            p->asked = live->asked;
            p->id = live->id;
        } else {
            add(&s->now, live); /* walk does not know it */
        }
    }
    if (s->now.n > ntold)
        sort(&s->now);
}

const struct scene_piece *scene_look(struct scene *s, size_t *n)
{
    struct pieces old = s->before;
    struct hearing hearing = {.s = s};
    s->before = s->now;
    s->now = old;
    s->now.n = 0;
    if (s->a->walk) {
        s->a->walk(hear, &hearing);
        if (!hearing.sorted)
            sort(&s->now);
        match_live(s);
    } else {
        look_between(s);
    }
    *n = s->now.n;
    return s->now.all;
}

/* ---- what changed -------------------------------------------------------- */

static bool same(const struct scene_piece *a, const struct scene_piece *b)
{
    return a->at == b->at && a->size == b->size && a->head == b->head &&
           a->asked == b->asked && a->state == b->state && a->id == b->id &&
           a->owner == b->owner && a->list == b->list &&
           a->in_slab == b->in_slab;
}

static void print_piece(const struct scene_piece *p, uintptr_t base, FILE *out)
{
    long long at = (long long)(p->at - base);
    fprintf(out, "%lld,%zu,%zu,%zu,%d,%u,%lld,%ld", at, p->size, p->head,
            p->asked, (int)p->state, p->owner,
            p->state == SCENE_LIVE ? (long long)p->id : -1,
            p->in_slab ? p->list | 1 : p->list);
}

/* Walks both lists by address. */
static void each_change(const struct scene *s, uintptr_t base, FILE *out,
                        bool gone)
{
    const struct pieces *old = &s->before, *now = &s->now;
    const char *comma = "";
    size_t i = 0, j = 0;
    while (i < old->n || j < now->n) {
        const struct scene_piece *a = i < old->n ? &old->all[i] : NULL;
        const struct scene_piece *b = j < now->n ? &now->all[j] : NULL;
        bool both = a && b && a->at == b->at;
        if (both && same(a, b)) {
            i++, j++;
            continue;
        }
        bool lost = a && (!b || a->at < b->at);
        if (lost && gone)
            fprintf(out, "%s%lld", comma, (long long)(a->at - base));
        if (!lost && !gone) {
            fputs(comma, out);
            print_piece(b, base, out);
        }
        if (lost == gone)
            comma = ",";
        i += lost || both;
        j += !lost;
    }
}

void scene_print_change(const struct scene *s, uintptr_t base, FILE *out)
{
    fputs("[", out);
    each_change(s, base, out, true);
    fputs("],[", out);
    each_change(s, base, out, false);
    fputs("]", out);
}
