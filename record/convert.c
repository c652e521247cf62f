/* convert.c - follows each block from address to address and gives it an id.
 *
 * Between FROM and TO of a realloc its block is at no address: it waits with
 * its thread, and the old address is free for anyone (see record.c). An event
 * that does not fit what is known (a library bound to another malloc, a kill
 * between an operation and its event) is mended and counted, never guessed. */
#include "record/convert.h"

#include "record/blocks.h"
#include "record/logread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_THREADS 32768
#define ALIGN 16      /* of every address but those made up here */
#define MAX_DEPTH 256 /* forks between the first process and this one */

struct heap {
    struct conversion *out;
    struct blocks at;
    struct block *moving; /* by thread: between FROM and TO; addr 0: none */
    uint64_t bytes;
    bool quiet; /* a parent's log: only who lives where is wanted */
};

static void emit(struct heap *h, struct op op)
{
    struct conversion *c = h->out;
    if (h->quiet)
        return;
    if (c->nops == c->room) {
        c->room = c->room ? 2 * c->room : 4096;
        c->ops = realloc(c->ops, c->room * sizeof *c->ops);
        if (!c->ops) {
            fputs("rec2trace: out of memory\n", stderr);
            exit(3);
        }
    }
    c->ops[c->nops++] = op;
    if (h->bytes > c->peak)
        c->peak = h->bytes;
}

static void release(struct heap *h, const struct block *b, uint32_t thread)
{
    h->bytes -= b->size;
    h->out->cross += !h->quiet && b->thread != thread;
    emit(h, (struct op){.letter = 'f', .id = b->id, .thread = thread});
}

/* A block of an address that was thought to be in use: its free went unseen. */
static void make_room(struct heap *h, uint64_t addr, uint32_t thread)
{
    struct block old;
    if (!blocks_take(&h->at, addr, &old))
        return;
    h->out->unseen += !h->quiet;
    release(h, &old, thread);
}

static void on_alloc(struct heap *h, const struct event *e, uint32_t thread,
                     char letter)
{
    make_room(h, e->addr, thread);
    uint32_t id = h->out->nids++;
    blocks_put(&h->at, (struct block){e->addr, e->size, id, thread});
    h->bytes += e->size;
    emit(h, (struct op){e->size, id, thread, e->elem, e->align, letter});
}

static void on_free(struct heap *h, uint64_t addr, uint32_t thread)
{
    struct block b;
    if (addr == 0)
        emit(h, (struct op){.letter = 'f', .id = OP_NO_ID, .thread = thread});
    else if (blocks_take(&h->at, addr, &b))
        release(h, &b, thread);
    else
        h->out->unknown += !h->quiet;
}

static void on_from(struct heap *h, const struct event *e, uint32_t thread)
{
    struct block *moving = &h->moving[thread];
    moving->addr = 0;
    if (e->size == 0)
        on_free(h, e->addr, thread); /* TO follows if that made a new block */
    else if (!blocks_take(&h->at, e->addr, moving))
        h->out->unknown += !h->quiet;
}

static void on_to(struct heap *h, const struct event *e, uint32_t thread)
{
    struct block b = h->moving[thread];
    h->moving[thread].addr = 0;
    if (!b.addr) {
        on_alloc(h, e, thread, 'a');
        return;
    }
    make_room(h, e->addr, thread);
    h->bytes += e->size - b.size;
    b.addr = e->addr;
    b.size = e->size;
    b.thread = thread;
    blocks_put(&h->at, b);
    emit(h, (struct op){
                .size = b.size, .id = b.id, .thread = thread, .letter = 'r'});
}

static void on_realloc_failed(struct heap *h, uint32_t thread)
{
    struct block *moving = &h->moving[thread];
    h->out->failed += !h->quiet;
    if (moving->addr)
        blocks_put(&h->at, *moving);
    moving->addr = 0;
}

static void on_event(struct heap *h, const struct event *e, uint32_t thread)
{
    switch ((enum event_kind)e->kind) {
    case EV_MALLOC: on_alloc(h, e, thread, 'a'); break;
    case EV_CALLOC: on_alloc(h, e, thread, 'c'); break;
    case EV_MEMALIGN: on_alloc(h, e, thread, 'm'); break;
    case EV_FREE: on_free(h, e->addr, thread); break;
    case EV_REALLOC_FROM: on_from(h, e, thread); break;
    case EV_REALLOC_TO: on_to(h, e, thread); break;
    case EV_REALLOC_FAILED: on_realloc_failed(h, thread); break;
    case EV_FAILED: h->out->failed += !h->quiet; break;
    }
}

