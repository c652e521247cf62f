/* trace_zstd.c - decompresses a trace, within bounds.
 *
 *   file ─► ZSTD_DStream ─► text, doubled as it fills, at most TRACE_MAX_TEXT
 *
 * A small file may claim to hold anything (a "bomb"): memory grows with what
 * really comes out, and stops at the limit.
 *
 * zstd gets its own memory from driver_mem too. Were it malloc'ed and freed,
 * the forked child that measures libc would start with a used heap, and with
 * glibc's mmap threshold raised, for it follows the largest freed mapping. */
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_createDCtx_advanced */
#include "driver/base/driver_mem.h"
#include "driver/trace/trace_parse.h"

#include <string.h>
#include <zstd.h>

#define FIRST_TEXT ((size_t)1 << 16) /* bytes */
#define WINDOW_LOG_MAX 27            /* 128 MiB, what `zstd --long` writes */

static void *zstd_alloc(void *opaque, size_t size)
{
    (void)opaque;
    return driver_mem_alloc(size);
}

static void zstd_free(void *opaque, void *p)
{
    (void)opaque;
    driver_mem_free(p);
}

bool trace_is_zstd(const void *data, size_t size)
{
    const unsigned char *b = data;
    bool frame = size >= 4 && b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f &&
                 b[3] == 0xfd;
    bool skippable = size >= 4 && (b[0] & 0xf0) == 0x50 && b[1] == 0x2a &&
                     b[2] == 0x4d && b[3] == 0x18;
    return frame || skippable;
}

/* Twice the room for text, or false if it has had all it may. */
static bool grow(ZSTD_outBuffer *out)
{
    if (out->size >= TRACE_MAX_TEXT)
        return false;
    char *bigger = driver_mem_alloc(out->size * 2);
    memcpy(bigger, out->dst, out->pos);
    driver_mem_free(out->dst);
    out->dst = bigger;
    out->size *= 2;
    return true;
}

static bool decompress(ZSTD_DCtx *zstd, ZSTD_inBuffer *in, ZSTD_outBuffer *out,
                       const struct trace_msg *msg)
{
    size_t left = 1; /* 0: at the end of a frame */
    while (left || in->pos < in->size) {
        left = ZSTD_decompressStream(zstd, out, in);
        if (ZSTD_isError(left))
            return trace_fail(msg, 0,
                              "found damaged zstd data (%s) near byte "
                              "%zu, expected whole zstd frames",
                              ZSTD_getErrorName(left), in->pos);
        if (out->pos == out->size) {
            if (!grow(out))
                return trace_fail(msg, 0,
                                  "found zstd data that unpack to %zu "
                                  "bytes or more, expected less",
                                  TRACE_MAX_TEXT);
        } else if (left && in->pos == in->size) {
            return trace_fail(msg, 0,
                              "found end of file inside a zstd frame, "
                              "expected the rest: is the file cut short?");
        }
    }
    return true;
}

char *trace_unzstd(const void *data, size_t size, size_t *text_size,
                   const struct trace_msg *msg)
{
    ZSTD_customMem memory = {zstd_alloc, zstd_free, NULL};
    ZSTD_DCtx *zstd = ZSTD_createDCtx_advanced(memory);
    ZSTD_inBuffer in = {data, size, 0};
    ZSTD_outBuffer out = {driver_mem_alloc(FIRST_TEXT), FIRST_TEXT, 0};
    ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    bool ok = decompress(zstd, &in, &out, msg);
    ZSTD_freeDCtx(zstd);
    *text_size = out.pos;
    if (ok)
        return out.dst;
    driver_mem_free(out.dst);
    return NULL;
}
