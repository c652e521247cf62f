/* trace_text.c - see trace_text.h. */
#include "driver/trace/trace_text.h"

#include <stdio.h>

void trace_op_text(const struct trace_op *op, char *text, size_t room)
{
    size_t size = op->size, elem = op->elem;
    switch ((enum trace_kind)op->kind) {
    case TRACE_MALLOC: snprintf(text, room, "malloc(%zu)", size); break;
    case TRACE_CALLOC:
        snprintf(text, room, "calloc(%zu, %zu)", elem ? size / elem : 1,
                 elem ? elem : size);
        break;
    case TRACE_MEMALIGN:
        snprintf(text, room, "memalign(%zu, %zu)", (size_t)1 << op->align,
                 size);
        break;
    case TRACE_REALLOC: snprintf(text, room, "realloc(.., %zu)", size); break;
    case TRACE_FREE: snprintf(text, room, "free"); break;
    }
}
