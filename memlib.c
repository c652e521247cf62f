/* memlib.c - a window of addresses, a break that moves by compare-and-swap.
 *
 * Every word that threads share is below, or in mempart.h, with the threads
 * that may write it:
 *
 *   mem_range     mem_init and mem_fini only; but blocks: any thread, upward
 *   brk           of heap and records: any thread, CAS upward; mem_reset back
 *                 to the start
 *   committed     any thread, CAS upward after the pages are mapped
 *   intended      the same, but before
 *   levels        any thread, CAS from NONE to CLAIMED; then that thread, and
 *                 to THERE the thread that has mapped it
 *   peak          any thread, CAS upward, before the bytes mapped fall
 *   mapped_bytes  any thread, fetch_add (memmapped.h); mapped_regions, too
 *   suspect       any thread of a fork's child, CAS upward
 *   fork_seen_flag  0 in a fork's child, until its first growth
 *   sides         any thread, CAS (memside.h)
 *
 * Page records cannot jump: an address alone says where its record is. So they
 * are mapped level by level, each as many as all before, by the one thread that
 * claimed the level, or by one that has watched in vain for that to happen. Of
 * two that map the same place one fails, and checks whether the other has
 * succeeded. If no one says so, as the thread stopped just before it could, or
 * what is there is not ours, the break jumps over the addresses of that level.
 * Nobody waits.
 *
 * fork copies page after page while other threads go on: the child may see an
 * old break, and above it what another of the parent's threads wrote later; but
 * nothing above intended, which is raised before a thread maps, as mapping
 * takes a lock that fork holds. So in the child a thread that moves the break
 * clears what it takes, and its page records. A piece or a level that another
 * thread has mapped, and not yet said so, stays in the way: the child's break
 * jumps.
 *
 * No step waits for another thread. Values are counts and bounds, no memory is
 * published through them: orders are relaxed but for committed and levels. */
#include "memlib.h"
#include "config.h"
#include "memhole.h"
#include "memmapped.h"
#include "memside.h"
#include "memwindow.h"
#include "memzone.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

struct mem_range mem_range;
struct mem_options mem_options = {.decay_ms = -1};
__thread bool mem_gate;

#if MM_COUNT
__thread struct mm_counts thread_counts;
#endif

static _Atomic uint32_t no_page = 1; /* *fork_seen_flag while there is none */

static struct {
    size_t page;
    struct part heap, records;
    level_word levels[LEVELS]; /* of page records */
    mark peak;
    _Atomic uint32_t
        *fork_seen_flag; /* in the page that a child finds zeroed */
    struct sides *sides; /* there, too */
} mem = {.fork_seen_flag = &no_page};

static size_t to_pages(size_t size)
{
    return (size + mem.page - 1) & ~(mem.page - 1);
}

static void *no_room(void)
{
    errno = ENOMEM;
    return NULL;
}

/* ---- fork ------------------------------------------------------------ */

static void process_clear(void)
{
    memset(mem_range.process, 0, mem.page);
}

/* The page that a fork's child finds zeroed. NULL: no memory */
static char *process_new(void)
{
    static bool handler;
    char *page = sys_mmap(NULL, mem.page, PROT_READ | PROT_WRITE, 0);
    if (page == MAP_FAILED)
        return NULL;
    bool wiped = sys_heeds_advice(page, mem.page) &&
                 sys_madvise(page, mem.page, MADV_WIPEONFORK) == 0;
    if (!wiped && !handler) {
        handler = true; /* before Linux 4.14, and under qemu-user */
        pthread_atfork(NULL, NULL, process_clear);
    }
    return page;
}

static void process_set(char *page)
{
    mem.fork_seen_flag = (_Atomic uint32_t *)(void *)(page + mem.page) - 1;
    mem.sides = (struct sides *)(void *)(page + mem.page - CACHE_LINE) - 1;
    mem_range.process = page;
    atomic_store_explicit(mem.fork_seen_flag, 1, memory_order_relaxed);
}

static void process_fini(void)
{
    mem.fork_seen_flag = &no_page;
    sys_munmap(mem_range.process, mem.page);
}

/* Any number of threads may do this at once: too high a mark costs only time.
 */
static void fork_seen(void)
{
    mark_raise(&mem.heap.suspect, mark_get(&mem.heap.intended));
    mark_raise(&mem.records.suspect, mark_get(&mem.records.intended));
    holes_abandon();
    atomic_store_explicit(mem.fork_seen_flag, 1, memory_order_release);
}

/* Acquire, paired with the release in fork_seen: the marks are set. */
static void fork_look(void)
{
    if (atomic_load_explicit(mem.fork_seen_flag, memory_order_acquire) == 0)
        fork_seen();
}

/* Make zero what is the caller's alone now, and may not be, and the records of
 * the pages that begin in it. */
