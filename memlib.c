/* memlib.c - one reserved range, a break that moves by compare-and-swap.
 *
 * Every word that threads share is below, with who may write it:
 *
 *   mem_range     mem_init and mem_fini only
 *   brk, used     any thread, CAS upward; mem_reset back to the start
 *   committed     of heap, tags, records: any thread, CAS upward after the
 *                 pages are accessible, so that all below the mark are; two
 *                 threads may commit the same pages at once, which is harmless
 *   peak          any thread, CAS upward, before the bytes mapped fall
 *   mapped_bytes  any thread, fetch_add (memmapped.h); mapped_regions, too
 *   intended      as committed, but before the pages become accessible
 *   suspect       any thread of a fork's child, CAS upward
 *   same          0 in a fork's child, until its first growth
 *
 * fork copies page after page while other threads go on: the child may see an
 * old break, and above it what a thread that it has not wrote later; but not
 * above what was intended to become accessible, as that takes a lock that fork
 * holds. So in the child whoever moves the break clears what he takes.
 *
 * No step waits for another thread: a failed CAS means that another's succeeded
 * (lock-free). Values are counts and bounds; no memory is published through
 * them, so all orders are relaxed. */
#include "memlib.h"
#include "config.h"
#include "memmapped.h"
#include "mempart.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct mem_range mem_range;

#if MM_COUNT
__thread struct mm_counts thread_counts;
#endif

static _Atomic uint32_t no_page = 1; /* *same while there is none */

static struct {
    size_t page;
    struct part heap, tags, records;
    _Atomic(char *) brk;  /* of the heap */
    _Atomic(char *) used; /* of the records */
    _Atomic(char *) peak;   /* the number, as an address */
    _Atomic uint32_t *same; /* in the page that a child finds zeroed */
} mem = {.same = &no_page};

#define GRAIN ((size_t)1 << MEM_GRAIN_LOG2)
#define CACHE_LINE ((size_t)64)
#define TAG_SIZE sizeof(mem_range.tags[0])

static size_t to_pages(size_t size)
{
    return (size + mem.page - 1) & ~(mem.page - 1);
}

/* ---- fork ------------------------------------------------------------ */

static void process_clear(void)
{
    memset(mem_range.process, 0, mem.page);
}

/* The page that a fork's child finds zeroed. @return false: no memory */
static bool process_init(void)
{
    static bool handler;
    char *page = mmap(NULL, mem.page, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return false;
    mem.same = (_Atomic uint32_t *)(void *)(page + mem.page) - 1;
    mem_range.process = page;
    atomic_store_explicit(mem.same, 1, memory_order_relaxed);
    if (madvise(page, mem.page, MADV_WIPEONFORK) != 0 && !handler) {
        handler = true; /* before Linux 4.14 */
        pthread_atfork(NULL, NULL, process_clear);
    }
    return true;
}

static void process_fini(void)
{
    mem.same = &no_page;
    munmap(mem_range.process, mem.page);
}

/* Any number of threads may do this at once: too high a mark costs only time.
 */
static void fork_seen(void)
{
    struct part *const parts[] = {&mem.heap, &mem.tags, &mem.records};
    for (int i = 0; i < 3; i++)
        raise_mark(
            &parts[i]->suspect,
            atomic_load_explicit(&parts[i]->intended, memory_order_relaxed));
    atomic_store_explicit(mem.same, 1, memory_order_release);
}

/* Acquire, paired with the release in fork_seen: the marks are set. */
static void fork_look(void)
{
    if (atomic_load_explicit(mem.same, memory_order_acquire) == 0)
        fork_seen();
}

/* [p, p + size) of a part is the caller's alone now: make it zero. */
static void clear_suspect(struct part *part, char *p, size_t size)
{
    if (p >= atomic_load_explicit(&part->suspect, memory_order_relaxed))
        return;
    char *first = part->start + to_pages((size_t)(p - part->start));
    size_t inner = first < p + size ? mem_purge(p, size) : 0;
    char *rest = inner ? first + inner : p;
    if (inner)
        memset(p, 0, (size_t)(first - p));
    memset(rest, 0, (size_t)(p + size - rest));
}

/* The same for the tags of the pages that begin in [p, p + size). */
static void clear_suspect_tags(const char *p, size_t size)
{
    size_t first = ((size_t)(p - mem.heap.start) + GRAIN - 1) / GRAIN;
    size_t end = ((size_t)(p - mem.heap.start) + size + GRAIN - 1) / GRAIN;
    if (end > first)
        clear_suspect(&mem.tags, mem.tags.start + first * TAG_SIZE,
                      (end - first) * TAG_SIZE);
}

/* ---- the range ------------------------------------------------------- */

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
    if (!process_init())
        return -1;
    mem_range.no_barrier = syscall(
        SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
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
        mem_range.base = mem.heap.start;
        mem_range.size = size;
        mem_range.tags = (uint32_t *)(void *)p;
        mem_range.blocks = size / 16;
        mem_range.records = mem.records.start;
        set_marks();
        return 0;
    }
    process_fini();
    errno = ENOMEM;
    return -1;
}

