/* config.h - the lab's tunable constants, each with its unit and its reason.
 *
 * Nothing here depends on a trace or a benchmark. Whoever changes a figure
 * runs `make grade` before and after and says in the commit what moved. */
#ifndef CONFIG_H
#define CONFIG_H

/* ---- memlib ---------------------------------------------------------- */

/* Addresses reserved for the heap, in bytes. Costs no memory: pages are
 * committed as the heap grows. Halved until the system agrees (RLIMIT_AS). */
#define MEM_RESERVE ((size_t)64 << 30)

/* The smallest reservation worth having; below it mem_init fails. */
#define MEM_RESERVE_MIN ((size_t)1 << 20)

/* Addresses reserved for records, in bytes, besides 1/1024 of the heap's: a
 * small heap has threads, too. */
#define MEM_RECORDS_MIN ((size_t)128 << 10)

/* Pages are committed in pieces of this many bytes: one system call each. */
#define MEM_COMMIT_PIECE ((size_t)1 << 20)

/* ---- stages ---------------------------------------------------------- */

/* Arenas at most; threads beyond share. At most 65536: ids are 16 bits wide.
 * A test builds the stage with few. */
#ifndef MM_MAX_ARENAS
#define MM_MAX_ARENAS 4096
#endif

/* The engine's policy: the header that says where free blocks wait
 * (mm/engine/fit.h). The Makefile builds a stage with each other one. */
#ifndef MM_FIT
#define MM_FIT "mm/engine/seglist.h"
#endif

/* ---- driver ---------------------------------------------------------- */

#define MDRIVER_MAX_THREADS 256
#define MDRIVER_MAX_PEERS 32 /* libraries in one run */
#define MDRIVER_WATCHDOG_SECONDS 60 /* without one finished operation */

/* K-best timing: stop when the best K runs agree within this fraction. */
#define MDRIVER_KBEST 3
#define MDRIVER_KBEST_EPSILON 0.01
#define MDRIVER_LEAST_RUNS 5
#define MDRIVER_MAX_RUNS 40
/* ... or when a round was timed for so long, all allocators together. */
#define MDRIVER_ROUND_SECONDS 5

/* A replay that is shorter is preceded by one that warms the caches. */
#define MDRIVER_SHORT_NS 20000000

/* --latency: replays whose operations are timed one by one. */
#define MDRIVER_LATENCY_RUNS 3

/* --count: replays that are counted, on one heap that is new at first: programs
 * do more than the 20 000 operations of a thread in most traces. */
#define MDRIVER_COUNT_RUNS 5

/* make grade: points for correctness, utilization and throughput. The last two
 * are in the proportion that malloc labs have always used. */
#define GRADE_CORRECT_POINTS 20
#define GRADE_UTIL_POINTS 60
#define GRADE_PERF_POINTS 40

/* Mean utilization that is worth nothing, and all points; linear between.
 * docs/grading.md says where they come from. */
#define GRADE_UTIL_NONE 0.40
#define GRADE_UTIL_FULL 0.95

/* Throughput over libc's that is worth all points; linear from 0. */
#define GRADE_PERF_FULL 1.0

#endif
