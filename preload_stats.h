/* preload_stats.h - what an operator sees of a process: MM_STATS, and glibc's
 * mallinfo, malloc_stats, malloc_info.
 *
 *   census (mm.h) ─► text ────┐
 *                 ─► JSON ────┼─► MM_STATS=FILE: at exit, and at a signal
 *                 ─► XML ─────┴─► malloc_info's stream
 *
 * All is counted from outside, so none of it takes a lock, waits for a thread
 * or allocates: a process whose threads hang inside malloc can be asked, too.
 *
 * A file is opened for each report and closed after it, as a program may close
 * all that it does not know. It is appended to, never cut; a symbolic link is
 * not followed, and nothing is waited for (a FIFO without a reader). A report
 * is one write, up to the size of its buffer: so reports of several processes
 * do not mix. One thread reports at a time, all its signals blocked: so it
 * cannot be interrupted, or cancelled, half way. A second one gives up; but if
 * the first one is gone, as it is in a child of fork, the second goes on.
 *
 * To be included by preload.c, after the allocator. */
#ifndef PRELOAD_STATS_H
#define PRELOAD_STATS_H

#include "preload_options.h"
#include "preload_out.h"

#include <fcntl.h>
#include <signal.h>

/** Is there anything to tell of? Without a lock. */
static bool has_started(void);

/* ---- counting ---------------------------------------------------------- */

/* An allocator without a census knows only what it has of the system. */
static void take_census(struct mm_census *c)
{
    struct mm_stats s = {0};
    if (!has_started())
        return;
    if (MM_ALLOCATOR.census) {
        MM_ALLOCATOR.census(c);
        return;
    }
    MM_ALLOCATOR.stats(&s);
    c->mapped = s.heap + s.metadata;
    c->records = s.metadata;
    c->nhuge = s.nmapped;
    c->huge = s.mapped;
}

/* The sums of a census, in the order in which they are told. */
struct sum {
    const char *name;
    size_t at;        /* in struct mm_census */
    bool always;      /* an allocator without a census knows it, too */
    const char *what; /* said once a report */
};
#define SUM(field, always, what)                                               \
    {                                                                          \
#field, offsetof(struct mm_census, field), always, what                \
    }
static const struct sum sums[] = {
    SUM(mapped, true, "from the system; the sum of the next nine"),
    SUM(live, false, "blocks in use, with their headers"),
    SUM(cached, false, "free, kept by threads for themselves"),
    SUM(sent, false, "freed by others, on its way to its arena"),
    SUM(free, false, "free, and may be resident"),
    SUM(purged, false, "free, given back to the system"),
    SUM(spare, false, "freed mappings that are kept"),
    SUM(untouched, false, "mapped ahead of the heap's end"),
    SUM(records, true, "bookkeeping"),
    SUM(other, false, "between arenas, and lost"),
    SUM(huge, true, "of live: in blocks that are mappings of their own"),
};
#define NSUMS (sizeof sums / sizeof *sums)

static size_t sum_of(const struct mm_census *c, const struct sum *s)
{
    size_t value;
    memcpy(&value, (const char *)c + s->at, sizeof value);
    return value;
}

static bool sum_is_known(const struct sum *s)
{
    return s->always || MM_ALLOCATOR.census;
}

/* Take the census, and show each arena on o as it is counted. */
static void arenas_out(struct out *o, struct mm_census *c,
                       void (*show)(const struct mm_census_arena *a, void *out))
{
    o->more = false;
    c->arena = show;
    c->arg = o;
    take_census(c);
}

/* ---- JSON -------------------------------------------------------------- */

static void json_arena(const struct mm_census_arena *a, void *out)
{
    struct out *o = out;
    out_str(o, o->more ? ",{" : "{");
    o->more = false;
    out_pair(o, "id", a->id);
    out_pair(o, "thread", (size_t)a->thread);
    out_str(o, ",\"state\":\"");
    out_str(o, a->state);
    out_str(o, "\"");
    out_pair(o, "mapped", a->mapped);
    out_pair(o, "live", a->live);
    out_pair(o, "cached", a->cached);
    out_pair(o, "sent", a->sent);
    out_pair(o, "free", a->free);
    out_pair(o, "purged", a->purged);
    out_pair(o, "uses", a->uses);
    out_str(o, "}");
}

