/* preload_options.h - what an operator sets: environment variables, mallopt.
 *
 * Read once, before main. A value that is no good is told in one line on stderr
 * and leaves the default, and so is a name that looks like a slip of one of
 * these. Programs that gain rights when they start (AT_SECURE) ignore all.
 * docs/operator.md is the reference. */
#ifndef PRELOAD_OPTIONS_H
#define PRELOAD_OPTIONS_H

#include "memlib.h"
#include "mm/util.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/auxv.h>
#include <time.h>

#define STATS_PATH 4096     /* bytes of a file's name, at most */
#define CGROUP_PATH 1024    /* the same, of a cgroup's directory */
#define CGROUP_NAME 32      /* and of a file in it */
#define PRESSURE_DEFAULT 90 /* per cent of a cgroup's limit */
#define SIGNAL_MOST 64
#define SETTING_SHOWN 120  /* of what is set, in a line */
#define DECAY_DEFAULT 1000 /* ms */
#define DECAY_MOST (LONG_MAX / 1000)

/* Of mallopt, besides glibc's own. */
#define M_MM_DECAY (-1001)
#define M_MM_BACKGROUND (-1002)
#define M_MM_HUGE (-1003)
#define M_MM_ABORT (-1004)

struct options {
    bool background;          /* MM_BACKGROUND */
    enum mem_huge huge;       /* MM_HUGE */
    bool names;               /* MM_NAMES */
    bool stats_wanted;        /* MM_STATS: when the process ends */
    bool stats_json;          /* ... as JSON */
    char stats[STATS_PATH];   /* ... from the root on; empty: standard error */
    int stats_signal;         /* MM_STATS_SIGNAL; 0: none */
    long pressure;            /* MM_PRESSURE: per cent; 0: never */
    char cgroup[CGROUP_PATH]; /* MM_CGROUP; empty: as /proc says */
};
static struct options opts = {.huge = MEM_HUGE_LARGE,
                              .pressure = PRESSURE_DEFAULT};

__attribute__((visibility("hidden"))) bool mm_die_quietly;
extern char **environ;

static unsigned digit_of(char c)
{
    char lower = (char)(c | 0x20);
    return c >= '0' && c <= '9'           ? (unsigned)(c - '0')
           : lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a') + 10
                                          : UINT_MAX;
}

/* The number that *text begins with, which is moved behind its digits.
 * @return ULONG_MAX if it is larger; 0 if there is no digit */
static unsigned long digits_read(const char **text, unsigned base)
{
    unsigned long n = 0;
    for (; digit_of(**text) < base; ++*text)
        if (__builtin_mul_overflow(n, base, &n) ||
            __builtin_add_overflow(n, digit_of(**text), &n))
            n = ULONG_MAX;
    return n;
}

/* A decimal number, and nothing behind it. @return false: it is none */
static bool number_read(const char *text, long most, long *out)
{
    bool minus = *text == '-';
    const char *digits = text + minus, *end = digits;
    unsigned long n = digits_read(&end, 10);
    if (end == digits || *end || n > (unsigned long)most)
        return false;
    *out = minus ? -(long)n : (long)n;
    return true;
}

static void decay_set(long ms)
{
    atomic_store_explicit(&mem_options.decay_ms, ms, memory_order_relaxed);
}

static bool read_decay(const char *text)
{
    long ms;
    if (!number_read(text, DECAY_MOST, &ms) || ms < -1)
        return false;
    decay_set(ms);
    return true;
}

static bool read_switch(const char *text, bool *on)
{
    bool is = (text[0] == '0' || text[0] == '1') && !text[1];
    if (is)
        *on = text[0] == '1';
    return is;
}

static bool read_background(const char *text)
{
    return read_switch(text, &opts.background);
}

static void abort_set(bool on)
{
    __atomic_store_n(&mm_die_quietly, !on, __ATOMIC_RELAXED);
}

static bool read_abort(const char *text)
{
    bool on;
    bool is = read_switch(text, &on);
    if (is)
        abort_set(on);
    return is;
}

static enum mem_huge huge_mode(bool on)
{
    return on ? MEM_HUGE_LARGE : MEM_HUGE_NEVER;
}

