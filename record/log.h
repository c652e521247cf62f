/* log.h - the event log: what librecord.so writes and rec2trace reads.
 *
 *   0         64 KiB     +256 KiB    +256 KiB
 *   | header    | chunk 0   | chunk 1   | ...            one file per process
 *               | thread | event | event | ... zeros |   32 bytes each
 *
 * Writers store through shared mappings of the file, so what was written
 * outlives _exit, abort and SIGKILL: there is nothing to flush.
 *
 * Invariants
 *   L1 a chunk belongs to one thread number, and its events follow one
 *      another in order of seq
 *   L2 an event counts once its seq is not 0: seq is stored last
 *   L3 seq is unique in a log; the numbers 1..max have gaps only where a
 *      killed thread had taken one and not yet stored its event
 *   L4 an address is stamped after the allocator gave it out and before it
 *      goes back: for one address, order of seq is order of operations
 *   L5 events with seq >= stop_seq are not part of the record: it ended there
 *      for the reason that stop_reason names */
#ifndef RECORD_LOG_H
#define RECORD_LOG_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_MAGIC "mmrlog 1"               /* 8 bytes, without the final zero */
#define LOG_HEADER_SIZE ((size_t)64 << 10) /* whole pages on any machine */
#define LOG_CHUNK_SIZE ((size_t)256 << 10)
#define LOG_NAME_MAX 64

enum event_kind {
    EV_MALLOC = 1,
    EV_CALLOC,         /* size is the product, elem the element size */
    EV_MEMALIGN,       /* align is log2 of the alignment */
    EV_FREE,           /* addr 0: free(NULL) */
    EV_REALLOC_FROM,   /* before the call: addr may be reused from here on */
    EV_REALLOC_TO,     /* after it: the block of this thread's FROM is here */
    EV_REALLOC_FAILED, /* after it: the block of this thread's FROM stayed */
    EV_FAILED,         /* an allocation that returned NULL */
};

struct event {
    _Atomic uint64_t seq;
    uint64_t addr;
    uint64_t size;
    uint8_t kind;
    uint8_t align;
    uint16_t unused;
    uint32_t elem; /* 0: does not fit */
};

/* The first 32 bytes of a chunk, in the place of an event. */
struct chunk_head {
    uint64_t thread_plus_1; /* 0: the chunk was never used */
    uint64_t unused[3];
};

#define LOG_CHUNK_EVENTS (LOG_CHUNK_SIZE / sizeof(struct event) - 1)

_Static_assert(sizeof(struct event) == 32, "the log's unit");
_Static_assert(sizeof(struct chunk_head) == sizeof(struct event), "one slot");

enum stop_reason {
    STOP_NONE,
    STOP_DISK,    /* the log could not grow; stop_errno says why */
    STOP_THREADS, /* more threads at once than the recorder numbers */
};

struct log_header {
    char magic[8];
    uint64_t pid;
    char parent[LOG_NAME_MAX]; /* fork: the parent's log file; else empty */
    uint64_t parent_seq;       /* fork: its events up to here are ours, too */
    _Atomic uint64_t stop_seq; /* 0: never stopped */
    _Atomic uint32_t stop_reason;
    uint32_t stop_errno;
    uint32_t command_size; /* bytes used of: */
    char command[4096];    /* /proc/self/cmdline, each word ended by 0 */
};

_Static_assert(sizeof(struct log_header) <= LOG_HEADER_SIZE, "fits its place");

#endif
