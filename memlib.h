/* memlib.h - the memory system: the only file that asks the kernel for memory.
 *
 *    pages    records   base                     brk     committed    limit
 *     | 1/128  | 1/128   |  blocks of all arenas  |  zeros   | nothing  | page
 *     +--------+---------+------------------------+----------+----------+----+
 *                        |<---- mem_heapsize ---->|
 *                        |<---------------- mem_range.size --------------->|
 *
 * mem_init chooses a window of addresses that nobody uses, and the break moves
 * up in it by compare-and-swap: any number of threads may grow the heap at once
 * and none waits for another. Nothing is reserved: pages are mapped, readable
 * and writable at once, as the break gets there (mempart.h), so that limits,
 * mlockall and core dumps meet what the heap has and no more. If something of
 * others lies in the way, the break jumps over it.
 *
 * The range is divided into zones of 64 GiB, as far as 32-bit links reach. What
 * is handed out lies in one zone (memzone.h). So an arena that keeps to one may
 * count its links from there, and all arenas together may have terabytes.
 *
 * Bytes between the old and the new break are zero and belong to the caller; no
 * other bytes do: in a child of fork their owner may still be making them zero.
 * For each 4 KiB of the range there is a page record, zero at first: the
 * allocator's own, for what it needs to know of an address. Records are the
 * allocator's own bookkeeping: arenas, caches; never given back. The break
 * never falls, but what lies below may be unmapped, and had again (memhole.h).
 * Large blocks may be mapped outside the range by mem_map; they count in the
 * same peak.
 *
 * All functions but mem_init, mem_reset and mem_fini may be called by any
 * thread at any time, also from a signal handler, and from a library's hooks of
 * mmap, munmap, mremap or madvise (memsys.h). */
#ifndef MEMLIB_H
#define MEMLIB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEM_GRAIN_LOG2 12 /* bytes of a page of the range: 4 KiB */

/** What the allocator keeps of a page of the range. memlib only makes it zero;
 * the fields are mm/engine/slab.h's, and other designs' as they like. */
struct mem_page {
    uint32_t tag;
    uint16_t room;
    uint8_t carved, listed;
    void *free;
    uint32_t next, prev;
    uint16_t units, bound;
    uint32_t inverse;
};

_Static_assert(sizeof(struct mem_page) == 32, "two records in a cache line");

/** The range. Constant between mem_init and mem_fini, but for blocks; size 0
 * before. Inline so that the allocator finds an address's page in one load. */
struct mem_range {
    char *base;
    size_t size; /* bytes from base: zones, or one that is smaller. The last
                    page of each is never used */
    struct mem_page *pages; /* of p: pages[(p - base) >> MEM_GRAIN_LOG2] */
    _Atomic size_t blocks; /* committed / 16: payloads that could begin there */
    char *records;         /* the first of mem_record */
    void *process;   /* a page of the allocator's own words, zero at first, and
                        zero again in a child of fork: what it cannot inherit */
    bool no_barrier; /* mem_barrier does nothing: fence yourselves */
    _Atomic bool scarce; /* addresses are limited, or were refused: what is free
                            is better given back whole (mem_release) */
};
extern struct mem_range mem_range __attribute__((visibility("hidden")));

/** Payloads that could begin in the range now. Only rises. Relaxed: for a
 * thread that was given a block it is high enough, as it was raised before the
 * block was made. */
static inline size_t mem_blocks(void)
{
    return atomic_load_explicit(&mem_range.blocks, memory_order_relaxed);
}

/** Is p where blocks may be: does it have a page record, and can it be read? */
static inline bool mem_in_range(const void *p)
{
    return (size_t)((const char *)p - mem_range.base) / 16 < mem_blocks();
}

/** Huge pages of the heap (memthp.h). */
enum mem_huge {
    MEM_HUGE_AS_IT_IS, /* the kernel is told nothing */
    MEM_HUGE_NEVER,
    MEM_HUGE_LARGE, /* a large heap that grows densely has them */
};

/** What an operator may set (docs/operator.md). The lab leaves it as it is. */
struct mem_options {
    _Atomic enum mem_huge huge; /* set by mem_set_huge */
    _Atomic long decay_ms;      /* < 0: nothing goes back by itself */
    _Atomic bool background;    /* a thread sees to that */
    _Atomic bool names;         /* set by mem_set_names */
};
extern struct mem_options mem_options __attribute__((visibility("hidden")));

/** decay_ms is as many periods: some memory goes back at the end of each. */
#define DECAY_PERIODS 8

/** The thread's own, for the caller of malloc: false at first, and made false
 * again by each system call here. So a caller that sets it true where
 * mem_calling is false needs no other look. See preload.c. */
extern __thread bool mem_gate __attribute__((visibility("hidden")));

/** Choose the range (once; further calls keep it). May be entered again from a
 * hook of the system calls that it makes.
 * @return 0, or -1 with errno == ENOMEM: not even the first pages are free. */
int mem_init(void);
/** Forget every block: break to base, records of pages to 0, memory given back,
 * peak to 0.
 * @pre quiescent. */
void mem_reset(void);
/** As mem_reset, and give up the range and all that is mapped there. */
void mem_fini(void);

/** Append to the heap.
 * @param size  bytes, a multiple of 8.
 * @return size zero bytes, 64-aligned, so that no two callers' memory shares a
 *         cache line (up to 48 bytes are skipped); NULL, errno == ENOMEM. */
void *mem_sbrk(size_t size);
/** The same, in a zone. @return NULL, errno == ENOMEM: also if the break has
 * left the zone, or leaves it for this. */
void *mem_sbrk_in(const void *zone, size_t size);
/** Append to the heap if it still ends at end.
 * @return true and size zero bytes at end; false if another thread grew the
 *         heap meanwhile (errno unchanged), or with errno == ENOMEM: also if
 *         the zone ends before. */
