/* logread.c - maps a log and sorts its events by seq: they are dense, so
 * one pass that notes where each one lies does it. */
#include "record/logread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_EVENTS (LOG_HEADER_SIZE / sizeof(struct event))
#define CHUNK_UNITS (LOG_CHUNK_SIZE / sizeof(struct event))

static int map_file(struct log *log, const char *path, char *err,
                    size_t errsize)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        snprintf(err, errsize, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    void *p = MAP_FAILED;
    log->size = (size_t)st.st_size;
    if (log->size >= LOG_HEADER_SIZE)
        p = mmap(NULL, log->size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    log->head = p;
    log->events = p;
    if (p != MAP_FAILED &&
        memcmp(log->head->magic, LOG_MAGIC, sizeof log->head->magic) == 0)
        return 0;
    snprintf(err, errsize,
             "%s: not a log of librecord.so (no \"%s\" at its start); the "
             "process may have died before its first operation",
             path, LOG_MAGIC);
    if (p != MAP_FAILED)
        munmap(p, log->size);
    return -1;
}

/* Call visit for each event of the file, chunk by chunk. */
static void each_event(struct log *log, void (*visit)(struct log *, uint32_t))
{
    size_t units = log->size / sizeof(struct event);
    for (size_t c = HEADER_EVENTS; c + CHUNK_UNITS <= units; c += CHUNK_UNITS)
        for (size_t i = 1; i < CHUNK_UNITS && log->events[c + i].seq; i++)
            visit(log, (uint32_t)(c + i));
}

static void note_last(struct log *log, uint32_t i)
{
    uint64_t seq = log->events[i].seq, stop = log->head->stop_seq;
    if ((!stop || seq < stop) && seq > log->last)
        log->last = seq;
}

static void note_place(struct log *log, uint32_t i)
{
    if (log->events[i].seq <= log->last)
        log->at[log->events[i].seq] = i;
}

int log_open(struct log *out, const char *path, char *err, size_t errsize)
{
    struct log log = {0};
    if (map_file(&log, path, err, errsize) < 0)
        return -1;
    if (log.size / sizeof(struct event) > UINT32_MAX) {
        snprintf(err, errsize, "%s: found %zu bytes, expected at most 128 GiB",
                 path, log.size);
        log_close(&log);
        return -1;
    }
    each_event(&log, note_last);
    /* L3 bounds the holes by the threads; far more are no log. */
    if (log.last <= log.size)
        log.at = calloc(log.last + 1, sizeof *log.at);
    if (!log.at) {
        snprintf(err, errsize,
                 "%s: event %llu in a log of %zu bytes: it is "
                 "damaged, record again",
                 path, (unsigned long long)log.last, log.size);
        log_close(&log);
        return -1;
    }
    each_event(&log, note_place);
    for (uint64_t s = 1; s <= log.last; s++)
        log.holes += log.at[s] == 0;
    *out = log;
    return 0;
}

void log_close(struct log *log)
{
    free(log->at);
    munmap((void *)log->head, log->size);
}

unsigned log_thread(const struct log *log, uint64_t s)
{
    size_t chunk = (log->at[s] - HEADER_EVENTS) / CHUNK_UNITS;
    const struct chunk_head *head =
        (const struct chunk_head *)&log
            ->events[HEADER_EVENTS + chunk * CHUNK_UNITS];
    return (unsigned)head->thread_plus_1 - 1;
}