/* Blocks that the program has: of slabs, and with headers. */
static size_t used_of(const struct mm_census_class *k)
{
    return k->used - min_size(k->used, k->cached);
}

static size_t headers_of(const struct mm_census_class *k)
{
    return k->headers - min_size(k->headers, k->headers_cached);
}

static bool class_is_empty(const struct mm_census_class *k)
{
    return !k->slabs && !k->headers;
}

static void json_class(struct out *o, size_t bytes,
                       const struct mm_census_class *k)
{
    out_str(o, o->more ? ",{" : "{");
    o->more = false;
    out_pair(o, "bytes", bytes);
    out_pair(o, "slabs", k->slabs);
    out_pair(o, "live", used_of(k));
    out_pair(o, "cached", k->cached);
    out_pair(o, "free", k->free);
    out_pair(o, "headers", headers_of(k));
    out_pair(o, "headers_cached", k->headers_cached);
    out_str(o, "}");
}

/* One line. */
static void report_json(struct out *o, struct mm_census *c)
{
    out_str(o, "{\"libmm\":\"");
    out_str(o, MM_ALLOCATOR.name);
    out_str(o, "\",\"pid\":");
    out_num(o, (size_t)syscall(SYS_getpid));
    out_str(o, ",\"arenas\":[");
    arenas_out(o, c, json_arena);
    out_str(o, "],\"classes\":[");
    o->more = false;
    for (size_t i = 0; i < MM_CENSUS_CLASSES; i++)
        if (!class_is_empty(&c->classes[i]))
            json_class(o, i * ALIGN, &c->classes[i]);
    out_str(o, "]");
    o->more = true;
    for (const struct sum *s = sums; s < sums + NSUMS; s++) {
        if (sum_is_known(s)) {
            out_pair(o, s->name, sum_of(c, s));
            continue;
        }
        out_str(o, ",\"");
        out_str(o, s->name);
        out_str(o, "\":null");
    }
    out_pair(o, "nhuge", c->nhuge);
    out_str(o, "}\n");
}

/* ---- text -------------------------------------------------------------- */

#define COLUMN 13

static void text_arena(const struct mm_census_arena *a, void *out)
{
    struct out *o = out;
    if (!o->more)
        out_str(o, "  arena   thread  state           mapped         live"
                   "       cached         sent         free       purged"
                   "         uses\n");
    o->more = true;
    out_num_wide(o, a->id, 7);
    out_num_wide(o, (size_t)a->thread, 9);
    out_str(o, "  ");
    out_str_wide(o, a->state, 9);
    out_num_wide(o, a->mapped, COLUMN);
    out_num_wide(o, a->live, COLUMN);
    out_num_wide(o, a->cached, COLUMN);
    out_num_wide(o, a->sent, COLUMN);
    out_num_wide(o, a->free, COLUMN);
    out_num_wide(o, a->purged, COLUMN);
    out_num_wide(o, a->uses, COLUMN);
    out_str(o, "\n");
}

static void text_class(struct out *o, size_t bytes,
                       const struct mm_census_class *k)
{
    const size_t columns[] = {
        bytes,   k->slabs,      used_of(k),       k->cached,
        k->free, headers_of(k), k->headers_cached};
    if (!o->more)
        out_str(o, "  bytes    slabs       live   in caches     free"
                   "   live with headers   in caches\n");
    o->more = true;
    static const size_t widths[] = {7, 9, 11, 12, 9, 20, 12};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        out_num_wide(o, columns[i], widths[i]);
    out_str(o, "\n");
}

static void text_sums(struct out *o, const struct mm_census *c)
{
    for (const struct sum *s = sums; s < sums + NSUMS; s++) {
        out_str(o, "  ");
        out_str_wide(o, s->name, 9);
        if (sum_is_known(s))
            out_num_wide(o, sum_of(c, s), 16);
        else
            out_str(o, "       not known");
        out_str(o, "  ");
        out_str(o, s->what);
        out_str(o, "\n");
    }
}

