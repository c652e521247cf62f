/* preload_pressure.h - is the process's cgroup (version 2) near its limit of
 * memory?
 *
 *   /proc/self/cgroup ─► /sys/fs/cgroup/a/b ─► a/b, then a: those above it
 *     memory.high, memory.max    the lower one is the limit; "max": none
 *     memory.current             near if it is MM_PRESSURE per cent of that
 *     memory.pressure            or if some have waited for memory a tenth of
 *                                the last 10 s, where there is a limit
 *
 * These are files, each some microseconds to read. So only the library's own
 * thread reads them (MM_BACKGROUND), and only as a period ends. Nothing is kept
 * open or remembered: a limit may change, and a process may be moved. */
#ifndef PRELOAD_PRESSURE_H
#define PRELOAD_PRESSURE_H

#include "preload_options.h"

#include <fcntl.h>

#define CGROUP_ROOT "/sys/fs/cgroup"
#define STALLED 10 /* per cent of the time */

/* The beginning of a file. @return false: it cannot be read */
static bool file_read(const char *path, char *text, size_t size)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    long n = syscall(SYS_read, fd, text, size - 1);
    syscall(SYS_close, fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* The decimal number that text begins with. @return SIZE_MAX: none, or none
 * that large */
static size_t leading_number(const char *text)
{
    const char *end = text;
    size_t n = digits_read(&end, 10);
    return end != text ? n : SIZE_MAX;
}

/* A file of a cgroup: directory/name. */
static bool cgroup_read(const char *directory, const char *name, char *text,
                        size_t size)
{
    char path[CGROUP_PATH + CGROUP_NAME];
    cgroup_path(path, directory, name);
    return file_read(path, text, size);
}

static size_t cgroup_number(const char *directory, const char *name)
{
    char text[32];
    return cgroup_read(directory, name, text, sizeof text)
               ? leading_number(text)
               : SIZE_MAX;
}

/* "some avg10=12.34 ...": has anyone waited for long? */
static bool cgroup_stalls(const char *directory)
{
    char text[64];
    if (!cgroup_read(directory, "memory.pressure", text, sizeof text))
        return false;
    const char *average = strchr(text, '=');
    size_t percent = average ? leading_number(average + 1) : SIZE_MAX;
    return percent != SIZE_MAX && percent >= STALLED;
}

static bool cgroup_is_near(const char *directory)
{
    size_t limit = min_size(cgroup_number(directory, "memory.high"),
                            cgroup_number(directory, "memory.max"));
    size_t current = cgroup_number(directory, "memory.current");
    if (limit == SIZE_MAX || current == SIZE_MAX)
        return false;
    return current / (size_t)opts.pressure >= limit / 100 ||
           cgroup_stalls(directory);
}

/* The directory of this process's cgroup. @return false: it has none */
static bool cgroup_find(char directory[CGROUP_PATH])
{
    char text[CGROUP_PATH * 2];
    if (!file_read("/proc/self/cgroup", text, sizeof text))
        return false;
    const char *at = strstr(text, "0::/");
    if (!at || (at != text && at[-1] != '\n'))
        return false;
    size_t root = strlen(CGROUP_ROOT), n = strcspn(at += 3, "\n");
    if (root + n >= CGROUP_PATH)
        return false;
    memcpy(directory, CGROUP_ROOT, root);
    memcpy(directory + root, at, n);
    directory[root + n] = '\0';
    return true;
}

/* Go up. @return false: above it is no cgroup with memory of its own */
static bool cgroup_parent(char *directory)
{
    char *last = strrchr(directory, '/');
    if (!last || last == directory)
        return false;
    *last = '\0';
    return cgroup_number(directory, "memory.current") != SIZE_MAX;
}

/** Is memory short, for this process or for those that share a limit with it?
 * errno is kept. */
static cold_noinline bool pressure(void)
{
    char directory[CGROUP_PATH];
    int saved = errno;
    bool near = false, found = opts.pressure != 0;
    if (found && opts.cgroup[0])
        memcpy(directory, opts.cgroup, strlen(opts.cgroup) + 1);
    else if (found)
        found = cgroup_find(directory);
    for (; found && !near; found = cgroup_parent(directory))
        near = cgroup_is_near(directory);
    errno = saved;
    return near;
}

#endif
