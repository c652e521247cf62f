/* child.h - the process in which one allocator works on one round.
 *
 * It gets a job, performs commands that the parent sends, answers each, and
 * leaves what it found in shared memory:
 *
 *   parent  ─── 'c', n ──►  child   checked pass  ──► struct shared
 *           ◄── 'c', n ───
 *
 * n is a number that nobody can guess: an answer without it is the allocator's.
 *
 * A job names things and holds no state of the parent's: a child that is
 * started by exec, under LD_PRELOAD, is given the same (peer.h). Only before
 * the first command may a child allocate from anything but driver_mem. */
#ifndef DRIVER_CHILD_H
#define DRIVER_CHILD_H

#include "config.h"
#include "driver/base/objects.h"
#include "driver/run/replay.h"
#include "driver/trace/plan.h"

enum command {
    CHILD_START = 's',   /* prepare, init, start threads: always the first */
    CHILD_CHECK = 'c',   /* checked pass */
    CHILD_TOUCH = 'r',   /* touch pass: resident memory */
    CHILD_TIME = 't',    /* one timed replay */
    CHILD_COUNT = 'n',   /* one replay that is counted */
    CHILD_LATENCY = 'l', /* one replay with the time of each operation */
    CHILD_END = 'q',     /* end threads, fini; the child answers and exits */
};

/* A command, and the answer when it is done. */
struct message {
    uint64_t number;
    uint64_t command; /* enum command */
};

/* What the child is at, for the report of a crash outside the operations. */
enum phase {
    PHASE_PREPARE,
    PHASE_INIT,
    PHASE_PASS,  /* marks say where each thread is */
    PHASE_CLEAR, /* freeing what a trace left */
    PHASE_CHECK, /* the allocator's own check */
    PHASE_FINI,
    PHASES
};

struct job {
    const struct mm_allocator *allocator;
    const char *library; /* a peer's (peer.h); NULL: linked in */
    int image;           /* one handed in (submission.h); -1: no */
    size_t memory;       /* of that: resident bytes that it may have; 0: any */
    struct trace *const *traces; /* those that parts name, by number */
    const struct round *round;
    int level; /* of the checked pass, as oracle_new */
    bool pin;
    bool latency; /* CHILD_LATENCY will come */
    bool moved;   /* its memory is to lie elsewhere than in others' children */
    struct ticker ticker;
};

/* Exit status of a child that could not do its work for lack of memory or of
 * threads: the machine's fault, said on stderr, and no allocator's. */
#define CHILD_EXIT_LACK 3

/* Thread numbers outside the replay. */
#define THREAD_NONE UINT32_MAX

/* Bytes of a peer's name, with the zero at its end. */
#define ALLOCATOR_NAME 32

/* What a child that is started by exec cannot inherit of a job; its traces
 * are named on its command line. */
struct order {
    char name[ALLOCATOR_NAME];
    int level, image;
    size_t memory;
    bool pin, latency;
    struct ticker ticker;
    unsigned ntraces, nparts, nthreads;
    struct part parts[MDRIVER_MAX_THREADS];
};

/* Where a thread was in the code: addresses, innermost first. The first is the
 * one of the fault, the others are behind calls. */
#define STACK_MOST 24
struct stack {
    _Atomic unsigned n; /* set last; 0: not known */
    uintptr_t pc[STACK_MOST];
};

struct shared {
    struct order order;
    struct fault fault;
    _Atomic int phase;            /* enum phase */
    _Atomic uint32_t died_thread; /* driver thread that got a signal */
    _Atomic int died_signal;      /* 0: none, or one that cannot be caught */
    _Atomic int died_code;        /* its si_code */
    _Atomic uintptr_t died_at;    /* address of the access */
    struct stack stack;     /* of the thread that died, or that was asked */
    struct objects objects; /* what the addresses of stack lie in */
    _Atomic int tids[MDRIVER_MAX_THREADS]; /* the system's numbers; 0: none */
    struct trail trail; /* of the only thread: checked pass, or touched */
    size_t timed_heap;  /* account_peak after the last unchecked replay */
    size_t peak_payload, peak_heap, touched_payload, peak_resident;
    double slack;
    struct mark marks[MDRIVER_MAX_THREADS];
    struct latency latency;
};

/** @param fd  where commands come from and answers go. */
_Noreturn void child_main(const struct job *job, struct shared *shared, int fd);

#endif