static void report_text(struct out *o, struct mm_census *c)
{
    out_str(o, "libmm, allocator ");
    out_str(o, MM_ALLOCATOR.name);
    out_str(o, ", process ");
    out_num(o, (size_t)syscall(SYS_getpid));
    out_str(o, ": bytes\n");
    arenas_out(o, c, text_arena);
    o->more = false;
    for (size_t i = 0; i < MM_CENSUS_CLASSES; i++)
        if (!class_is_empty(&c->classes[i]))
            text_class(o, i * ALIGN, &c->classes[i]);
    text_sums(o, c);
}

/* ---- XML --------------------------------------------------------------- */

/* before is all up to the number. */
__attribute__((unused)) static void xml_size(struct out *o, const char *before,
                                             size_t bytes)
{
    out_str(o, before);
    out_num(o, bytes);
    out_str(o, "\"/>\n");
}

struct xml_info {
    struct out *out;
    const struct mm_census_class *classes; /* of the arena that is told */
};

/* What waits in slabs and caches for a request of so many bytes. glibc's
 * elements, and attributes besides: blocks in use, and slabs. */
static void xml_sizes(struct out *o, size_t bytes,
                      const struct mm_census_class *k)
{
    size_t waits = k->free + k->cached + k->headers_cached;
    out_str(o, "<size from=\"");
    out_num(o, bytes - ALIGN + 1);
    out_str(o, "\" to=\"");
    out_num(o, bytes);
    out_str(o, "\" total=\"");
    out_num(o, waits * bytes);
    out_str(o, "\" count=\"");
    out_num(o, waits);
    out_str(o, "\" used=\"");
    out_num(o,
            k->used + k->headers -
                min_size(k->cached + k->headers_cached, k->used + k->headers));
    out_str(o, "\" slabs=\"");
    out_num(o, k->slabs);
    out_str(o, "\"/>\n");
}

/* An arena, as glibc writes its own. */
__attribute__((unused)) static void xml_heap(const struct mm_census_arena *a,
                                             void *arg)
{
    const struct xml_info *info = arg;
    struct out *o = info->out;
    out_str(o, "<heap nr=\"");
    out_num(o, a->id);
    out_str(o, "\">\n<sizes>\n");
    for (size_t i = 1; i < MM_CENSUS_CLASSES; i++)
        if (!class_is_empty(&info->classes[i]))
            xml_sizes(o, i * ALIGN, &info->classes[i]);
    out_str(o, "</sizes>\n");
    xml_size(o, "<total type=\"fast\" size=\"", a->cached);
    xml_size(o, "<total type=\"rest\" size=\"", a->sent + a->free + a->purged);
    xml_size(o, "<total type=\"used\" size=\"", a->live);
    xml_size(o, "<total type=\"purged\" size=\"", a->purged);
    xml_size(o, "<system type=\"current\" size=\"", a->mapped);
    xml_size(o, "<aspace type=\"total\" size=\"", a->mapped);
    out_str(o, "</heap>\n");
}

/* ---- a report ---------------------------------------------------------- */

/* The thread that reports, by the system's id; 0: none does. */
static _Atomic int reporter;
static char report_buffer[64 << 10];
static struct mm_census_class report_classes[2][MM_CENSUS_CLASSES];

/* Is another thread of this process at it? In a child of fork it is not. */
static bool thread_lives(int tid)
{
    return syscall(SYS_tgkill, syscall(SYS_getpid), tid, 0) == 0;
}

/* Acquire and release are partners: the buffer is one thread's at a time. The
 * second needs no acquire: a thread that is no more releases nothing. */
static bool report_begin(void)
{
    int me = (int)syscall(SYS_gettid), holder = 0;
    if (atomic_compare_exchange_strong_explicit(
            &reporter, &holder, me, memory_order_acquire, memory_order_relaxed))
        return true;
    return holder != me && !thread_lives(holder) &&
           atomic_compare_exchange_strong_explicit(&reporter, &holder, me,
                                                   memory_order_relaxed,
                                                   memory_order_relaxed);
}

