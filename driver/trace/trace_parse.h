/* trace_parse.h - the steps from a file's bytes to a trace, for trace.c. */
#ifndef DRIVER_TRACE_PARSE_H
#define DRIVER_TRACE_PARSE_H

#include "driver/trace/trace.h"
#include "driver/trace/trace_lex.h"

#define TRACE_MAX_HEADER ((uint64_t)1 << 48) /* of any number in a header */

/* What a header says, whatever its generation. A line of 0: not said. */
struct trace_header {
    uint64_t ids, ops, threads, weight;
    uint64_t max_live; /* bytes; 0: not said */
    uint32_t ids_line, ops_line, threads_line, weight_line, max_live_line;
    bool thread_column; /* a thread number before each operation */
    bool superset;      /* `mmtrace 1` */
};

/* The state of a reader between two operations. */
struct trace_parser {
    struct lex *lx;
    const struct trace_header *h;
    struct trace *t;
    uint32_t *last; /* nids: P1 in trace_op.c */
    uint64_t live_bytes, nlive;
    unsigned thread; /* of the next operation */
    bool used[TRACE_MAX_THREADS];
    uint64_t tid[TRACE_MAX_THREADS]; /* thread column: as written, by thread */
};

/** Read the header of any generation; lx then stands before the first
 * operation. */
bool trace_header_read(struct lex *lx, struct trace_header *h);
/** Read all operations, as h announces them, into t (zeroed but for path). */
bool trace_ops_read(struct lex *lx, const struct trace_header *h,
                    struct trace *t);

/** Read one operation into *op, whose thread is set, and into the books. */
bool trace_op_read(struct trace_parser *ps, struct trace_op *op);
/** The latest operation on an id so far, or NULL. */
const struct trace_op *trace_op_latest(const struct trace_parser *ps,
                                       uint32_t id);

/** Does a zstd frame start here? */
bool trace_is_zstd(const void *data, size_t size);
/** Decompress all frames. @return text for driver_mem_free, or NULL. */
char *trace_unzstd(const void *data, size_t size, size_t *text_size,
                   const struct trace_msg *msg);

#endif
