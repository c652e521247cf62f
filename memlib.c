/* memlib.c - one reserved range, a break that moves by compare-and-swap.
 *
 * Every word that threads share is below, with who may write it:
 *
 *   mem_range     mem_init and mem_fini only
 *   brk, used     any thread, CAS upward; mem_reset back to the start
 *   committed     of heap, tags, records: any thread, CAS upward after the
 *                 pages are accessible, so that all below the mark are; two
 *                 threads may commit the same pages at once, which is harmless
 *   mapped, peak  any thread, fetch_add and CAS upward
 *
 * No step waits for another thread: a failed CAS means that another's succeeded
 * (lock-free). Values are counts and bounds; no memory is published through
 * them, so all orders are relaxed. */
#include "memlib.h"
#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct mem_range mem_range;

/* A part of the reservation whose pages become accessible from the left. */
struct part {
    char *start, *limit;
    _Atomic(char *) committed;
};

static struct {
    size_t page;
    struct part heap, tags, records;
    _Atomic(char *) brk;  /* of the heap */
    _Atomic(char *) used; /* of the records */
    _Atomic size_t mapped;
    _Atomic size_t peak;
} mem;

#define GRAIN ((size_t)1 << MEM_GRAIN_LOG2)
#define CACHE_LINE ((size_t)64)
#define TAG_SIZE sizeof(mem_range.tags[0])

static size_t to_pages(size_t size)
{
    return (size + mem.page - 1) & ~(mem.page - 1);
}

/* Raise *word to at least value. */
static void raise_peak(_Atomic size_t *word, size_t value)
{
    size_t old = atomic_load_explicit(word, memory_order_relaxed);
    while (old < value &&
           !atomic_compare_exchange_weak_explicit(
               word, &old, value, memory_order_relaxed, memory_order_relaxed))
        ;
}

static void part_init(struct part *part, char *start, size_t size)
{
    part->start = start;
    part->limit = start + size;
    atomic_store_explicit(&part->committed, start, memory_order_relaxed);
}

/* Nothing is handed out yet. */
static void set_marks(void)
{
    atomic_store_explicit(&mem.brk, mem.heap.start, memory_order_relaxed);
    atomic_store_explicit(&mem.used, mem.records.start, memory_order_relaxed);
}

/* All of the range can be read from the beginning, as zeros that cost nothing:
 * so that a wild pointer into it is found out instead of followed. */
int mem_init(void)
{
    if (mem_range.size)
        return 0;
    mem.page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t size = MEM_RESERVE; size >= MEM_RESERVE_MIN; size /= 2) {
        size_t tags = to_pages(size / GRAIN * TAG_SIZE);
        size_t records = tags + MEM_RECORDS_MIN;
        char *p = mmap(NULL, tags + records + size, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED)
            continue;
        part_init(&mem.tags, p, tags);
        part_init(&mem.records, p + tags, records);
        part_init(&mem.heap, p + tags + records, size - mem.page);
        mem_range = (struct mem_range){.base = mem.heap.start,
                                       .size = size,
                                       .tags = (uint32_t *)(void *)p,
                                       .blocks = size / 16,
                                       .records = mem.records.start};
        set_marks();
        return 0;
    }
    errno = ENOMEM;
    return -1;
}

static void part_reset(struct part *part)
{
    char *end = atomic_load_explicit(&part->committed, memory_order_relaxed);
    size_t size = (size_t)(end - part->start);
    if (size && madvise(part->start, size, MADV_DONTNEED) != 0)
        memset(part->start, 0, size); /* pages locked into memory stay */
}

/* Nothing can be handed out any more. */
static void part_close(struct part *part)
{
    part->start = part->limit = NULL;
    atomic_store_explicit(&part->committed, NULL, memory_order_relaxed);
}

void mem_reset(void)
{
    if (!mem_range.size)
        return;
    part_reset(&mem.heap);
    part_reset(&mem.tags);
    part_reset(&mem.records);
    set_marks();
    atomic_store_explicit(&mem.peak, mem_heapsize(), memory_order_relaxed);
}

void mem_fini(void)
{
    if (!mem_range.size)
        return;
    mem_reset();
    char *start = mem.tags.start, *end = mem_range.base + mem_range.size;
    munmap(start, (size_t)(end - start));
    mem_range = (struct mem_range){0};
    part_close(&mem.heap);
    part_close(&mem.tags);
    part_close(&mem.records);
    set_marks();
}

/* Make [start, end) of a part accessible, and some more.
 * @return false, errno == ENOMEM: the system refuses */
static bool commit(struct part *part, char *end)
{
    char *done = atomic_load_explicit(&part->committed, memory_order_relaxed);
    if (end <= done)
        return true;
    size_t room = (size_t)(part->limit - done);
    size_t size = to_pages((size_t)(end - done));
    size_t more =
        size + MEM_COMMIT_PIECE < room ? size + MEM_COMMIT_PIECE : room;
    if (part != &mem.heap ||
        mprotect(done, more, PROT_READ | PROT_WRITE) != 0) {
        more = size; /* just enough */
        if (mprotect(done, more, PROT_READ | PROT_WRITE) != 0) {
            errno = ENOMEM;
            return false;
        }
    }
    char *now = done + more;
    while (done < now && !atomic_compare_exchange_weak_explicit(
                             &part->committed, &done, now, memory_order_relaxed,
                             memory_order_relaxed))
        ;
    return true;
}

