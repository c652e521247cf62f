/* pattern.c - see pattern.h. */
#include "driver/check/pattern.h"

#include <stdbool.h>
#include <string.h>

#define WORD sizeof(uint64_t)
#define EDGE ((size_t)4096) /* bytes at each end of a large block */
#define LINE ((size_t)64)
#define PLACES ((size_t)16 << 10) /* in a block beyond PATTERN_LINES */

/* The word at offset is seed + offset * STEP: cheap to step through, and no
 * two words of a block are alike. */
#define STEP UINT64_C(0x9E3779B97F4A7C15)

/* What to look at in [from, to): one word every stride bytes. */
struct region {
    size_t from, to, stride;
};

static uint64_t word_at(uint64_t seed, size_t offset)
{
    return seed + offset * STEP;
}

unsigned char pattern_byte(uint64_t seed, size_t offset)
{
    uint64_t word = word_at(seed, offset / WORD * WORD);
    return ((unsigned char *)&word)[offset % WORD];
}

/* The regions of a block of size bytes, ascending; at most 3. */
static int regions(size_t size, struct region r[3])
{
    if (size <= PATTERN_DENSE) {
        r[0] = (struct region){0, size, WORD};
        return 1;
    }
    size_t tail = (size - EDGE) / WORD * WORD;
    size_t stride = size <= PATTERN_LINES ? LINE : size / PLACES / LINE * LINE;
    r[0] = (struct region){0, EDGE, WORD};
    r[1] = (struct region){EDGE, tail, stride};
    r[2] = (struct region){tail, size, WORD};
    return 3;
}

static void fill(unsigned char *p, const struct region *r, uint64_t seed)
{
    size_t at = r->from;
    uint64_t word = word_at(seed, at), step = r->stride * STEP;
    for (; at + WORD <= r->to; at += r->stride, word += step)
        memcpy(p + at, &word, WORD);
    if (at < r->to)
        memcpy(p + at, &word, r->to - at);
}

/* First byte of [at, at + n), n <= 8, that differs from word's; or n. */
static size_t differs(const unsigned char *p, const uint64_t *word, size_t n)
{
    const unsigned char *want = (const unsigned char *)word;
    size_t i = 0;
    while (i < n && p[i] == want[i])
        i++;
    return i;
}

/* Words step by step from seed, or all the same if step is 0. */
static size_t check(const unsigned char *p, const struct region *r,
                    uint64_t word, uint64_t step)
{
    size_t at = r->from;
    uint64_t is;
    for (; at + WORD <= r->to; at += r->stride, word += step) {
        memcpy(&is, p + at, WORD);
        if (is != word)
            return at + differs(p + at, &word, WORD);
    }
    if (at < r->to) {
        size_t n = r->to - at, same = differs(p + at, &word, n);
        if (same < n)
            return at + same;
    }
    return PATTERN_OK;
}

void pattern_fill(unsigned char *p, size_t size, uint64_t seed)
{
    struct region r[3];
    int n = regions(size, r);
    for (int i = 0; i < n; i++)
        fill(p, &r[i], seed);
}

/* Both checks: words from seed that step by STEP per byte, or by 0. */
static size_t check_all(const unsigned char *p, size_t size, uint64_t seed,
                        uint64_t step, size_t limit)
{
    struct region r[3];
    int n = regions(size, r);
    for (int i = 0; i < n && r[i].from < limit; i++) {
        if (r[i].to > limit)
            r[i].to = limit;
        size_t bad =
            check(p, &r[i], seed + r[i].from * step, r[i].stride * step);
        if (bad != PATTERN_OK)
            return bad;
    }
    return PATTERN_OK;
}

size_t pattern_check(const unsigned char *p, size_t size, uint64_t seed,
                     size_t limit)
{
    return check_all(p, size, seed, STEP, limit);
}

size_t pattern_check_zero(const unsigned char *p, size_t size)
{
    return check_all(p, size, 0, 0, size);
}
