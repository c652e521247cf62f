/* fault.h - the first fault of a run: what kind, which thread, one line.
 *
 * Many threads may find faults at once, and a sandbox's parent may be reading:
 * the first to take `claimed` writes the text, and only then sets `kind`. Who
 * sees a kind other than FAULT_NONE sees the whole text. */
#ifndef DRIVER_FAULT_H
#define DRIVER_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>

enum fault_kind {
    FAULT_NONE,
    FAULT_NULL,     /* malloc and friends returned NULL */
    FAULT_ALIGN,    /* payload not aligned */
    FAULT_OUTSIDE,  /* payload outside the heap */
    FAULT_OVERLAP,  /* overlaps another live block */
    FAULT_DIRTY,    /* calloc'ed bytes are not zero */
    FAULT_DATA,     /* payload changed while the block was live */
    FAULT_REALLOC,  /* realloc lost data */
    FAULT_USABLE,   /* usable_size below the size asked for */
    FAULT_CHECK,    /* the allocator's own check found broken invariants */
    FAULT_CRASH,    /* a signal ended it (found by the sandbox) */
    FAULT_HANG,     /* no operation finished in time (found by the sandbox) */
    FAULT_SLOW,     /* a pass took longer than --limit (the sandbox, too) */
    FAULT_MEMORY,   /* it had more memory than --memory (the sandbox, too) */
    FAULT_HEAP,     /* its heap cannot have been so small, or grew and grew */
    FAULT_GIVEN_UP, /* not tried any more: it had too many faults */
    FAULT_KINDS
};

#define FAULT_TEXT 1024

/* Lives in memory shared with the sandbox's parent; starts as zeros. */
struct fault {
    _Atomic int kind;      /* enum fault_kind; set last */
    _Atomic int claimed;   /* 0, or 1: someone is writing, or has written */
    unsigned thread;       /* driver thread that found it */
    char text[FAULT_TEXT]; /* the whole message: one line, no newline */
};

/** Record a fault if it is the first. Any thread.
 * @return true if this one now stands, false if another came before. */
bool fault_set(struct fault *f, enum fault_kind kind, unsigned thread,
               const char *format, ...) __attribute__((format(printf, 4, 5)));
/** Has any thread found a fault? Its text may still be being written. */
static inline bool fault_seen(struct fault *f)
{
    return atomic_load_explicit(&f->claimed, memory_order_relaxed) != 0;
}
/** One word for a kind, as tables and --json show it: "overlap". */
const char *fault_name(int kind);

#endif