bool mem_extend(const void *end, size_t size);

/** Where the zone begins that p, in the range, lies in. */
char *mem_zone(const void *p);
/** Is the break in this zone? Elsewhere nothing is appended any more. */
bool mem_zone_grows(const void *zone);

/** So many bytes are about to be appended to the heap, and perhaps not written
 * (memthp.h). */
void mem_grows_sparse(size_t size);

/** Give the addresses of a part of the heap back, whole pages that are the
 * caller's: they count under a limit no more, and may not be touched. errno is
 * kept. @return false: not so, it is as it was */
bool mem_release(void *p, size_t size);
/** Have addresses again that were given back: at end, or anywhere in the first
 * zone if end is NULL.
 * @param size  bytes; rounded up to pages.
 * @return zero bytes; NULL: there are none, or there is no memory */
void *mem_reuse(const void *end, size_t *size);

/** A record: bookkeeping that stays until mem_reset and is no part of the heap.
 * @param size  bytes, a multiple of 64.
 * @return size zero bytes, 64-aligned; NULL, errno == ENOMEM. */
void *mem_record(size_t size);

/** A block for a thread that is inside the allocator already: a hook of one of
 * memlib's system calls, perhaps of the very first, allocates. It needs no lock
 * and no word of the allocator's, and is no part of the heap (memside.h).
 * @param align  a power of two.
 * @return a block of anything; NULL, errno == ENOMEM. */
void *mem_side(size_t align, size_t size);
/** @return bytes that may be used at p; 0: it is no live side block */
size_t mem_side_usable(const void *p);
/** Free p, in any thread, at any time. @return false: no live side block */
bool mem_side_free(void *p);
/** Keep p, freed inside such a call, until mem_later_take. @pre memlib has
 * started; p has a word of its own */
void mem_later(void *p);
/** @return all that was kept; each one's first word leads to the next */
void *mem_later_take(void);

/** When it returns, every thread of the process has passed a full fence since
 * the call, at no cost to those threads' own code (membarrier(2)). Waits for
 * none: a thread that does not run has passed one when it was stopped.
 * Where the system lacks that, mem_range.no_barrier says so from the start.
 * @return false: it was refused (a seccomp filter); nobody passed any. */
bool mem_barrier(void);

/** Map whole pages outside the range.
 * @param size  bytes; rounded up to pages.  @param align  a power of two.
 * @return zeroed memory, or NULL with errno == ENOMEM. */
void *mem_map(size_t size, size_t align);
/** The same just there, outside the range, at a page. @return false, errno ==
 * EEXIST: something is there already; or ENOMEM. */
bool mem_map_at(void *at, size_t size);
/** Resize what mem_map gave; may move it. NULL and ENOMEM leave it as it is. */
void *mem_remap(void *p, size_t old_size, size_t new_size);
/** Give back what mem_map gave. errno is kept. */
void mem_unmap(void *p, size_t size);

/** Give the whole pages inside [p, p + size) back to the system; they read as
 * zero afterwards. @return bytes given back. errno is kept. */
size_t mem_purge(void *p, size_t size);

/** The same for memory that the allocator merely has no use for; but parts of
 * huge pages that are not worth a whole one stay as they are.
 * @return bytes given back */
size_t mem_give_back(void *p, size_t size);

/** A mapping of size bytes best ends at a multiple of this: a page, or a huge
 * one. */
size_t mem_block_unit(size_t size);
/** p is what mem_map gave, or mem_remap. written: the program will write it
 * from its beginning on, not here and there. all: bytes of all blocks beside
 * which a huge page more is to be little. errno is kept (memthp.h) */
void mem_will_be(bool written, void *p, size_t size, size_t all);

/** From now on, and for what is mapped of the heap already. Not in a signal
 * handler. */
void mem_set_huge(enum mem_huge huge);

/** Name what is mapped, and will be, in /proc/PID/smaps, if the kernel can. */
void mem_set_names(void);

/** What mem_map gave, and mem_unmap did not take back. */
struct mem_mapped {
    size_t regions, bytes, most_regions, most_bytes;
};
struct mem_mapped mem_mapped(void);

/** Bytes that are mapped, and for what. Each is read once: others may map more
 * meanwhile. */
struct mem_sizes {
    size_t heap;    /* handed out by mem_sbrk and mem_extend */
    size_t ahead;   /* of the heap, beyond the break: nobody has touched them */
    size_t outside; /* by mem_map */
    size_t records; /* records, and those of pages */
};
struct mem_sizes mem_sizes(void);

/** Where memlib keeps these, for a program that reads them from another process
 * (mm/engine/view.h). */
struct mem_view {
    const _Atomic size_t *brk, *skipped, *committed; /* of the heap */
    const _Atomic size_t *records_brk, *records_skipped, *records_committed;
    const _Atomic size_t *outside;
};
extern const struct mem_view mem_view __attribute__((visibility("hidden")));

/** The break: the end of the heap. */
void *mem_brk(void);
/** Where the break jumped to from p; p if it did not. For a thread that is
 * alone: bytes between are nobody's, and may not be touched. */
const void *mem_skip(const void *p);
/** Is this thread inside one of memlib's system calls: in a hook? */
bool mem_calling(void);
/** Is [p, p + size) inside the heap: between base and break? */
bool mem_contains(const void *p, size_t size);
/** Bytes between base and break that were handed out, plus bytes mapped. */
size_t mem_heapsize(void);
/** Bytes of records handed out. */
size_t mem_recordsize(void);
/** The highest mem_heapsize since mem_init or mem_reset. */
size_t mem_peak(void);
/** The system's page size in bytes. */
size_t mem_pagesize(void);

#endif
