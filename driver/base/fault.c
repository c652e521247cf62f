/* fault.c - see fault.h. */
#include "driver/base/fault.h"

#include <stdarg.h>
#include <stdio.h>

bool fault_set(struct fault *f, enum fault_kind kind, unsigned thread,
               const char *format, ...)
{
    int none = 0;
    if (!atomic_compare_exchange_strong_explicit(
            &f->claimed, &none, 1, memory_order_relaxed, memory_order_relaxed))
        return false;
    va_list args;
    va_start(args, format);
    vsnprintf(f->text, sizeof f->text, format, args);
    va_end(args);
    f->thread = thread;
    atomic_store_explicit(&f->kind, (int)kind,
                          memory_order_release); /* publishes text, thread */
    return true;
}

const char *fault_name(int kind)
{
    static const char *const names[FAULT_KINDS] = {
        [FAULT_NONE] = "valid",      [FAULT_NULL] = "null",
        [FAULT_ALIGN] = "align",     [FAULT_OUTSIDE] = "outside",
        [FAULT_OVERLAP] = "overlap", [FAULT_DIRTY] = "dirty",
        [FAULT_DATA] = "data",       [FAULT_REALLOC] = "realloc",
        [FAULT_USABLE] = "usable",   [FAULT_CHECK] = "check",
        [FAULT_CRASH] = "crash",     [FAULT_HANG] = "hang",
        [FAULT_SLOW] = "slow",       [FAULT_MEMORY] = "memory",
        [FAULT_HEAP] = "heap",       [FAULT_GIVEN_UP] = "given-up",
    };
    return kind >= 0 && kind < FAULT_KINDS ? names[kind] : "unknown";
}
