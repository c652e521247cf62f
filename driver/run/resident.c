/* resident.c - see resident.h. */
#include "driver/run/resident.h"

#include "driver/check/meter.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READINGS 128    /* at regular distances, shared among the lanes */
#define STEP_DIVISOR 64 /* a new height: 1/64 above the last one ... */
#define STEP_LEAST 4096 /* ... and at least this many bytes */
#define TOUCH_MOST ((size_t)64 << 20) /* bytes of one block */
#define PATTERN 0xa5

/* ---- the system's figure ------------------------------------------------- */

/* The number behind a key of /proc/self/smaps_rollup, in kB. No stdio: its
 * buffers would come from the allocator that is measured, if that is libc's. */
static bool find_kb(const char *text, const char *key, size_t *kb)
{
    const char *at = strstr(text, key);
    if (!at)
        return false;
    *kb = strtoull(at + strlen(key), NULL, 10);
    return true;
}

/* Opened once, when one thread is at work: later this process may open no file
 * (isolate.h), and several ask. */
static int rollup(void)
{
    static int fd = -1;
    static pid_t owner;
    if (owner != getpid()) {
        fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
        owner = getpid();
    }
    return fd;
}

size_t resident_now(void)
{
    char text[4096];
    int fd = rollup();
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    size_t kb = 0, swapped = 0;
    find_kb(text, "\nSwap:", &swapped);
    return find_kb(text, "\nAnonymous:", &kb) ? (kb + swapped) * 1024 : 0;
}

/* ---- the pass ------------------------------------------------------------ */

static void take_reading(struct resident *r)
{
    meter_raise(&r->peak, resident_now());
}

void resident_begin(struct resident *r, size_t expected, unsigned lanes)
{
    memset(r, 0, sizeof *r);
    r->expected = expected;
    r->lanes = lanes;
    r->base = resident_now();
    r->peak = r->base;
}

/* Readings come in steps (new_height). */
bool resident_covers(size_t resident, size_t written)
{
    size_t step = written / STEP_DIVISOR + 2 * STEP_LEAST;
    return resident == 0 || resident + step >= written;
}

size_t resident_peak(struct resident *r)
{
    return r->peak - r->base;
}

static void new_height(struct resident *r, size_t live)
{
    meter_raise(&r->peak_live, live);
    size_t next = atomic_load_explicit(&r->next, memory_order_relaxed);
    if (live < next)
        return;
    size_t step = live + live / STEP_DIVISOR + STEP_LEAST;
    if (live < r->expected && step > r->expected)
        step = r->expected;
    meter_raise(&r->next, step);
    take_reading(r);
}

static void add_live(struct resident *r, size_t now, size_t before)
{
    size_t live =
        now - before +
        atomic_fetch_add_explicit(&r->live, now - before, memory_order_relaxed);
    if (now > before)
        new_height(r, live);
}

/* Bytes of the block that this pass writes, and counts. */
static size_t payload(const struct trace_op *op)
{
    size_t size = script_bytes(op);
    return size < TOUCH_MOST ? size : TOUCH_MOST;
}

/* A realloc to 0 that gives a block: the checked pass freed that one. */
static void note_place(struct lane *lane, size_t i)
{
    const struct trace_op *op = &lane->l->ops[i];
    size_t index = script_index(lane->l, i);
    bool named = lane->script->trace->ops[index].id != TRACE_NO_ID;
    void *p = named && op->kind != TRACE_FREE ? *replay_slot(lane, i) : NULL;
    lane->trail->apart |= p && op->kind == TRACE_REALLOC && op->size == 0;
    trail_note(lane->trail, i, lane->l->nops, p);
}

/* Operation i was performed: write its payload and keep account. */
static void touch(struct lane *lane, struct resident *r, size_t i)
{
    const struct trace_op *op = &lane->l->ops[i];
    size_t index = script_index(lane->l, i);
    uint32_t id = lane->script->trace->ops[index].id;
    if (id == TRACE_NO_ID)
        return;
    void *p = *replay_slot(lane, i);
    size_t size = p && op->kind != TRACE_FREE ? payload(op) : 0;
    size_t before = op->kind == TRACE_FREE || op->kind == TRACE_REALLOC
                        ? lane->sizes[id]
                        : 0;
    if (script_bytes(op) > lane->absurd)
        size = before; /* not ours to fill, if it was had at all */
    else if (size)
        memset(p, PATTERN, size);
    lane->sizes[id] = size;
    add_live(r, size, before);
}

bool resident_touch(struct lane *lane, struct resident *r)
{
    size_t n = lane->l->nops, every = n / (READINGS / r->lanes + 1) + 1;
    bool good = true;
    atomic_store_explicit(&lane->mark->state, MARK_BUSY, memory_order_relaxed);
    for (size_t i = 0; good && i < n; i++) {
        good = replay_enter(lane, i) && replay_perform(lane, i);
        if (good && lane->trail)
            note_place(lane, i);
        if (good)
            touch(lane, r, i);
        replay_leave(lane, i);
        if (i % every == every - 1 || i == n - 1)
            take_reading(r);
    }
    atomic_store_explicit(&lane->mark->state, MARK_DONE, memory_order_relaxed);
    return good;
}