bool mem_barrier(void)
{
    return !syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
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
    part_init(part, NULL, 0);
}

void mem_reset(void)
{
    if (!mem_range.size)
        return;
    part_reset(&mem.heap);
    part_reset(&mem.tags);
    part_reset(&mem.records);
    process_clear();
    atomic_store_explicit(mem.same, 1, memory_order_relaxed);
    set_marks();
    atomic_store_explicit(&mem.peak, (char *)mem_heapsize(),
                          memory_order_relaxed);
}

void mem_fini(void)
{
    if (!mem_range.size)
        return;
    mem_reset();
    char *start = mem.tags.start, *end = mem_range.base + mem_range.size;
    munmap(start, (size_t)(end - start));
    process_fini();
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
    bool refused = part != &mem.heap;
    size_t room = (size_t)(part->limit - done);
    size_t size = to_pages((size_t)(end - done));
    size_t more =
        size + MEM_COMMIT_PIECE < room ? size + MEM_COMMIT_PIECE : room;
    if (!refused) {
        raise_mark(&part->intended, done + more);
        refused = mprotect(done, more, PROT_READ | PROT_WRITE) != 0;
    }
    if (refused) {
        more = size; /* just enough */
        raise_mark(&part->intended, done + more);
        if (mprotect(done, more, PROT_READ | PROT_WRITE) != 0) {
            errno = ENOMEM;
            return false;
        }
    }
    raise_mark(&part->committed, done + more);
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
    if (!swap(&mem.brk, old, *old + size))
        return 0;
    clear_suspect(&mem.heap, *old, size);
    clear_suspect_tags(*old, size);
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
    fork_look();
    char *old = atomic_load_explicit(&mem.brk, memory_order_relaxed);
    int done;
    while ((done = advance(&old, to_line(old) + size)) == 0)
        ;
    return done > 0 ? old + to_line(old) : NULL;
}

bool mem_extend(const void *end, size_t size)
{
    fork_look();
    char *old = (char *)end;
    if (atomic_load_explicit(&mem.brk, memory_order_relaxed) != old)
        return false;
    return advance(&old, size) > 0;
}

void *mem_record(size_t size)
{
    fork_look();
    char *old = atomic_load_explicit(&mem.used, memory_order_relaxed);
    do {
        if (size > (size_t)(mem.records.limit - old) ||
            !commit(&mem.records, old + size)) {
            errno = ENOMEM;
            return NULL;
        }
    } while (!swap(&mem.used, &old, old + size));
    clear_suspect(&mem.records, old, size);
    return old;
}

/* From old to new bytes are mapped. The heap is highest just before it falls:
 * only then its peak is looked at (the break never falls). */
static void add_mapped(size_t old, size_t new)
{
    if (new < old)
        raise_mark(&mem.peak, (char *)mem_heapsize());
    mapped_add(old, new);
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
    add_mapped(0, bytes);
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
    add_mapped(old_bytes, bytes);
    return q;
}

void mem_unmap(void *p, size_t size)
{
    int saved = errno;
    size_t bytes = to_pages(size);
    if (munmap(p, bytes) == 0)
        add_mapped(bytes, 0);
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

struct mem_mapped mem_mapped(void)
{
    return (struct mem_mapped){.regions = sum_get(&mapped_regions.now),
                               .bytes = sum_get(&mapped_bytes.now),
                               .most_regions = sum_get(&mapped_regions.most),
                               .most_bytes = sum_get(&mapped_bytes.most)};
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
           sum_get(&mapped_bytes.now);
}

size_t mem_recordsize(void)
{
    char *used = atomic_load_explicit(&mem.used, memory_order_relaxed);
    return (size_t)(used - mem_range.records);
}

size_t mem_peak(void)
{
    size_t seen = (size_t)atomic_load_explicit(&mem.peak, memory_order_relaxed);
    return seen > mem_heapsize() ? seen : mem_heapsize();
}

size_t mem_pagesize(void)
{
    return mem.page;
}
