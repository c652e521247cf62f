/* test_trace_zstd.c - compressed traces: whole, cut, damaged, and bombs. */
#include "tests/run_tests.h"
#include "tests/sanitized.h"
#include "tests/trace_files.h"

#include <zstd.h>

#if !SANITIZED         /* a sanitizer has a malloc of its own */
static size_t mallocs; /* calls that libzstd or the reader may have made */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);

void *malloc(size_t size)
{
    mallocs++;
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    mallocs++;
    return __libc_calloc(n, size);
}
#endif

static char packed[4096];
static size_t packed_size;

static void pack(const char *what)
{
    size_t n = ZSTD_compress(packed + packed_size, sizeof packed - packed_size,
                             what, strlen(what), 3);
    ck_assert(!ZSTD_isError(n));
    packed_size += n;
}

START_TEST(a_compressed_file_is_read_and_named_without_suffixes)
{
    pack(trace_text);
    const char *path = write_file("cc1.rep.zst", packed, packed_size);
    expect_good(path);
    struct trace *t = trace_read(path, err, sizeof err);
    ck_assert_str_eq(t->name, "cc1");
    trace_free(t);
}
END_TEST

START_TEST(compression_is_told_by_content_not_by_name)
{
    pack(trace_text);
    expect_good(write_file("t.rep", packed, packed_size));
    expect_good(write_file("t.rep.zst", trace_text, strlen(trace_text)));
}
END_TEST

START_TEST(frames_are_joined)
{
    pack("1\n2\n4\n40\na 0 1");
    pack("6\na 1 24\nf 0\nf 1\n");
    expect_good(write_file("t.rep.zst", packed, packed_size));
}
END_TEST

START_TEST(lines_of_compressed_text_are_counted)
{
    pack("1\n1\n2\n1\na 0 1\nf 1\n");
    expect_bad(write_file("t.rep.zst", packed, packed_size),
               "6: found \"1\", expected an id from 0 to 0");
}
END_TEST

START_TEST(every_cut_of_a_compressed_file_is_refused)
{
    pack(trace_text);
    for (size_t n = 4; n < packed_size; n++)
        expect_bad(write_file("t.rep.zst", packed, n),
                   " found end of file "
                   "inside a zstd frame, expected the rest: is the file cut "
                   "short?");
}
END_TEST

START_TEST(a_damaged_frame)
{
    pack(trace_text);
    packed[4] ^= 0x08; /* a reserved bit of the frame header */
    expect_bad(write_file("t.rep.zst", packed, packed_size),
               " found damaged zstd data (Unsupported frame parameter) near "
               "byte 0, expected whole zstd frames");
}
END_TEST

START_TEST(garbage_behind_a_frame)
{
    pack(trace_text);
    memcpy(packed + packed_size, "garbage!", 8);
    char want[PATH];
    snprintf(want, sizeof want,
             " found damaged zstd data (Unknown frame "
             "descriptor) near byte %zu, expected whole zstd frames",
             packed_size);
    expect_bad(write_file("t.rep.zst", packed, packed_size + 8), want);
}
END_TEST

/* Compress n MiB of newlines: a line count of any size in few bytes. */
static const char *write_bomb(const char *name, size_t n)
{
    static char blank[1 << 20];
    memset(blank, '\n', sizeof blank);
    size_t room = 4 * MIB;
    char *out = malloc(room);
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    ZSTD_outBuffer to = {out, room, 0};
    for (size_t i = 0; i < n; i++) {
        ZSTD_inBuffer from = {blank, sizeof blank, 0};
        size_t left = ZSTD_compressStream2(
            zstd, &to, &from, i + 1 < n ? ZSTD_e_continue : ZSTD_e_end);
        ck_assert(!ZSTD_isError(left) && from.pos == from.size);
    }
    ZSTD_freeCCtx(zstd);
    const char *path = write_file(name, out, to.pos);
    free(out);
    return path;
}

START_TEST(a_zstd_bomb_is_refused_within_bounded_memory)
{
    const char *path = write_bomb("t.rep.zst", 2 * TRACE_MAX_TEXT / MIB);
    size_t before = peak_of_address_space();
    expect_bad(path, " found zstd data that unpack to 268435456 bytes or "
                     "more, expected less");
    size_t grown = peak_of_address_space() - before;
    ck_assert_uint_le(grown, TRACE_MAX_TEXT * 3 / 2 + 8 * MIB);
}
END_TEST

#if !SANITIZED
START_TEST(reading_never_calls_malloc)
{
    pack(trace_text);
    const char *path = write_file("t.rep.zst", packed, packed_size);
    mallocs = 0;
    struct trace *t = trace_read(path, err, sizeof err);
    ck_assert_uint_eq(mallocs, 0);
    ck_assert_msg(t, "%s", err);
    trace_free(t);
}
END_TEST
#endif

static Suite *all_tests(void)
{
    Suite *suite = suite_create("trace_zstd");
    TCase *zstd = trace_files_case(suite, "zstd");
    tcase_add_test(zstd, a_compressed_file_is_read_and_named_without_suffixes);
    tcase_add_test(zstd, compression_is_told_by_content_not_by_name);
    tcase_add_test(zstd, frames_are_joined);
    tcase_add_test(zstd, lines_of_compressed_text_are_counted);
    tcase_add_test(zstd, every_cut_of_a_compressed_file_is_refused);
    tcase_add_test(zstd, a_damaged_frame);
    tcase_add_test(zstd, garbage_behind_a_frame);
    tcase_add_test(zstd, a_zstd_bomb_is_refused_within_bounded_memory);
#if !SANITIZED
    tcase_add_test(zstd, reading_never_calls_malloc);
#endif
    return suite;
}

int main(void)
{
    return run_suite(all_tests());
}
