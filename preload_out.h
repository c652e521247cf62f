/* preload_out.h - text put together piece by piece and written as it fills a
 * buffer: without stdio and without memory, so in a signal handler, too.
 *
 *   out_str, out_num ─► text ─ full, or out_end ─► put: a descriptor, a stream
 */
#ifndef PRELOAD_OUT_H
#define PRELOAD_OUT_H

#include "mm/util.h"

#include <stdio.h>

struct out {
    char *text; /* size bytes, the caller's */
    size_t size, len;
    bool (*put)(const struct out *o); /* write it. false, errno: it failed */
    int fd;
    FILE *stream;
    int failed; /* errno of the first time; 0: never */
    bool more;  /* a list has begun: a comma is due */
};

/* All of it, by the system call itself, at which nobody is cancelled. */
static bool put_fd(const struct out *o)
{
    for (size_t done = 0; done < o->len;) {
        long n = syscall(SYS_write, o->fd, o->text + done, o->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

/* For glibc's malloc_info alone. */
__attribute__((unused)) static bool put_stream(const struct out *o)
{
    return fwrite(o->text, 1, o->len, o->stream) == o->len;
}

/** Write what there is. @return 0, or errno of what failed first */
static int out_end(struct out *o)
{
    if (o->len && !o->failed && !o->put(o))
        o->failed = errno ? errno : EIO;
    o->len = 0;
    return o->failed;
}

static void out_bytes(struct out *o, const char *text, size_t n)
{
    if (n > o->size - o->len)
        out_end(o);
    memcpy(o->text + o->len, text, n);
    o->len += n;
}

/** @pre it is shorter than the buffer */
static void out_str(struct out *o, const char *text)
{
    out_bytes(o, text, strlen(text));
}

/** n, decimal, with spaces before it up to a width. */
static void out_num_wide(struct out *o, size_t n, size_t width)
{
    char digits[40];
    size_t i = sizeof digits;
    do {
        digits[--i] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    while (sizeof digits - i < width && i > 0)
        digits[--i] = ' ';
    out_bytes(o, digits + i, sizeof digits - i);
}

static void out_num(struct out *o, size_t n)
{
    out_num_wide(o, n, 0);
}

/** text, and spaces after it up to a width. */
static void out_str_wide(struct out *o, const char *text, size_t width)
{
    out_str(o, text);
    for (size_t n = strlen(text); n < width; n++)
        out_str(o, " ");
}

/** A comma, but before the first of a list. */
static void out_comma(struct out *o)
{
    out_str(o, o->more ? "," : "");
    o->more = true;
}

/** "name":n in JSON */
static void out_pair(struct out *o, const char *name, size_t n)
{
    out_comma(o);
    out_str(o, "\"");
    out_str(o, name);
    out_str(o, "\":");
    out_num(o, n);
}

#endif
