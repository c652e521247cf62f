/* oracle_say.c - a fault in one line: allocator, thread, place, operation and
 * block, then what was found and what it clashed with. */
#include "driver/check/oracle_inside.h"
#include "driver/trace/trace_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATH_SHOWN 120 /* bytes of a trace's path in a message: its end */

static const char *path_end(const struct trace *t)
{
    size_t len = strlen(t->path);
    return len > PATH_SHOWN ? t->path + len - PATH_SHOWN : t->path;
}

bool fail(const struct call *c, enum fault_kind kind, const char *format, ...)
{
    char what[FAULT_TEXT], op[TRACE_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    trace_op_text(c->op, op, sizeof op);
    fault_set(c->o->fault, kind, c->thread,
              "%s: thread %u: %s:%u: %s%s of block %" PRIu32 ": %s",
              c->o->a->name, c->thread, path_end(c->trace), c->line,
              c->at_end ? "final " : "", op, c->op->id, what);
    return false;
}

/* `64 bytes at 0x..`, and how many more may be used. */
static void describe_place(const struct oracle_block *b, char *text,
                           size_t room)
{
    size_t size = block_size(b), usable = block_usable(b);
    char more[32] = "";
    if (usable > size)
        snprintf(more, sizeof more, ", %zu usable", usable);
    snprintf(text, room, "%zu bytes at %p%s", size, (void *)block_p(b), more);
}

/* Name the block that a key stands for. It may be freed while we look, by a
 * thread that has not heard of the fault yet: its replay cannot go, though. */
static void describe_key(struct oracle *o, uint32_t key, char *text,
                         size_t room)
{
    snprintf(text, room, "a block that is gone by now");
    pthread_mutex_lock(&o->lock);
    for (struct replay *r = o->replays; r; r = r->next) {
        if (key < r->base || key - r->base >= r->trace->nids)
            continue;
        struct oracle_block *b = &r->blocks[key - r->base];
        char place[96];
        describe_place(b, place, sizeof place);
        snprintf(text, room, "block %" PRIu32 " (%s, of thread %u, %s:%u)",
                 key - r->base, place,
                 atomic_load_explicit(&b->thread, memory_order_relaxed),
                 path_end(r->trace),
                 atomic_load_explicit(&b->line, memory_order_relaxed));
    }
    pthread_mutex_unlock(&o->lock);
}

bool fail_overlap(const struct call *c, const char *part, uint32_t key,
                  const char *more)
{
    char place[96], other[FAULT_TEXT / 2];
    describe_place(c->b, place, sizeof place);
    describe_key(c->o, key, other, sizeof other);
    return fail(c, FAULT_OVERLAP, "its %s (%s) overlaps live %s%s", part, place,
                other, more);
}
