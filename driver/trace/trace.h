/* trace.h - a trace in memory, and the reader that makes it from a file.
 *
 * The file format is specified in docs/traces.md. A trace that trace_read
 * returns is whole and consistent: every id is in range, no live id is
 * allocated, every free and realloc names a live one, counts are true, sizes
 * fit. No one checks again. To be known by code that plays a trace:
 *   - realloc(NULL, n) in a file is TRACE_MALLOC here, which it means;
 *   - realloc to size 0 is realloc(p, 0): it frees, the id is then not live;
 *   - an id may be allocated again once it is not live.
 *
 *   threads  0: a 0 64 ───────────► f 2         each operation belongs to a
 *            1:          c 2 4 8 ─► a 1 9       thread of the trace; operations
 *            file order ─────────────────►      on one block keep file order
 *
 * Invariants
 *   T1 nops == number of operations; ops[i] came from line trace_line(t, i)
 *   T2 every ops[i].id < nids, or it is TRACE_NO_ID (`f -1`, free(NULL))
 *   T3 every ops[i].thread < nthreads; each thread < nthreads has operations
 *   T4 seq[i] == number of operations on ops[i].id before i (nthreads > 1)
 *   T5 an op's wait bit is set iff the operation before it on the same id was
 *      another thread's: only then must a replay wait for that operation
 *   T6 nallocs + nfrees + nreallocs == nops; frees of TRACE_NO_ID count */
#ifndef DRIVER_TRACE_H
#define DRIVER_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trace_kind {
    TRACE_MALLOC,   /* a id size        */
    TRACE_CALLOC,   /* c id n size      */
    TRACE_MEMALIGN, /* m id align size  */
    TRACE_REALLOC,  /* r id size        */
    TRACE_FREE,     /* f id             */
};

#define TRACE_NO_ID UINT32_MAX                   /* `f -1`: free(NULL) */
#define TRACE_MAX_SIZE (((uint64_t)1 << 47) - 1) /* bytes, of one request */
#define TRACE_MAX_ALIGN ((uint64_t)1 << 30)      /* of memalign */
#define TRACE_MAX_THREADS 256
#ifndef TRACE_MAX_TEXT                     /* the fuzzer sets its own */
#define TRACE_MAX_TEXT ((size_t)256 << 20) /* bytes of text, unpacked */
#endif

/* 16 bytes: four to a cache line, so that replay costs little. */
struct trace_op {
    uint64_t size : 48; /* bytes; for calloc the product n * size */
    uint64_t kind : 3;  /* enum trace_kind */
    uint64_t wait : 1;  /* T5 */
    uint64_t align : 6; /* memalign: log2 of the alignment */
    uint64_t : 6;
    uint32_t id;
    uint16_t thread;
    uint16_t elem; /* calloc(size / elem, elem); 0: calloc(1, size) */
};

struct trace {
    char *path;           /* as given */
    char *name;           /* base name without suffixes .rep .trace .zst */
    struct trace_op *ops; /* nops, file order */
    uint32_t *seq;        /* nops; NULL if nthreads == 1 (T4) */
    uint32_t *line;       /* nops line numbers; NULL: first_line + i */
    size_t nops, nids;
    unsigned nthreads;   /* 1 for every single-threaded file */
    uint32_t first_line; /* line of ops[0] */
    int weight;          /* 0 not scored, 1 both, 2 utilization, 3 throughput */
    bool balanced;       /* every block is freed by the end */
    size_t peak_payload; /* highest sum of live sizes in file order, bytes */
    size_t asked;        /* sum of the sizes of all operations, bytes */
    size_t resized;      /* of those that resize a block, bytes */
    size_t nallocs, nfrees, nreallocs; /* allocs: a, c and m */
    size_t cross_frees; /* frees by another thread than the one that
                         * allocated or last resized the block */
};

/** Read one trace file, plain or zstd-compressed. Only regular files.
 * @param err,errsize  on failure one line without newline:
 *        `path:line: what was found, what was expected`; line 0 is the file
 *        as a whole (it cannot be opened, damaged zstd data).
 * @return the trace, or NULL. Nothing of a bad file is kept. */
struct trace *trace_read(const char *path, char *err, size_t errsize);
/** Read a trace from memory; name stands for the path in messages. */
struct trace *trace_parse(const char *name, const void *data, size_t size,
                          char *err, size_t errsize);
void trace_free(struct trace *t);
/** The line of the file that ops[i] came from; 1 is the first. */
static inline unsigned trace_line(const struct trace *t, size_t i)
{
    return t->line ? t->line[i] : t->first_line + (unsigned)i;
}
/** Paths of the trace files in a directory (*.rep, *.trace, each also .zst),
 * sorted by name; *n entries, each and the array malloc'ed. NULL and a
 * message on failure, an empty directory included. */
char **trace_list(const char *dir, size_t *n, char *err, size_t errsize);

#endif
