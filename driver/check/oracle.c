/* oracle.c - performs operations and checks them; see oracle.h. */
#include "driver/check/oracle.h"

#include "driver/base/driver_mem.h"
#include "driver/check/oracle_inside.h"
#include "driver/check/shadow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SAMPLE_OPS                                                             \
    1024 /* operations of a trace between samples of the heap                  \
          */

static struct replay *replay_of(struct oracle_block *blocks)
{
    return (struct replay *)((char *)blocks - offsetof(struct replay, blocks));
}

/* ---- operations ------------------------------------------------------ */

static bool null_is_right(const struct call *c, int error)
{
    if (error != ENOMEM)
        return fail(c, FAULT_NULL, "NULL and errno %d, expected a block%s",
                    error, c->op->size > c->o->absurd ? " or ENOMEM" : "");
    return c->op->size > c->o->absurd ||
           fail(c, FAULT_NULL,
                "NULL and ENOMEM, expected a block: only %zu bytes are live",
                meter_payload(&c->o->meter));
}

static void *call_allocator(const struct call *c)
{
    const struct mm_allocator *a = c->o->a;
    size_t size = c->op->size, elem = c->op->elem;
    if (c->op->kind == TRACE_MALLOC)
        return a->malloc(size);
    if (c->op->kind == TRACE_MEMALIGN)
        return a->memalign((size_t)1 << c->op->align, size);
    if (c->op->kind == TRACE_CALLOC)
        return elem ? a->calloc(size / elem, elem) : a->calloc(1, size);
    return a->realloc(NULL, size);
}

static bool do_alloc(const struct call *c)
{
    size_t size = c->op->size;
    errno = 0;
    unsigned char *p = call_allocator(c);
    if (!p)
        return null_is_right(c, errno);
    if (!block_accept(c, p, size))
        return false;
    if (c->op->kind == TRACE_CALLOC && !block_zero(c))
        return false;
    block_fill(c);
    meter_grows(&c->o->meter, size);
    return true;
}

/* The block is no more. */
static void forget(const struct call *c)
{
    meter_shrinks(&c->o->meter, block_size(c->b));
    atomic_store_explicit(&c->b->p, NULL, memory_order_relaxed);
}

/* What realloc returned is in p, or p is the old block, that it left alone. */
static bool resized(const struct call *c, unsigned char *p, size_t size)
{
    size_t old_size = block_size(c->b);
    if (!block_accept(c, p, size) || !block_kept(c, old_size, c->b->seed))
        return false;
    block_fill(c);
    if (size >= old_size)
        meter_grows(&c->o->meter, size - old_size);
    else
        meter_shrinks(&c->o->meter, old_size - size);
    return true;
}

/* A realloc that moves frees the old block inside, and another thread may get
 * it before realloc returns: so its claim goes before the call (O1). */
static bool do_realloc(const struct call *c)
{
    unsigned char *old = block_p(c->b);
    if (!old)
        return do_alloc(c);
    if (!block_intact(c))
        return false;
    block_release(c);
    errno = 0;
    unsigned char *p = c->o->a->realloc(old, c->op->size);
    if (c->op->size == 0) { /* trace.h: the id is dead, whatever p is */
        forget(c);
        c->o->a->free(p);
        return true;
    }
    if (p)
        return resized(c, p, c->op->size);
    return null_is_right(c, errno) && resized(c, old, block_size(c->b));
}

static bool do_free(const struct call *c)
{
    unsigned char *p = c->b ? block_p(c->b) : NULL;
    if (p) {
        if (!block_intact(c))
            return false;
        block_release(c);
        forget(c);
    }
    c->o->a->free(p);
    return true;
}

static bool do_op(const struct call *c)
{
    if (c->op->kind == TRACE_FREE)
        return do_free(c);
    if (c->op->kind == TRACE_REALLOC)
        return do_realloc(c);
    return do_alloc(c);
}

static bool heap_is_sound(const struct call *c)
{
    size_t broken = c->o->a->check ? c->o->a->check() : 0;
    return !broken ||
           fail(c, FAULT_CHECK, "after it, check() finds %zu broken invariants",
                broken);
}

