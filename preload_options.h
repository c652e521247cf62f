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

#include <limits.h>
#include <signal.h>
#include <sys/auxv.h>

#define STATS_PATH 4096     /* bytes of a file's name, at most */
#define CGROUP_PATH 1024    /* the same, of a cgroup's directory */
#define PRESSURE_DEFAULT 90 /* per cent of a cgroup's limit */
#define SIGNAL_MOST 64
#define DECAY_DEFAULT 1000 /* ms */
#define DECAY_MOST (LONG_MAX / 1000)

/* Of mallopt, besides glibc's own. */
#define M_MM_DECAY (-1001)
#define M_MM_BACKGROUND (-1002)

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

/* A decimal number, and nothing behind it. @return false: it is none */
static bool number_read(const char *text, long most, long *out)
{
    long n = 0;
    bool minus = *text == '-';
    text += minus;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || n > (most - (*text - '0')) / 10)
            return false;
        n = n * 10 + (*text - '0');
    }
    *out = minus ? -n : n;
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

static bool read_abort(const char *text)
{
    bool on;
    bool is = read_switch(text, &on);
    if (is)
        mm_die_quietly = !on;
    return is;
}

static bool read_huge(const char *text)
{
    bool on;
    bool is = read_switch(text, &on);
    if (is)
        opts.huge = on ? MEM_HUGE_LARGE : MEM_HUGE_NEVER;
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

/* A copy: programs that show a title in ps write over their environment. */
static bool read_cgroup(const char *text)
{
    bool is = text[0] == '/' && strlen(text) < CGROUP_PATH;
    if (is)
        memcpy(opts.cgroup, text, strlen(text) + 1);
    return is;
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

static bool read_stats_signal(const char *text)
{
    long n;
    if (strcmp(text, "USR1") == 0 || strcmp(text, "USR2") == 0)
        n = text[3] == '1' ? SIGUSR1 : SIGUSR2;
    else if (!number_read(text, SIGNAL_MOST, &n) || n < 1 || n == SIGKILL ||
             n == SIGSTOP || n == 32 || n == 33) /* the C library's own */
        return false;
    opts.stats_signal = (int)n;
    return true;
}

static const struct option {
    const char *name;
    bool (*read)(const char *value); /* false: it is no good */
    const char *wanted;
} known_options[] = {
    {"MM_DECAY", read_decay, "milliseconds, or -1: never"},
    {"MM_BACKGROUND", read_background, "0 or 1"},
    {"MM_ABORT", read_abort, "0 or 1"},
    {"MM_HUGE", read_huge, "0 or 1"},
    {"MM_NAMES", read_names, "0 or 1"},
    {"MM_PRESSURE", read_pressure, "per cent, 0: never, to 100"},
    {"MM_CGROUP", read_cgroup, "a directory, from the root on"},
    {"MM_STATS", read_stats, "a file, or stderr, or either after json:"},
    {"MM_STATS_SIGNAL", read_stats_signal, "USR1, USR2, or a number"},
};
#define NOPTIONS (sizeof known_options / sizeof known_options[0])

static cold_noinline void option_complain(const char *setting,
                                          const char *wanted)
{
    struct line l = {.len = 0};
    line_str(&l, "mm: ");
    line_str(&l, setting);
    line_str(&l, wanted ? ": ignored, for it must be "
                        : ": ignored, for libmm knows no such setting");
    line_str(&l, wanted ? wanted : "");
    line_write(&l);
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

/* glibc's own way to say that nothing goes back. */
static void tunables_read(const char *text)
{
    static const char name[] = "glibc.malloc.trim_threshold=";
    for (; text && *text; text = strchr(text, ':')) {
        text += *text == ':';
        long n;
        char value[24] = "";
        if (strncmp(text, name, sizeof name - 1) != 0)
            continue;
        text += sizeof name - 1;
        for (size_t i = 0; i < sizeof value - 1 && text[i] && text[i] != ':';
             i++)
            value[i] = text[i];
        if (value[0] && !number_read(value, LONG_MAX, &n))
            decay_set(-1); /* more than any heap has */
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
        if (tunables)
            tunables_read(tunables);
    }
    for (char **e = environ; *e; e++)
        if (looks_like_ours(*e))
            option_read(*e);
}

#endif