static bool commit_with_tags(char *end)
{
    size_t grains = ((size_t)(end - mem.heap.start) + GRAIN - 1) / GRAIN;
    return commit(&mem.heap, end) &&
           commit(&mem.tags, mem.tags.start + grains * TAG_SIZE);
}

/* Move the break from old to old + size, if it still is at old.
 * @return 1 moved, 0 another thread moved it (*old is where), -1 no memory */
static int advance(char **old, size_t size)
{
    if (size > (size_t)(mem.heap.limit - *old) ||
        !commit_with_tags(*old + size)) {
        errno = ENOMEM;
        return -1;
    }
    if (!atomic_compare_exchange_strong_explicit(&mem.brk, old, *old + size,
                                                 memory_order_relaxed,
                                                 memory_order_relaxed))
        return 0;
    raise_peak(&mem.peak, mem_heapsize());
    return 1;
}

/* Bytes from p to the next cache line. */
static size_t to_line(const char *p)
{
    return -(uintptr_t)p & (CACHE_LINE - 1);
}

void *mem_sbrk(size_t size)
{
    if (size > mem_range.size) {
        errno = ENOMEM;
        return NULL;
    }
    char *old = atomic_load_explicit(&mem.brk, memory_order_relaxed);
    int done;
    while ((done = advance(&old, to_line(old) + size)) == 0)
        ;
    return done > 0 ? old + to_line(old) : NULL;
}

bool mem_extend(const void *end, size_t size)
{
    char *old = (char *)end;
    if (atomic_load_explicit(&mem.brk, memory_order_relaxed) != old)
        return false;
    return advance(&old, size) > 0;
}

void *mem_record(size_t size)
{
    char *old = atomic_load_explicit(&mem.used, memory_order_relaxed);
    do {
        if (size > (size_t)(mem.records.limit - old) ||
            !commit(&mem.records, old + size)) {
            errno = ENOMEM;
            return NULL;
        }
    } while (!atomic_compare_exchange_weak_explicit(&mem.used, &old, old + size,
                                                    memory_order_relaxed,
                                                    memory_order_relaxed));
    return old;
}

void *mem_map(size_t size, size_t align)
{
    size_t bytes = to_pages(size), slack = align > mem.page ? align : 0;
    if (bytes < size || bytes + slack < bytes) {
        errno = ENOMEM;
        return NULL;
    }
    char *p = mmap(NULL, bytes + slack, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        errno = ENOMEM;
        return NULL;
    }
    if (slack) {
        size_t lead = -(uintptr_t)p & (align - 1);
        if (lead)
            munmap(p, lead);
        if (slack > lead)
            munmap(p + lead + bytes, slack - lead);
        p += lead;
    }
    atomic_fetch_add_explicit(&mem.mapped, bytes, memory_order_relaxed);
    raise_peak(&mem.peak, mem_heapsize());
    return p;
}

void *mem_remap(void *p, size_t old_size, size_t new_size)
{
    size_t old_bytes = to_pages(old_size), bytes = to_pages(new_size);
    if (bytes < new_size) {
        errno = ENOMEM;
        return NULL;
    }
    void *q = mremap(p, old_bytes, bytes, MREMAP_MAYMOVE);
    if (q == MAP_FAILED) {
        errno = ENOMEM;
        return NULL;
    }
    atomic_fetch_add_explicit(&mem.mapped, bytes - old_bytes,
                              memory_order_relaxed);
    raise_peak(&mem.peak, mem_heapsize());
    return q;
}

void mem_unmap(void *p, size_t size)
{
    int saved = errno;
    size_t bytes = to_pages(size);
    if (munmap(p, bytes) == 0)
        atomic_fetch_sub_explicit(&mem.mapped, bytes, memory_order_relaxed);
    else /* too many mappings: at least the pages go back */
        madvise(p, bytes, MADV_DONTNEED);
    errno = saved;
}

size_t mem_purge(void *p, size_t size)
{
    uintptr_t first = ((uintptr_t)p + mem.page - 1) & ~(mem.page - 1);
    uintptr_t end = ((uintptr_t)p + size) & ~(mem.page - 1);
    if (end <= first)
        return 0;
    int saved = errno;
    int refused = madvise((void *)first, end - first, MADV_DONTNEED);
    errno = saved;
    return refused ? 0 : end - first;
}

void *mem_brk(void)
{
    return atomic_load_explicit(&mem.brk, memory_order_relaxed);
}

bool mem_contains(const void *p, size_t size)
{
    uintptr_t at = (uintptr_t)p, base = (uintptr_t)mem_range.base;
    uintptr_t end = (uintptr_t)mem_brk();
    return at >= base && at <= end && size <= end - at;
}

size_t mem_heapsize(void)
{
    char *brk = mem_brk();
    return (size_t)(brk - mem_range.base) +
           atomic_load_explicit(&mem.mapped, memory_order_relaxed);
}

size_t mem_recordsize(void)
{
    char *used = atomic_load_explicit(&mem.used, memory_order_relaxed);
    return (size_t)(used - mem_range.records);
}

size_t mem_peak(void)
{
    return atomic_load_explicit(&mem.peak, memory_order_relaxed);
}

size_t mem_pagesize(void)
{
    return mem.page;
}
