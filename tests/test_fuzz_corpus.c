/* test_fuzz_corpus.c - each input that the fuzzer has found so far keeps the
 * promises that it looks for, without the fuzzer (make fuzz). */
#include "tests/fuzz/fuzz_trace.c"
#include "tests/run_tests.h"

#include <check.h>
#include <dirent.h>

#define CORPUS "tests/fuzz/corpus"
#define MOST 4096 /* bytes of an input */

/* A copy of the exact size: ASan sees a byte read too far. */
static void run_file(const char *name)
{
    char path[512], bytes[MOST];
    snprintf(path, sizeof path, CORPUS "/%s", name);
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    uint8_t *copy = malloc(size + !size);
    memcpy(copy, bytes, size);
    ck_assert_int_eq(LLVMFuzzerTestOneInput(copy, size), 0);
    free(copy);
}

START_TEST(each_input_of_the_corpus_keeps_the_promises)
{
    DIR *dir = opendir(CORPUS);
    ck_assert_ptr_nonnull(dir);
    int files = 0;
    for (struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] != '.') {
            run_file(e->d_name);
            files++;
        }
    closedir(dir);
    ck_assert_int_ge(files, 50);
}
END_TEST

/* Not a line in sight: a frame without its header, and one cut short. */
START_TEST(what_has_no_lines_is_refused_without_one)
{
    static const uint8_t cut[] = {0x50, 0x2a, 0x4d, 0x18};
    static const uint8_t damaged[] = {0x28, 0xb5, 0x2f, 0xfd, 0xff, 0xff, 0xff};
    ck_assert_int_eq(LLVMFuzzerTestOneInput(cut, sizeof cut), 0);
    ck_assert_int_eq(LLVMFuzzerTestOneInput(damaged, sizeof damaged), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {each_input_of_the_corpus_keeps_the_promises,
                                  what_has_no_lines_is_refused_without_one,
                                  NULL};
    return run_tests("fuzz_corpus", NULL, tests);
}