/* Give the inherited blocks the first ids, and the trace their allocation. */
static void start_with_inherited(struct heap *h)
{
    struct block *all = blocks_sorted(&h->at);
    size_t n = h->at.n;
    h->out->nids = 0;
    h->out->inherited = n;
    h->bytes = 0;
    blocks_fini(&h->at);
    blocks_init(&h->at);
    for (size_t i = 0; i < n; i++) {
        struct event e = {.addr = all[i].addr, .size = all[i].size};
        on_alloc(h, &e, 0, 'a');
    }
    free(all);
}

static int follow(struct heap *h, const char *path, uint64_t upto, int depth,
                  char *err, size_t errsize);

/* The parent's log lies beside the child's. */
static int follow_parent(struct heap *h, const char *path,
                         const struct log_header *head, int depth, char *err,
                         size_t errsize)
{
    char parent[4096];
    const char *slash = strrchr(path, '/');
    snprintf(parent, sizeof parent, "%.*s%.*s",
             slash ? (int)(slash - path + 1) : 0, path,
             (int)sizeof head->parent, head->parent);
    if (depth == MAX_DEPTH) {
        snprintf(err, errsize, "%s: more than %d forks deep", path, MAX_DEPTH);
        return -1;
    }
    bool quiet = h->quiet;
    h->quiet = true;
    int r = follow(h, parent, head->parent_seq, depth + 1, err, errsize);
    h->quiet = quiet;
    if (r < 0) {
        size_t n = strlen(err);
        snprintf(err + n, errsize - n,
                 " (the parent of %s; --no-inherited does without)", path);
    }
    memset(h->moving, 0, MAX_THREADS * sizeof *h->moving);
    return r;
}

static void follow_events(struct heap *h, const struct log *log, uint64_t from,
                          uint64_t upto)
{
    size_t max = h->out->max_ops;
    for (uint64_t s = from; s <= log->last && s <= upto; s++) {
        if (!log->at[s])
            continue;
        if (max && !h->quiet && h->out->nops >= max) {
            h->out->cut = log->last - s + 1;
            return;
        }
        unsigned thread = log_thread(log, s);
        if (thread < MAX_THREADS)
            on_event(h, &log->events[log->at[s]], thread);
    }
}

/* @return the number of events that only tell who lives where. */
static uint64_t skip(struct heap *h, const struct log *log)
{
    h->quiet = true;
    follow_events(h, log, 1, h->out->skip);
    h->quiet = false;
    memset(h->moving, 0, MAX_THREADS * sizeof *h->moving);
    return h->out->skip;
}

static int follow(struct heap *h, const char *path, uint64_t upto, int depth,
                  char *err, size_t errsize)
{
    struct log log;
    if (log_open(&log, path, err, errsize) < 0)
        return -1;
    int r = 0;
    uint64_t from = 1;
    if (log.head->parent[0] && h->out->inherit)
        r = follow_parent(h, path, log.head, depth, err, errsize);
    if (r == 0 && depth == 0) {
        from += skip(h, &log);
        start_with_inherited(h);
        h->out->head = *log.head;
        h->out->head.command[sizeof log.head->command - 1] = '\0';
        h->out->killed = log.holes;
    }
    if (r == 0)
        follow_events(h, &log, from, upto);
    log_close(&log);
    return r;
}

/* The record ended between FROM and TO: the blocks are still alive. Their
 * addresses may be others' by now, so they get some that nobody has. */
static void settle(struct heap *h)
{
    for (uint64_t i = 0; i < MAX_THREADS; i++) {
        struct block b = h->moving[i];
        if (b.addr) {
            b.addr = i * ALIGN + 1;
            blocks_put(&h->at, b);
        }
    }
}

/* Each by its maker, in the order in which they were made. */
static void free_the_rest(struct heap *h)
{
    struct block *all = blocks_sorted(&h->at);
    for (size_t i = 0; i < h->at.n; i++)
        release(h, &all[i], all[i].thread);
    h->out->balanced = h->at.n;
    h->at.n = 0;
    free(all);
}

int convert_log(struct conversion *c, const char *path, char *err,
                size_t errsize)
{
    struct heap h = {.out = c};
    h.moving = calloc(MAX_THREADS, sizeof *h.moving);
    if (!h.moving) {
        snprintf(err, errsize, "out of memory");
        return -1;
    }
    blocks_init(&h.at);
    int r = follow(&h, path, UINT64_MAX, 0, err, errsize);
    settle(&h);
    if (r == 0 && c->balance)
        free_the_rest(&h);
    c->left = h.at.n;
    blocks_fini(&h.at);
    free(h.moving);
    return r;
}