static void clear_suspect(struct part *part, size_t at, size_t size)
{
    if (at >= mark_get(&part->suspect))
        return;
    pages_clear(part->start + at, size);
    size_t first = (at + GRAIN - 1) / GRAIN;
    size_t end = (at + size + GRAIN - 1) / GRAIN;
    if (part == &mem.heap && end > first)
        pages_clear((char *)(mem_range.pages + first),
                    (end - first) * PAGE_RECORD);
}

/* ---- the window ------------------------------------------------------ */

/* Nothing is handed out yet. */
static void parts_init(struct window w)
{
    part_init(&mem.records, (char *)w.at + pages_bytes(w.size),
              records_bytes(w.size), MEM_RECORDS_PIECE);
    part_init(&mem.heap, window_base(w), w.size - mem.page, MEM_PIECE);
    mem.heap.blocks = &mem_range.blocks;
    mark_set(&mem_range.blocks, 0);
}

static void range_set(struct window window, char *page, bool no_barrier)
{
    process_set(page);
    parts_init(window);
    thp_init(mem.heap.start, mem.page);
    level_set(mem.levels, 0, THERE);
    mem_range.base = mem.heap.start;
    mem_range.pages = (struct mem_page *)window.at;
    mem_range.records = mem.records.start;
    mem_range.no_barrier = no_barrier;
    atomic_store_explicit(&mem_range.scarce, sys_is_limited(),
                          memory_order_relaxed);
    mem_range.size = window.size;
}

/* A hook of its system calls that allocates starts memlib, too; then that start
 * counts. */
int mem_init(void)
{
    if (mem_range.size)
        return 0;
    mem.page = (size_t)sysconf(_SC_PAGESIZE);
    char *page = process_new();
    struct window window =
        page ? window_find(page, mem.page) : (struct window){0};
    bool no_barrier = !sys_barrier(true);
    if (window.size && !mem_range.size) {
        range_set(window, page, no_barrier);
        return 0;
    }
    if (window.size)
        window_undo(window, mem.page);
    if (page)
        sys_munmap(page, mem.page);
    if (mem_range.size)
        return 0;
    errno = ENOMEM;
    return -1;
}

bool mem_barrier(void)
{
    return sys_barrier(false);
}

/* ---- reset ----------------------------------------------------------- */

void mem_reset(void)
{
    if (!mem_range.size)
        return;
    levels_zero(mem.levels, mem_range.pages);
    part_reset(&mem.heap, mem.page);
    part_reset(&mem.records, mem.page);
    process_clear();
    atomic_store_explicit(mem.fork_seen_flag, 1, memory_order_relaxed);
    mark_set(&mem.peak, mem_heapsize());
}

void mem_fini(void)
{
    if (!mem_range.size)
        return;
    mem_reset();
    part_unmap(&mem.heap, 0, mem.page);
    part_unmap(&mem.records, 0, mem.page);
    holes_forget();
    levels_unmap(mem.levels, mem_range.pages);
    sys_munmap(mem_range.base - mem.page, mem.page);
    process_fini();
    part_init(&mem.records, NULL, 0, 0);
    part_init(&mem.heap, NULL, 0, 0);
    mark_set(&mem_range.blocks, 0);
    mem_range = (struct mem_range){0};
}

/* ---- growing --------------------------------------------------------- */

/* @return MOVED: a mark has, meanwhile; TAKEN: *next says where the way ends */
static enum mapped commit(struct part *part, size_t brk, size_t end,
                          size_t *next)
{
    enum mapped result = MAPPED;
    if (part == &mem.heap)
        result = levels_commit(mem.levels, mem_range.pages, brk, end, next);
    if (result != MAPPED)
        return result;
    size_t done = part_committed(part);
    result = part_commit(part, brk, end, mem.page, next);
    return result == TAKEN && part_moves(part, brk, done) ? MOVED : result;
}

/* The kernel has not so much left: if the heap has as much, what is free of it
 * had better be given back. Relaxed: it publishes nothing. */
static void was_refused(size_t size)
{
    if (size <= mem_heapsize())
        atomic_store_explicit(&mem_range.scarce, true, memory_order_relaxed);
}

/* Move the break from old to old + size, if it still is at old.
 * @param step  bytes by which to jump at least; grows, if that is not enough
 * @return 1 moved, 0 it has moved elsewhere (*old is where), -1 no memory */
