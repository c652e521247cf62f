/* spans.c - see spans.h. A sorted array: a thread that adds or removes has just
 * paid for a system call, so that moving some entries costs little beside it.
 */
#include "driver/check/spans.h"

#include "driver/base/driver_mem.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define SPANS_MOST ((size_t)1 << 18) /* the system's own limit is 65530 */

struct span {
    uintptr_t at, end;
};

struct spans {
    pthread_mutex_t lock;
    size_t n, bytes;
    struct span span[SPANS_MOST];
};

struct spans *spans_new(void)
{
    int fd;
    struct spans *s = driver_mem_shared(sizeof *s, &fd);
    close(fd);
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void spans_free(struct spans *s)
{
    driver_mem_free(s);
}

/* The first that ends behind at: the one that holds it, if one does. */
static size_t find(const struct spans *s, uintptr_t at)
{
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->span[middle].end <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool inside(const struct spans *s, size_t i, uintptr_t at, size_t size)
{
    return i < s->n && s->span[i].at <= at && size <= s->span[i].end - at;
}

/* Make room for one more before i. */
static void insert(struct spans *s, size_t i, struct span new)
{
    memmove(&s->span[i + 1], &s->span[i], (s->n - i) * sizeof new);
    s->span[i] = new;
    s->n++;
}

static void erase(struct spans *s, size_t i)
{
    s->n--;
    memmove(&s->span[i], &s->span[i + 1], (s->n - i) * sizeof s->span[0]);
}

bool spans_add(struct spans *s, const void *p, size_t size)
{
    uintptr_t at = (uintptr_t)p;
    pthread_mutex_lock(&s->lock);
    size_t i = find(s, at);
    bool free = size <= UINTPTR_MAX - at && s->n < SPANS_MOST &&
                (i == s->n || at + size <= s->span[i].at);
    if (free && size) {
        insert(s, i, (struct span){at, at + size});
        s->bytes += size;
    }
    pthread_mutex_unlock(&s->lock);
    return free;
}

bool spans_append(struct spans *s, const void *p, size_t size)
{
    uintptr_t at = (uintptr_t)p;
    pthread_mutex_lock(&s->lock);
    size_t i = find(s, at);
    bool joins = i > 0 && s->span[i - 1].end == at &&
                 size <= UINTPTR_MAX - at &&
                 (i == s->n || at + size <= s->span[i].at);
    if (joins) {
        s->span[i - 1].end += size;
        s->bytes += size;
    }
    pthread_mutex_unlock(&s->lock);
    return joins || spans_add(s, p, size);
}

/* What is left of the i-th: nothing, its start, its end, or both. */
static void cut(struct spans *s, size_t i, uintptr_t at, uintptr_t end)
{
    struct span old = s->span[i];
    if (old.at < at)
        s->span[i].end = at;
    else
        erase(s, i);
    if (end < old.end)
        insert(s, old.at < at ? i + 1 : i, (struct span){end, old.end});
}

bool spans_remove(struct spans *s, const void *p, size_t size)
{
    uintptr_t at = (uintptr_t)p;
    pthread_mutex_lock(&s->lock);
    size_t i = find(s, at);
    bool in = inside(s, i, at, size) && s->n < SPANS_MOST;
    if (in && size) {
        cut(s, i, at, at + size);
        s->bytes -= size;
    }
    pthread_mutex_unlock(&s->lock);
    return in;
}

bool spans_hold(struct spans *s, const void *p, size_t size)
{
    pthread_mutex_lock(&s->lock);
    bool in = inside(s, find(s, (uintptr_t)p), (uintptr_t)p, size);
    pthread_mutex_unlock(&s->lock);
    return in;
}

size_t spans_bytes(struct spans *s)
{
    pthread_mutex_lock(&s->lock);
    size_t bytes = s->bytes;
    pthread_mutex_unlock(&s->lock);
    return bytes;
}