static bool read_huge(const char *text)
{
    bool on;
    bool is = read_switch(text, &on);
    if (is)
        opts.huge = huge_mode(on);
    return is;
}

static bool read_names(const char *text)
{
    return read_switch(text, &opts.names);
}

static bool read_pressure(const char *text)
{
    long n;
    bool is = number_read(text, 100, &n) && n >= 0;
    if (is)
        opts.pressure = n;
    return is;
}

/* directory/name, of fewer than CGROUP_PATH and CGROUP_NAME bytes. */
static void cgroup_path(char path[CGROUP_PATH + CGROUP_NAME],
                        const char *directory, const char *name)
{
    size_t n = strlen(directory);
    memcpy(path, directory, n);
    path[n] = '/';
    memcpy(path + n + 1, name, strlen(name) + 1);
}

/* A copy: programs that show a title in ps write over their environment. */
static bool read_cgroup(const char *text)
{
    char path[CGROUP_PATH + CGROUP_NAME];
    size_t n = strlen(text);
    if (text[0] != '/' || n >= CGROUP_PATH)
        return false;
    cgroup_path(path, text, "memory.current");
    if (syscall(SYS_faccessat, AT_FDCWD, path, R_OK) != 0)
        return false;
    memcpy(opts.cgroup, text, n + 1);
    return true;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* A name from where the program starts: it may go elsewhere. @return false: it
 * is too long */
static bool path_read(const char *name)
{
    size_t n = 0, room = sizeof opts.stats;
    if (name[0] != '/') {
        long got = syscall(SYS_getcwd, opts.stats, room - 1); /* with the 0 */
        n = got > 0 ? (size_t)got : 0;
        if (n)
            opts.stats[n - 1] = '/';
    }
    if (n + strlen(name) >= room) {
        opts.stats[0] = '\0';
        return false;
    }
    memcpy(opts.stats + n, name, strlen(name) + 1);
    return true;
}

/* FILE, stderr, or either with json: before it */
static bool read_stats(const char *text)
{
    bool json = strncmp(text, "json:", 5) == 0;
    text += json ? 5 : 0;
    if (!*text)
        return false;
    opts.stats_json = json || ends_with(text, ".json");
    opts.stats_wanted = strcmp(text, "stderr") == 0 || path_read(text);
    return opts.stats_wanted;
}

/* Nobody can have these, the C library has them for itself, or a handler that
 * returns brings the same fault again, for ever. */
static bool is_anothers_signal(long n)
{
    static const int others[] = {SIGKILL, SIGSTOP, 32,     33,
                                 SIGSEGV, SIGBUS,  SIGILL, SIGFPE};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (n == others[i])
            return true;
    return false;
}

static bool read_stats_signal(const char *text)
{
    long n;
    if (strcmp(text, "USR1") == 0 || strcmp(text, "USR2") == 0)
        n = text[3] == '1' ? SIGUSR1 : SIGUSR2;
    else if (!number_read(text, SIGNAL_MOST, &n) || n < 1 ||
             is_anothers_signal(n))
        return false;
    opts.stats_signal = (int)n;
    return true;
}

static const struct option {
    const char *name;
    bool (*read)(const char *value); /* false: it is no good */
    const char *wanted;
} known_options[] = {
    {"MM_DECAY", read_decay,
     "whole milliseconds, at most 9223372036854775, or -1: never"},
    {"MM_BACKGROUND", read_background, "0 or 1"},
    {"MM_ABORT", read_abort, "0 or 1"},
    {"MM_HUGE", read_huge, "0 or 1"},
    {"MM_NAMES", read_names, "0 or 1"},
    {"MM_PRESSURE", read_pressure, "per cent, 0: never, to 100"},
    {"MM_CGROUP", read_cgroup,
     "a cgroup's directory, from the root on, with a file memory.current"},
    {"MM_STATS", read_stats, "a file, or stderr, or either after json:"},
    {"MM_STATS_SIGNAL", read_stats_signal,
     "USR1, USR2, or a number to 64, but not KILL, STOP, a fault's, 32, 33"},
};
#define NOPTIONS (sizeof known_options / sizeof known_options[0])

/* The signals that wait. */
static uint64_t signals_pending(void)
{
    uint64_t pending = 0;
    syscall(SYS_rt_sigpending, &pending, sizeof pending);
    return pending;
}

/* A write that fails may raise a signal, too, here a blocked one. It would end
 * the program later, and is not its own, unless it was among those that waited
 * before. */
static void signals_drop(uint64_t waited)
{
    uint64_t raised = (1u << (SIGPIPE - 1) | 1u << (SIGXFSZ - 1)) & ~waited;
    struct timespec now = {0};
    while (syscall(SYS_rt_sigtimedwait, &raised, NULL, &now, sizeof raised) > 0)
        ;
}

/* As line_write, though nobody may read standard error any more. */
static void line_write_quietly(struct line *l)
{
    uint64_t before = signals_block(), waited = signals_pending();
    line_write(l);
    signals_drop(waited);
    signals_restore(before);
}

static cold_noinline void option_complain(const char *setting,
                                          const char *wanted)
{
    struct line l = {.len = 0};
    line_str(&l, "mm: ");
    line_str_most(&l, setting, SETTING_SHOWN);
    line_str(&l, wanted ? ": ignored, for it must be "
                        : ": ignored, for libmm knows no such setting");
    line_str(&l, wanted ? wanted : "");
    line_write_quietly(&l);
}

/* text: NAME=VALUE. @return the value; NULL: another name */
static const char *value_of(const char *text, const char *name)
{
    size_t n = strlen(name);
    return strncmp(text, name, n) == 0 && text[n] == '=' ? text + n + 1 : NULL;
}

/* Other programs have names that begin with MM_, too (mutt's MM_CHARSET): only
 * one that goes on as ours do is a slip. */
static bool looks_like_ours(const char *text)
{
    static const char *const begin[] = {"D",    "B",    "A",   "H",
                                        "STAT", "PRES", "CGR", "NAM"};
    if (strncmp(text, "MM_", 3) != 0)
        return false;
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
        if (strncmp(text + 3, begin[i], strlen(begin[i])) == 0)
            return true;
    return false;
}

static void option_read(const char *text)
{
    for (size_t i = 0; i < NOPTIONS; i++) {
        const char *value = value_of(text, known_options[i].name);
        if (!value)
            continue;
        if (!known_options[i].read(value))
            option_complain(text, known_options[i].wanted);
        return;
    }
    option_complain(text, NULL);
}

/* text, up to its end or a colon, as strtoul reads it in any base: -1 is the
 * highest, and so is what is higher. That one asks the locale. */
static bool unsigned_read(const char *text, unsigned long *out)
{
    bool minus = *text == '-';
    const char *digits = text + minus;
    unsigned base = 10;
    if (digits[0] == '0' && digits[1]) {
        bool hex = digits[1] == 'x' || digits[1] == 'X';
        base = hex ? 16 : 8;
        digits += hex ? 2 : 1;
    }
    const char *end = digits;
    unsigned long n = digits_read(&end, base);
    *out = minus ? -n : n;
    return end != digits && (!*end || *end == ':');
}

/* glibc's own way to say that nothing goes back: a threshold that no heap
 * reaches, and -1 is read as the highest. text: up to its end, or a colon. */
static void threshold_read(const char *text)
{
    unsigned long n;
    if (unsigned_read(text, &n) && n > LONG_MAX)
        decay_set(-1);
}

static void tunables_read(const char *text)
{
    for (; text && *text; text = strchr(text, ':')) {
        text += *text == ':';
        const char *value = value_of(text, "glibc.malloc.trim_threshold");
        if (value)
            threshold_read(value);
    }
}

/** All that the environment says. Once. */
static cold_noinline void options_read(void)
{
    decay_set(DECAY_DEFAULT);
    if (getauxval(AT_SECURE) || !environ)
        return;
    for (char **e = environ; *e; e++) {
        const char *tunables = value_of(*e, "GLIBC_TUNABLES");
        const char *threshold = value_of(*e, "MALLOC_TRIM_THRESHOLD_");
        if (tunables)
            tunables_read(tunables);
        if (threshold)
            threshold_read(threshold);
    }
    for (char **e = environ; *e; e++)
        if (looks_like_ours(*e))
            option_read(*e);
}

#endif