static int advance(struct part *part, size_t *old, size_t size, size_t *step)
{
    size_t next = 0;
    bool room = *old <= part->limit && size <= part->limit - *old;
    enum mapped result =
        room ? commit(part, *old, *old + size, &next) : REFUSED;
    if (result == TAKEN) {
        if (next < part->limit)
            part_jump(part, *old, next + *step);
        else
            result = REFUSED;
        *step *= 2;
    }
    if (result == REFUSED) {
        was_refused(room ? size : SIZE_MAX);
        errno = ENOMEM;
        return -1;
    }
    if (result != MAPPED) {
        *old = mark_get(&part->brk);
        return 0;
    }
    if (!mark_swap(&part->brk, old, *old + size))
        return 0;
    clear_suspect(part, *old, size);
    return 1;
}

/* Regions of heaps that meet can become one: so they begin at multiples of what
 * they grow by. Records begin at a line of the cache. */
#define REGION_ALIGN ((size_t)64)

/* @param zone  of the heap, where the bytes must be; NULL: anywhere
 * @return size bytes at a multiple of align; NULL, errno == ENOMEM */
static char *take(struct part *part, const char *zone, size_t size,
                  size_t align)
{
    if (size > mem_range.size)
        return no_room();
    fork_look();
    size_t old = mark_get(&part->brk), step = JUMP, lead;
    int done;
    do {
        lead = lead_of(old, align);
        done = 1;
        if (part->blocks)
            done = zone_ask(part, zone, &old, lead + size, mem.page);
        if (done > 0)
            done = advance(part, &old, lead + size, &step);
        else if (done < 0)
            errno = ENOMEM;
    } while (done == 0);
    return done > 0 ? part->start + old + lead : NULL;
}

void *mem_sbrk_in(const void *zone, size_t size)
{
    thp_note(&thp.regions, 1);
    return take(&mem.heap, zone, size, REGION_ALIGN);
}

void *mem_sbrk(size_t size)
{
    return mem_sbrk_in(NULL, size);
}

char *mem_zone(const void *p)
{
    size_t at = (size_t)((const char *)p - mem.heap.start);
    return mem.heap.start + zone_start(at);
}

bool mem_zone_grows(const void *zone)
{
    return mem_zone(mem_brk()) == zone;
}

void mem_grows_sparse(size_t size)
{
    thp_note(&thp.sparse, size);
}

bool mem_extend(const void *end, size_t size)
{
    fork_look();
    size_t old = (size_t)((const char *)end - mem.heap.start), step = JUMP;
    if (mark_get(&mem.heap.brk) != old)
        return false;
    if (size > zone_room(old, mem.page)) {
        errno = ENOMEM;
        return false;
    }
    return advance(&mem.heap, &old, size, &step) > 0;
}

void *mem_reuse(const void *end, size_t *size)
{
    size_t at = end ? (size_t)((const char *)end - mem.heap.start) : 0;
    fork_look();
    return holes_any() ? hole_take(&mem.heap, at, size, mem.page) : NULL;
}

bool mem_release(void *p, size_t size)
{
    size_t at = (size_t)((char *)p - mem.heap.start);
    mark_raise(&mem.peak, mem_heapsize());
    return hole_open(&mem.heap, at, size, mem.page);
}

void *mem_record(size_t size)
{
    return take(&mem.records, NULL, size, CACHE_LINE);
}

/* ---- inside a call ---------------------------------------------------- */

/* What a hook of the first system call of all asks for starts memlib. */
void *mem_side(size_t align, size_t size)
{
    unsigned log2 = side_log2(align, size);
    if (log2 > SIDE_LOG2_MAX || mem_init() != 0)
        return no_room();
    char *start = sides_pop(&mem.sides->heads[log2]);
    if (!start)
        start = mem_record((size_t)1 << log2);
    return start ? side_make(start, log2, align) : NULL;
}

size_t mem_side_usable(const void *p)
{
    const struct side *s = side_of(p, mark_get(&mem.records.brk));
    return s ? ((size_t)1 << s->log2) - s->before : 0;
}

bool mem_side_free(void *p)
{
    struct side *s = side_of(p, mark_get(&mem.records.brk));
    if (!s || !side_kill(s))
        return false;
    sides_push(&mem.sides->heads[s->log2], (char *)p - s->before);
    return true;
}

void mem_later(void *p)
{
    later_push(mem.sides, p);
}

/* Acquire, paired with the release in later_push. */
void *mem_later_take(void)
{
    if (!mem_range.size ||
        !atomic_load_explicit(&mem.sides->later, memory_order_relaxed))
        return NULL;
    count_rmw();
    return atomic_exchange_explicit(&mem.sides->later, NULL,
                                    memory_order_acquire);
}

/* ---- maps ------------------------------------------------------------ */

/* A mapping of old bytes has new ones now. The peak is raised before they fall.
 */
static void add_mapped(size_t old, size_t new)
{
    if (new < old)
        mark_raise(&mem.peak, mem_heapsize());
    mapped_add(old, new);
}

