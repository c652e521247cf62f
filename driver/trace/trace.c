/* trace.c - reads trace files: open, decompress, parse, all or nothing.
 *
 *   path ─ read_file ─► bytes ─ trace_unzstd ─► text ─┬─ trace_header_read
 *                         └── plain text ─────────────┴─ trace_ops_read ─► t */
#include "driver/trace/trace.h"

#include "driver/base/driver_mem.h"
#include "driver/trace/trace_parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a trace ---------------------------------------------------------- */

static bool cut_suffix(char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    if (n <= m || strcmp(name + n - m, suffix) != 0)
        return false;
    name[n - m] = '\0';
    return true;
}

/* dir/x.rep.zst -> x */
static char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = driver_mem_strdup(slash ? slash + 1 : path);
    cut_suffix(name, ".zst");
    if (!cut_suffix(name, ".rep"))
        cut_suffix(name, ".trace");
    return name;
}

static struct trace *parse_text(const struct trace_msg *msg, const char *text,
                                size_t size)
{
    struct lex lx = {text, text + size, 1, false, msg};
    struct trace_header h;
    if (size > TRACE_MAX_TEXT) {
        trace_message(msg, 0, "found %zu bytes of text, expected at most %zu",
                      size, TRACE_MAX_TEXT);
        return NULL;
    }
    if (!trace_header_read(&lx, &h))
        return NULL;
    struct trace *t = driver_mem_alloc(sizeof *t);
    t->path = driver_mem_strdup(msg->path);
    t->name = base_name(msg->path);
    if (trace_ops_read(&lx, &h, t))
        return t;
    trace_free(t);
    return NULL;
}

struct trace *trace_parse(const char *name, const void *data, size_t size,
                          char *err, size_t errsize)
{
    struct trace_msg msg = {name, err, errsize};
    if (!trace_is_zstd(data, size))
        return parse_text(&msg, data, size);
    size_t text_size;
    char *text = trace_unzstd(data, size, &text_size, &msg);
    struct trace *t = text ? parse_text(&msg, text, text_size) : NULL;
    driver_mem_free(text);
    return t;
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    driver_mem_free(t->path);
    driver_mem_free(t->name);
    driver_mem_free(t->ops);
    driver_mem_free(t->seq);
    driver_mem_free(t->line);
    driver_mem_free(t);
}

/* ---- a file ----------------------------------------------------------- */

static const char *kind_of_file(mode_t mode)
{
    return S_ISDIR(mode)    ? "a directory"
           : S_ISFIFO(mode) ? "a FIFO"
           : S_ISCHR(mode)  ? "a character device"
           : S_ISBLK(mode)  ? "a block device"
                            : "a special file";
}

/* Only a regular file has a size, an end, and never blocks. */
static bool regular(int fd, size_t *size, const struct trace_msg *msg)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return trace_fail(msg, 0,
                          "cannot be looked at: %s; expected a trace "
                          "file",
                          strerror(errno));
    if (!S_ISREG(st.st_mode))
        return trace_fail(msg, 0, "is %s; expected a trace file%s",
                          kind_of_file(st.st_mode),
                          S_ISDIR(st.st_mode) ? "; -t takes a directory" : "");
    if ((uint64_t)st.st_size > TRACE_MAX_TEXT)
        return trace_fail(msg, 0, "found %lld bytes, expected at most %zu",
                          (long long)st.st_size, TRACE_MAX_TEXT);
    *size = (size_t)st.st_size;
    return true;
}

/* Read to the end; data has room for one byte more than there should be. */
static bool read_all(int fd, char *data, size_t size,
                     const struct trace_msg *msg)
{
    size_t got = 0;
    for (;;) {
        ssize_t n = read(fd, data + got, size + 1 - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return trace_fail(msg, 0,
                              "cannot be read beyond byte %zu of %zu: "
                              "%s",
                              got, size, strerror(errno));
        got += (size_t)n;
        if (got > size || (n == 0 && got < size))
            return trace_fail(msg, 0,
                              "changed while it was read; is a program "
                              "still writing it?");
        if (n == 0)
            return true;
    }
}

/* Not mmap: a file cut while mapped would end the driver by SIGBUS. */
static char *read_file(int fd, size_t *size, const struct trace_msg *msg)
{
    if (!regular(fd, size, msg))
        return NULL;
    char *data = driver_mem_alloc(*size + 1);
    if (read_all(fd, data, *size, msg))
        return data;
    driver_mem_free(data);
    return NULL;
}

struct trace *trace_read(const char *path, char *err, size_t errsize)
{
    struct trace_msg msg = {path, err, errsize};
    /* O_NONBLOCK: opening a FIFO that nobody writes must not wait. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        trace_message(&msg, 0,
                      "cannot be opened: %s; -f takes a trace file, "
                      "-t a directory of them",
                      strerror(errno));
        return NULL;
    }
    size_t size;
    char *data = read_file(fd, &size, &msg);
    close(fd);
    struct trace *t = data ? trace_parse(path, data, size, err, errsize) : NULL;
    driver_mem_free(data);
    return t;
}

/* ---- a directory ------------------------------------------------------ */

static bool ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n > m && strcmp(s + n - m, suffix) == 0;
}

static int is_trace_file(const struct dirent *entry)
{
    const char *name = entry->d_name;
    return name[0] != '.' &&
           (ends_with(name, ".rep") || ends_with(name, ".trace") ||
            ends_with(name, ".rep.zst") || ends_with(name, ".trace.zst"));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); /* alike in every locale */
}

static char *join(const char *dir, const char *name)
{
    size_t n = strlen(dir) + strlen(name) + 2;
    char *path = malloc(n);
    if (path)
        snprintf(path, n, "%s/%s", dir, name);
    return path;
}

/* The entries' paths, or NULL if there is no memory for all of them. */
static char **join_all(const char *dir, struct dirent **entries, size_t n)
{
    char **paths = calloc(n, sizeof *paths);
    size_t done = 0;
    while (paths && done < n &&
           (paths[done] = join(dir, entries[done]->d_name)))
        done++;
    if (done == n)
        return paths;
    while (done > 0)
        free(paths[--done]);
    free(paths);
    return NULL;
}

char **trace_list(const char *dir, size_t *n, char *err, size_t errsize)
{
    struct trace_msg msg = {dir, err, errsize};
    struct dirent **entries = NULL;
    char **paths = NULL;
    int found = scandir(dir, &entries, is_trace_file, by_name);
    *n = found > 0 ? (size_t)found : 0;
    if (found < 0)
        trace_message(&msg, 0,
                      "cannot be listed: %s; -t takes a directory of "
                      "traces, -f one trace file",
                      strerror(errno));
    else if (found == 0)
        trace_message(&msg, 0,
                      "has no trace in it; expected files named "
                      "*.rep or *.trace, or these with .zst");
    else if (!(paths = join_all(dir, entries, *n)))
        trace_message(&msg, 0, "no memory for the names of its %zu traces", *n);
    for (size_t i = 0; i < *n; i++)
        free(entries[i]);
    free(entries);
    return paths;
}
