/* convert.h - from a process's event log to the operations of a trace.
 *
 *   log of the parent, up to the fork ──► blocks it had ──┐
 *   log ────────────────────────────────────────────────► ops
 *
 * A forked child starts with all blocks of its parent, so its trace starts
 * with their allocation, unless that is not wanted; a trace that starts later
 * than its program, with the allocation of what lives by then. */
#ifndef RECORD_CONVERT_H
#define RECORD_CONVERT_H

#include "record/log.h"
#include <stdbool.h>

struct op {
    uint64_t size;
    uint32_t id;     /* OP_NO_ID: free(NULL) */
    uint32_t thread; /* as recorded */
    uint32_t elem;
    uint8_t align;
    char letter; /* a c m r f */
};

#define OP_NO_ID UINT32_MAX

struct conversion {
    /* wanted */
    size_t max_ops; /* 0: all */
    size_t skip;    /* events of the log, before the trace starts */
    bool inherit;   /* start with what a forked child had from its parent */
    bool balance;   /* free at the end what the program left */
    /* made */
    struct op *ops;
    size_t nops, room;
    uint32_t nids;
    struct log_header head;
    /* counted */
    uint64_t inherited; /* blocks that the trace starts with */
    uint64_t balanced;  /* frees added at the end */
    uint64_t left;      /* blocks never freed */
    uint64_t unknown;   /* frees and reallocs of blocks of unknown origin */
    uint64_t unseen;    /* frees not seen, known by the address's next use */
    uint64_t failed;    /* requests that the program's allocator refused */
    uint64_t killed;    /* operations under way when the process ended */
    uint64_t cut;       /* events beyond max_ops */
    uint64_t cross;     /* frees by another thread than made or resized it */
    uint64_t peak;      /* highest sum of live sizes, bytes */
};

/** Fill the second half of *c. @return 0; or -1 with one line in err. */
int convert_log(struct conversion *c, const char *path, char *err,
                size_t errsize);

#endif
