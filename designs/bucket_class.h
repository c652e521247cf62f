/* bucket_class.h - bucket's size classes, and how chunks are cut for them.
 *
 *   sizes (bytes)   16 32 48 64 80 112 144 208 272 392 528 ...  8 + 2^k and
 *                   what lies midway, rounded up to 16; while two of them
 *                   fit into a chunk: up to 6160
 *   then            32 64 128 ... 4096   for memalign: blocks of 2^k bytes at
 *                   multiples of that
 *
 * Set at run time, before the first allocation, from the environment:
 *   MM_BUCKET_CHUNK=BYTES        a power of two, 4096 to 1048576
 *   MM_BUCKET_CLASSES=N,N,...    sizes in bytes, rising; two of each fit into
 *                                a chunk. Rounded up to 16; larger requests
 *                                are mapped
 *
 * Invariants
 *   C1 size % 16 == 0, sizes rise; header + n * size <= chunk, first % 16 == 0
 *   C2 of[(s + 15) / 16] is the smallest class that holds s, for s <= most
 *   C3 of the aligned classes, first % size == 0 */
#ifndef DESIGNS_BUCKET_CLASS_H
#define DESIGNS_BUCKET_CLASS_H

#include "memlib.h"
#include "mm/util.h"

#include <errno.h>

#define CHUNK_DEFAULT                                                          \
    ((size_t)16 << 10) /* a page at least: so it can go back */
#define CHUNK_MIN ((size_t)4 << 10)
#define CHUNK_MAX ((size_t)1 << 20)
#define FIT_LEAST 2 /* blocks of the largest class in a chunk */
#define CLASSES 64  /* at most: of either kind */
#define KEEP_BYTES                                                             \
    4096               /* in a thread's list of one class, at most; but ...    \
                        */
#define KEEP_MIN 4     /* blocks at least, and ... */
#define KEEP_MAX 64    /* blocks at most */
#define ALIGNED_LOG2 5 /* of the smallest aligned class */

struct class
{
    uint32_t size;  /* bytes of a block */
    uint32_t n;     /* blocks in a chunk */
    uint32_t first; /* offset of the first block in its chunk */
    uint32_t keep;  /* blocks that a thread's list may hold */
};

/* Written by classes_init only. */
static struct {
    size_t chunk;      /* bytes, a power of two */
    size_t most;       /* the largest block of an ordinary class, in bytes */
    unsigned n, total; /* ordinary classes, all classes */
    struct class all[CLASSES];
    uint8_t of[CHUNK_MAX / FIT_LEAST / ALIGN + 1];
} classes;

static always_inline uint32_t class_of_size(size_t size)
{
    return classes.of[(size + ALIGN - 1) / ALIGN];
}

/* @return the aligned class for blocks of 2^log2 bytes; classes.total: none */
static inline uint32_t class_of_align(unsigned log2)
{
    uint32_t class = classes.n + log2 - ALIGNED_LOG2;
    return class < classes.total ? class : classes.total;
}

static inline size_t bitmap_bytes(size_t n)
{
    return (n + 63) / 64 * sizeof(uint64_t);
}

static bool class_fits(size_t header, size_t size)
{
    size_t room = classes.chunk - header - bitmap_bytes(FIT_LEAST);
    return size <= room / FIT_LEAST;
}

/* Add a class of blocks that start at multiples of align. */
static void class_add(size_t header, size_t size, size_t align)
{
    size_t n = (classes.chunk - header) / size;
    size_t first = round_up(header + bitmap_bytes(n), align);
    while (first + n * size > classes.chunk)
        first = round_up(header + bitmap_bytes(--n), align);
    size_t keep = max_size(KEEP_MIN, min_size(KEEP_BYTES / size, KEEP_MAX));
    classes.all[classes.total++] = (struct class){
        (uint32_t)size, (uint32_t)n, (uint32_t)first, (uint32_t)keep};
}

/* A decimal number at *s, which then points behind it; 0: there is none. */
static size_t number_at(const char **s)
{
    size_t n = 0;
    for (; **s >= '0' && **s <= '9' && n < CHUNK_MAX * 10; ++*s)
        n = n * 10 + (size_t)(**s - '0');
    return n;
}

static int complain(const char *variable, const char *value, const char *want)
{
    struct line l = {.len = 0};
    line_str(&l, variable);
    line_str(&l, "=");
    line_str(&l, value);
    line_str(&l, ": expected ");
    line_str(&l, want);
    line_str(&l, "; unset it for the default");
    line_write(&l);
    errno = EINVAL;
    return -1;
}

static int chunk_from(const char *value)
{
    const char *s = value;
    size_t n = number_at(&s);
    if (*s || n < CHUNK_MIN || n > CHUNK_MAX || n & (n - 1))
        return complain("MM_BUCKET_CHUNK", value,
                        "a power of two from 4096 to 1048576");
    classes.chunk = n;
    return 0;
}

static int classes_from(const char *value, size_t header)
{
    const char *s = value;
    size_t last = 0;
    do {
        size_t size = round_up(number_at(&s), ALIGN);
        bool more = *s == ',' || *s == '\0';
        if (size <= last || !class_fits(header, size) || !more ||
            classes.n == CLASSES / 2)
            return complain("MM_BUCKET_CLASSES", value,
                            "up to 32 rising sizes in bytes, two of each "
                            "fitting into a chunk, with commas between");
        class_add(header, size, ALIGN);
        classes.n++;
        last = size;
    } while (*s++ == ',');
    return 0;
}

static void classes_default(size_t header)
{
    size_t last = 0;
    for (size_t k = 8; k <= classes.chunk; k *= 2)
        for (size_t half = 0; half < 2; half++) {
            size_t size = round_up(8 + k + half * k / 2, ALIGN);
            if (size <= last || !class_fits(header, size))
                continue;
            class_add(header, size, ALIGN);
            classes.n++;
            last = size;
        }
}

/** Read the environment; cut chunks with a header of `header` bytes before the
 * bitmap. @return 0; -1 and EINVAL after a line on stderr */
static int classes_init(size_t header)
{
    const char *chunk = getenv("MM_BUCKET_CHUNK");
    const char *list = getenv("MM_BUCKET_CLASSES");
    classes.n = classes.total = 0;
    classes.chunk = max_size(CHUNK_DEFAULT, mem_pagesize());
    if (chunk && chunk_from(chunk) != 0)
        return -1;
    if (list && classes_from(list, header) != 0)
        return -1;
    if (!list)
        classes_default(header);
    size_t most = min_size(mem_pagesize(), classes.chunk / 4);
    for (size_t size = (size_t)1 << ALIGNED_LOG2; size <= most; size *= 2)
        class_add(header, size, size);
    classes.most = classes.all[classes.n - 1].size;
    for (size_t s = 0, c = 0; s <= classes.most; s += ALIGN) {
        c += s > classes.all[c].size;
        classes.of[s / ALIGN] = (uint8_t)c;
    }
    return 0;
}

#endif