bool oracle_op(struct oracle *o, const struct oracle_where *where,
               struct oracle_block *blocks)
{
    const struct trace_op *op = &where->trace->ops[where->op];
    bool named = op->id != TRACE_NO_ID;
    struct call c = {.o = o,
                     .trace = where->trace,
                     .b = named ? &blocks[op->id] : NULL,
                     .op = op,
                     .line = trace_line(where->trace, where->op),
                     .thread = where->thread,
                     .key = named ? replay_of(blocks)->base + op->id : 0};
    if (!do_op(&c) || (o->level == 2 && !heap_is_sound(&c)))
        return false;
    if (where->op % SAMPLE_OPS == 0)
        meter_sample(&o->meter);
    return !fault_seen(o->fault);
}

/* ---- replays --------------------------------------------------------- */

struct oracle *oracle_new(const struct mm_allocator *a, int level,
                          struct fault *fault)
{
    struct oracle *o = driver_mem_alloc(sizeof *o);
    o->a = o->meter.a = a;
    o->level = level;
    o->fault = fault;
    o->shadow = level ? shadow_new() : NULL;
    o->absurd =
        (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE) / 2;
    pthread_mutex_init(&o->lock, NULL);
    o->next_key = 1;
    return o;
}

void oracle_free(struct oracle *o)
{
    if (!o)
        return;
    shadow_free(o->shadow);
    pthread_mutex_destroy(&o->lock);
    driver_mem_free(o);
}

struct oracle_block *oracle_begin(struct oracle *o, const struct trace *t)
{
    struct replay *r =
        driver_mem_alloc(sizeof *r + t->nids * sizeof r->blocks[0]);
    r->trace = t;
    pthread_mutex_lock(&o->lock);
    if (t->nids > SHADOW_KEY_MAX - o->next_key) {
        fprintf(stderr,
                "mdriver: the traces replayed at once have more than %" PRIu32
                " blocks; use fewer threads (-n)\n",
                SHADOW_KEY_MAX);
        exit(3);
    }
    r->base = o->next_key;
    o->next_key += (uint32_t)t->nids;
    r->next = o->replays;
    o->replays = r;
    pthread_mutex_unlock(&o->lock);
    return r->blocks;
}

/* The last replay to go lets the keys begin anew: no claim is left (O4). */
static void replay_remove(struct oracle *o, struct replay *gone)
{
    pthread_mutex_lock(&o->lock);
    struct replay **at = &o->replays;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    if (!o->replays)
        o->next_key = 1;
    pthread_mutex_unlock(&o->lock);
    driver_mem_free(gone);
}

bool oracle_end(struct oracle *o, const struct trace *t, unsigned thread,
                struct oracle_block *blocks)
{
    struct trace_op op = {.kind = TRACE_FREE};
    struct call c = {
        .o = o, .trace = t, .op = &op, .thread = thread, .at_end = true};
    c.line = t->nops ? trace_line(t, t->nops - 1) : t->first_line;
    meter_sample(&o->meter);
    for (size_t id = 0; id < t->nids && !fault_seen(o->fault); id++) {
        op.id = (uint32_t)id;
        c.b = &blocks[id];
        if (block_p(c.b))
            do_free(&c);
    }
    replay_remove(o, replay_of(blocks));
    return !fault_seen(o->fault);
}

bool oracle_place(const struct oracle_block *blocks, size_t id,
                  struct oracle_place *out)
{
    const struct oracle_block *b = &blocks[id];
    if (!block_p(b))
        return false;
    *out = (struct oracle_place){.at = (uintptr_t)block_p(b),
                                 .size = block_size(b),
                                 .usable = block_usable(b)};
    return true;
}

size_t oracle_peak_payload(const struct oracle *o)
{
    return meter_peak_payload(&o->meter);
}

size_t oracle_peak_heap(struct oracle *o)
{
    return meter_peak_heap(&o->meter);
}

double oracle_slack(const struct oracle *o)
{
    size_t asked = atomic_load_explicit(&o->asked, memory_order_relaxed);
    size_t slack = atomic_load_explicit(&o->slack, memory_order_relaxed);
    return asked ? (double)slack / (double)asked : -1;
}