static void report_finish(void)
{
    atomic_store_explicit(&reporter, 0, memory_order_release);
}

/* MM_STATS, with the process's number for each %p. @return false: too long */
static bool report_path(char *path, size_t size)
{
    struct out o = {.text = path, .size = size};
    for (const char *p = opts.stats; *p; p++) {
        if (o.len + 24 > size)
            return false;
        if (p[0] == '%' && p[1] == 'p') {
            out_num(&o, (size_t)syscall(SYS_getpid));
            p++;
        } else {
            out_bytes(&o, p, 1);
        }
    }
    path[o.len] = '\0';
    return true;
}

/* No descriptor that exec'd programs would have, no link that another user may
 * have laid, no terminal that becomes ours, nothing to wait for. */
static int report_open(const char *path)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path,
                        O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW |
                            O_NOCTTY | O_NONBLOCK,
                        0644);
}

static const struct {
    int error;
    const char *what;
} reasons[] = {
    {ENOENT, "there is no such directory"},
    {ENOTDIR, "a directory in it is none"},
    {EISDIR, "it is a directory"},
    {ELOOP, "it is a symbolic link"},
    {EACCES, "this user may not"},
    {EROFS, "that file system is read only"},
    {ENAMETOOLONG, "the name is too long"},
    {ENXIO, "nobody reads it"},
    {EPIPE, "nobody reads it any more"},
    {EAGAIN, "it is full, and a report does not wait"},
    {ENOSPC, "no space is left there"},
    {EDQUOT, "the user's quota is used up"},
    {EFBIG, "the file may not be that large"},
    {EMFILE, "the process may open no more files"},
};

static cold_noinline void report_failed(int error)
{
    struct line l = {.len = 0};
    line_str(&l, "mm: MM_STATS: cannot write ");
    line_str_most(&l, opts.stats[0] ? opts.stats : "standard error",
                  SETTING_SHOWN);
    line_str(&l, ": ");
    size_t before = l.len;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (error == reasons[i].error)
            line_str(&l, reasons[i].what);
    if (l.len == before) {
        line_str(&l, "error ");
        line_num(&l, (uint64_t)error, 10);
    }
    line_write(&l);
}

static int report_to(int fd)
{
    struct out o = {.text = report_buffer,
                    .size = sizeof report_buffer,
                    .put = put_fd,
                    .fd = fd};
    struct mm_census c = {.classes = report_classes[0],
                          .arena_classes = report_classes[1]};
    memset(report_classes, 0, sizeof report_classes);
    (opts.stats_json ? report_json : report_text)(&o, &c);
    return out_end(&o);
}

static void report_anywhere(void)
{
    char path[STATS_PATH];
    uint64_t waited = signals_pending();
    int fd = STDERR_FILENO, error = ENAMETOOLONG;
    if (opts.stats[0])
        fd = report_path(path, sizeof path) ? report_open(path) : -1;
    if (fd >= 0)
        error = report_to(fd);
    else if (errno)
        error = errno;
    if (fd >= 0 && opts.stats[0])
        syscall(SYS_close, fd);
    if (error) {
        report_failed(error);
        signals_drop(waited);
    }
}

/** To where MM_STATS says. In a signal handler, too. errno is kept. */
static cold_noinline void report(void)
{
    int saved = errno;
    uint64_t before = signals_block();
    if (report_begin()) {
        report_anywhere();
        report_finish();
    }
    signals_restore(before);
    errno = saved;
}

static void report_signal(int number)
{
    (void)number;
    report();
}

/* A handler of the program's own stays, and a signal that is to be ignored. */
static void report_at_signal(int number)
{
    struct sigaction at = {.sa_handler = report_signal,
                           .sa_flags = SA_RESTART | SA_ONSTACK};
    struct sigaction before;
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
        sigaction(number, &at, NULL);
}

/** What the environment asked for. */
static void stats_begin(void)
{
    if (opts.stats_signal)
        report_at_signal(opts.stats_signal);
}

__attribute__((destructor)) static void report_at_exit(void)
{
    if (opts.stats_wanted)
        report();
}

#endif
