/* config.h - the lab's tunable constants, each with its unit and its reason.
 *
 * Nothing here depends on a trace or a benchmark. Whoever changes a figure
 * runs `make grade` before and after and says in the commit what moved. */
#ifndef CONFIG_H
#define CONFIG_H

/* A line of the cache, in bytes: a word that one thread writes often shares no
 * line with what others touch. Some processors of Arm have lines of 128. */
#ifdef __aarch64__
#define CACHE_LINE 128
#else
#define CACHE_LINE 64
#endif

/* ---- memlib ---------------------------------------------------------- */

/* A zone is as many bytes as the 32-bit links of one arena reach, in units of
 * 16: each arena lies in one zone. A test builds the stages with small ones. */
#ifndef MEM_ZONE
#define MEM_ZONE ((size_t)64 << 30)
#endif

/* Addresses that the heap may have, in bytes, where there are as many: a
 * sixteenth of 47 bits. Costs nothing: pages are mapped as the heap grows. */
#ifndef MEM_WINDOW
#define MEM_WINDOW ((size_t)8 << 40)
#endif

/* Addresses for records, in bytes, besides 1/128 of the heap's. */
#define MEM_RECORDS_MIN ((size_t)128 << 10)

/* The heap's first piece, and that of its records, in bytes. Pieces grow with
 * the heap, so that a small program has little and a large one makes few system
 * calls. */
#define MEM_PIECE ((size_t)256 << 10)
#define MEM_RECORDS_PIECE ((size_t)64 << 10)

/* Page records are mapped for so many bytes of the heap at first, and for as
 * many again as there are each time that they do not reach: 64 KiB of them. */
#define MEM_TAGGED ((size_t)8 << 20)

/* Huge pages (memthp.h). The heap's first ones, in bytes so many huge pages,
 * are small: then what is not used of the last one is 1/32 of it at most. */
#define THP_FROM 32

/* The same for each of several arenas: a further region is an eighth of one. */
#define THP_REGION (THP_FROM / 8)

/* A heap of whose growth more than a quarter was for large blocks, of which
 * perhaps only the first page is written, is not dense. */
#define THP_SPARSE 4

/* 1/32 of a huge page is worth being given back alone: 64 KiB of 2 MiB. And so
 * many places of small pages, two mappings each, make no more by that: of the
 * 65,530 mappings that a process may have. */
#define THP_SPLIT 32
#define THP_SPLITS 8192

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

/* Larger blocks, in bytes, are mappings of their own (mm/front/huge.h). At
 * least 4 MiB: up to there a block that is freed and allocated in turn costs no
 * system call; and to copy it once when it grows beyond costs no more than to
 * fill it did. */
#ifndef HUGE_OVER
#define HUGE_OVER ((size_t)4 << 20)
#endif

/* The largest mapping that is kept for the next such block, and all that are
 * kept at a time, in bytes: as much as a heap may keep, too. */
#define SPARE_MOST ((size_t)32 << 20)
#define SPARES_MOST ((size_t)64 << 20)

/* ---- driver ---------------------------------------------------------- */

#define MDRIVER_MAX_THREADS 256
#define MDRIVER_MAX_PEERS 32        /* libraries in one run */
#define MDRIVER_WATCHDOG_SECONDS 60 /* without one finished operation */
#define MDRIVER_ALONE_SECONDS 5     /* ... of one thread that is tried alone */

/* An allocator with so many faults is given up: those that follow say the same
 * again. --keep-going goes on; a grade gives up after so many hangs only. */
#define MDRIVER_FAULTS 3

/* --limit: processor seconds of each thread that one pass may take, and so many
 * times that by the clock, as others may have the processors. The slowest pass
 * of a list without any index over the lab's traces takes half a minute. */
#define MDRIVER_LIMIT_SECONDS 120
#define MDRIVER_LIMIT_CLOCK 10

/* --memory: what a child may have resident: so many times the payload of its
 * traces at their peaks, and at least so many bytes, which is what 256 threads
 * and the driver's own tables need. */
#define MDRIVER_MEMORY_TIMES 16
#define MDRIVER_MEMORY_LEAST ((size_t)1 << 30)

/* Replays that are shorter have no speed: reading the clock, some 20 to 50 ns,
 * would be more than a fiftieth of them. */
#define MDRIVER_LEAST_NS 2000

/* One in so many timed replays is preceded by, or followed by, one that is
 * stopped twice to look at the blocks; and each child ends with one: what was
 * right at first may be wrong by then. */
#define MDRIVER_INSPECT_ONE_IN 8

/* The heap of timed replays over that of the checked one, and bytes more beside
 * those that one replay resizes (with several threads: asks for): beyond it,
 * blocks are not used again. A heap that served many replays is more scattered
 * than a new one, and threads meet differently each time. */
#define MDRIVER_HEAP_TIMES 4
#define MDRIVER_HEAP_MORE ((size_t)4 << 20)

/* The same for the first replay that is not checked, on a new heap, by one
 * thread: nothing is left to chance but where memory is mapped. */
#define MDRIVER_NEW_HEAP_TIMES 1.25
#define MDRIVER_NEW_HEAP_MORE ((size_t)64 << 10)

/* Resident bytes that a file which was handed in may have beside its heap: its
 * code and a few arrays. */
#define MDRIVER_HIDDEN ((size_t)256 << 10)

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

/* Ratios count up to this one: a trace can make up for another that is half as
 * fast as libc, and no more. Without it one on which libc pages in and out
 * (285x was seen) would outweigh thirty that are slow. */
#define GRADE_PERF_MOST 2.0

/* 1: an allocator for one thread is graded by its runs with one thread. 0: with
 * more it has no points, as a course that asks for threads will have it. */
#define GRADE_SINGLE_THREADED_WHOLE 1

#endif