void *mem_map(size_t size, size_t align)
{
    size_t bytes = to_pages(size), slack = align > mem.page ? align : 0;
    if (bytes < size || bytes + slack < bytes)
        return no_room();
    char *p = map_aligned(bytes, slack);
    if (!p) {
        was_refused(bytes);
        return no_room();
    }
    sys_name(p, bytes, NAME_BLOCK);
    add_mapped(0, bytes);
    return p;
}

bool mem_map_at(void *at, size_t size)
{
    size_t bytes = to_pages(size);
    enum mapped result = map_at(at, bytes);
    if (result != MAPPED) {
        errno = result == TAKEN ? EEXIST : ENOMEM;
        return false;
    }
    sys_name(at, bytes, NAME_BLOCK);
    add_mapped(0, bytes);
    return true;
}

void *mem_remap(void *p, size_t old_size, size_t new_size)
{
    size_t old_bytes = to_pages(old_size), bytes = to_pages(new_size);
    if (bytes < new_size)
        return no_room();
    void *q = sys_mremap(p, old_bytes, bytes);
    if (q == MAP_FAILED)
        return no_room();
    add_mapped(old_bytes, bytes);
    return q;
}

void mem_unmap(void *p, size_t size)
{
    int saved = errno;
    size_t bytes = to_pages(size);
    if (sys_munmap(p, bytes) == 0)
        add_mapped(bytes, 0);
    else /* too many mappings: at least the pages go back */
        sys_madvise(p, bytes, MADV_DONTNEED);
    errno = saved;
}

size_t mem_purge(void *p, size_t size)
{
    uintptr_t first = (uintptr_t)p, end = first + size;
    return pages_inside(&first, &end) ? pages_drop(first, end) : 0;
}

size_t mem_give_back(void *p, size_t size)
{
    uintptr_t first = (uintptr_t)p, end = first + size;
    if (pages_inside(&first, &end))
        thp_cut(&first, &end);
    return first < end ? pages_drop(first, end) : 0;
}

size_t mem_block_unit(size_t size)
{
    return thp_is_large(size) ? thp.page : mem.page;
}

void mem_will_be(bool written, void *p, size_t size, size_t all)
{
    thp_advise_block((uintptr_t)p, to_pages(size), written, all);
}

void mem_set_huge(enum mem_huge huge)
{
    atomic_store_explicit(&mem_options.huge, huge, memory_order_relaxed);
    if (mem_range.size)
        part_advise(&mem.heap);
}

void mem_set_names(void)
{
    bool works =
        mem_range.size && sys_names(mem_range.process, mem.page, NAME_RECORDS);
    atomic_store_explicit(&mem_options.names, works, memory_order_relaxed);
    level_name(mem_range.pages);
    part_name(&mem.heap);
    part_name(&mem.records);
}

/* ---- questions ------------------------------------------------------- */

struct mem_mapped mem_mapped(void)
{
    return (struct mem_mapped){.regions = sum_get(&mapped_regions.now),
                               .bytes = sum_get(&mapped_bytes.now),
                               .most_regions = sum_get(&mapped_regions.most),
                               .most_bytes = sum_get(&mapped_bytes.most)};
}

struct mem_sizes mem_sizes(void)
{
    if (!mem_range.size)
        return (struct mem_sizes){0};
    size_t records = part_used(&mem.records) + part_untouched(&mem.records);
    return (struct mem_sizes){.heap = part_used(&mem.heap),
                              .ahead = part_untouched(&mem.heap),
                              .outside = sum_get(&mapped_bytes.now),
                              .records = records + levels_mapped(mem.levels)};
}

const struct mem_view mem_view = {&mem.heap.brk,        &mem.heap.skipped,
                                  &mem.heap.committed,  &mem.records.brk,
                                  &mem.records.skipped, &mem.records.committed,
                                  &mapped_bytes.now};

bool mem_calling(void)
{
    return in_call;
}

void *mem_brk(void)
{
    return mem.heap.start + mark_get(&mem.heap.brk);
}

const void *mem_skip(const void *p)
{
    size_t at = (size_t)((const char *)p - mem.heap.start);
    const struct jump *j;
    while ((j = part_jump_from(&mem.heap, at)))
        at = j->to;
    return mem.heap.start + at;
}

bool mem_contains(const void *p, size_t size)
{
    uintptr_t at = (uintptr_t)p, base = (uintptr_t)mem_range.base;
    uintptr_t end = (uintptr_t)mem_brk();
    return at >= base && at <= end && size <= end - at;
}

size_t mem_heapsize(void)
{
    return part_used(&mem.heap) + sum_get(&mapped_bytes.now);
}

size_t mem_recordsize(void)
{
    return part_used(&mem.records);
}

size_t mem_peak(void)
{
    size_t seen = mark_get(&mem.peak), now = mem_heapsize();
    return seen > now ? seen : now;
}

size_t mem_pagesize(void)
{
    return mem.page;
}
