/* heapmap.c - see heapmap.h. */
#include "driver/report/heapmap.h"

#include "driver/base/driver_mem.h"

#include <stdlib.h>
#include <string.h>

#define UNITS_WANTED 512 /* of a trace's peak */
#define UNIT_MIN ((size_t)64)

enum kind { LIVE, METADATA, KINDS };

/* What lay in one unit at one sample; units without any are not kept. */
struct piece {
    uint64_t unit; /* address / unit */
    unsigned sample;
    size_t bytes[KINDS];
};

struct sample {
    size_t ops, payload, usable;
    struct mm_stats stats;
};

struct heapmap {
    size_t unit;
    struct sample *samples;
    unsigned nsamples;
    struct piece *pieces; /* room for nroom */
    size_t npieces, nroom;
};

/* The map of all units that were ever used, for printing. */
struct table {
    size_t nunits;
    unsigned *first;        /* sample at which each unit was used first */
    size_t (*bytes)[KINDS]; /* of each sample and unit */
};

size_t heapmap_unit(size_t peak_payload)
{
    size_t unit = UNIT_MIN;
    while (unit * UNITS_WANTED < peak_payload)
        unit *= 2;
    return unit;
}

struct heapmap *heapmap_new(size_t unit, unsigned samples)
{
    struct heapmap *m = driver_mem_alloc(sizeof *m);
    m->unit = unit;
    m->samples = driver_mem_alloc((samples ? samples : 1) * sizeof *m->samples);
    return m;
}

void heapmap_free(struct heapmap *m)
{
    driver_mem_free(m->samples);
    driver_mem_free(m->pieces);
    driver_mem_free(m);
}

/* ---- a sample -------------------------------------------------------- */

/* Addresses rise within a sample: the last piece is the one, or a new one. */
static struct piece *piece_for(struct heapmap *m, uint64_t unit)
{
    struct piece *last = m->npieces ? &m->pieces[m->npieces - 1] : NULL;
    if (last && last->unit == unit && last->sample == m->nsamples)
        return last;
    if (m->npieces == m->nroom) {
        m->nroom = m->nroom ? m->nroom * 2 : 1024;
        struct piece *more = driver_mem_alloc(m->nroom * sizeof *more);
        if (m->npieces)
            memcpy(more, m->pieces, m->npieces * sizeof *more);
        driver_mem_free(m->pieces);
        m->pieces = more;
    }
    last = &m->pieces[m->npieces++];
    *last = (struct piece){.unit = unit, .sample = m->nsamples};
    return last;
}

static void count(struct heapmap *m, uintptr_t from, uintptr_t to,
                  enum kind kind)
{
    while (from < to) {
        uintptr_t end = (from / m->unit + 1) * m->unit;
        end = end < to ? end : to;
        piece_for(m, from / m->unit)->bytes[kind] += end - from;
        from = end;
    }
}

static int by_address(const void *a, const void *b)
{
    const struct oracle_place *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

void heapmap_add(struct heapmap *m, size_t ops, struct oracle_place *live,
                 size_t n, const struct mm_stats *stats)
{
    struct sample *s = &m->samples[m->nsamples];
    *s = (struct sample){.ops = ops, .stats = *stats};
    qsort(live, n, sizeof *live, by_address);
    for (size_t i = 0; i < n; i++) {
        uintptr_t end = live[i].at + live[i].usable;
        s->payload += live[i].size;
        s->usable += live[i].usable;
        if (i + 1 < n && live[i + 1].at - end < HEAPMAP_GAP)
            end = live[i + 1].at;
        count(m, live[i].at, live[i].at + live[i].size, LIVE);
        count(m, live[i].at + live[i].size, end, METADATA);
    }
    m->nsamples++;
}

/* ---- printing -------------------------------------------------------- */

static int by_unit(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    if (x->unit != y->unit)
        return x->unit < y->unit ? -1 : 1;
    return (x->sample > y->sample) - (x->sample < y->sample);
}

static struct table table_make(const struct heapmap *m)
{
    struct table t = {0};
    qsort(m->pieces, m->npieces, sizeof *m->pieces, by_unit);
    for (size_t i = 0; i < m->npieces; i++)
        t.nunits += i == 0 || m->pieces[i].unit != m->pieces[i - 1].unit;
    t.first = driver_mem_alloc((t.nunits + 1) * sizeof *t.first);
    t.bytes = driver_mem_alloc((t.nunits * m->nsamples + 1) * sizeof *t.bytes);
    size_t unit = 0;
    for (size_t i = 0; i < m->npieces; i++) {
        const struct piece *p = &m->pieces[i];
        if (i == 0 || p->unit != p[-1].unit)
            t.first[i ? ++unit : 0] = p->sample;
        memcpy(t.bytes[p->sample * t.nunits + unit], p->bytes, sizeof p->bytes);
    }
    return t;
}

static void table_free(struct table *t)
{
    driver_mem_free(t->first);
    driver_mem_free(t->bytes);
}

/* Units [from, to) are the row; of a small heap a unit is several rows. */
static void put_row(FILE *f, const struct heapmap *m, const struct table *t,
                    unsigned sample, enum kind kind, size_t from, size_t to)
{
    size_t bytes = 0;
    bool used = false;
    for (size_t u = from; u < to; u++) {
        used |= t->first[u] <= sample;
        bytes += t->bytes[sample * t->nunits + u][kind];
    }
    if (used)
        fprintf(f, ",%zu",
                (bytes * 100 + m->unit * (to - from) / 2) /
                    (m->unit * (to - from)));
    else
        putc(',', f);
}

static void put_line(FILE *f, const struct heapmap *m, const struct table *t,
                     unsigned sample, enum kind kind, unsigned rows)
{
    static const char *const names[KINDS] = {"live", "metadata"};
    const struct sample *s = &m->samples[sample];
    fprintf(f, "%zu,%s,%zu,%zu,%zu,%zu,%zu", s->ops, names[kind], s->payload,
            s->usable, s->stats.heap, s->stats.metadata, t->nunits * m->unit);
    for (unsigned r = 0; r < rows; r++) {
        size_t from = r * t->nunits / rows, to = (r + 1) * t->nunits / rows;
        put_row(f, m, t, sample, kind, from, to > from ? to : from + 1);
    }
    putc('\n', f);
}

void heapmap_header(FILE *f, unsigned rows)
{
    fputs("allocator,trace,ops,kind,payload,usable,heap,bookkeeping,span", f);
    for (unsigned r = 0; r < rows; r++)
        fprintf(f, ",row%u", r);
    putc('\n', f);
}

void heapmap_print(const struct heapmap *m, FILE *f, const char *allocator,
                   const char *trace, unsigned rows)
{
    if (m->npieces == 0)
        return; /* no block anywhere: there is nothing to draw */
    struct table t = table_make(m);
    for (unsigned s = 0; s < m->nsamples; s++)
        for (int kind = 0; kind < KINDS; kind++) {
            fprintf(f, "%s,\"%s\",", allocator, trace);
            put_line(f, m, &t, s, (enum kind)kind, rows);
        }
    table_free(&t);
}
