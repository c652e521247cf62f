/* tell.c - glibc's questions and knobs; no function is a place to be cancelled.
 */
#include "conform.h"

#include <fcntl.h>
#include <pthread.h>

static void knobs_say_no(void)
{
    const int params[] = {M_MXFAST,
                          M_NLBLKS,
                          M_GRAIN,
                          M_KEEP,
                          M_TRIM_THRESHOLD,
                          M_TOP_PAD,
                          M_MMAP_THRESHOLD,
                          M_MMAP_MAX,
                          M_CHECK_ACTION,
                          M_PERTURB,
                          M_ARENA_TEST,
                          M_ARENA_MAX,
                          4711};
    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++)
        demand(mallopt(params[i], 1) == 0 && __libc_mallopt(params[i], 1) == 0);
}

/* In XML the text says the same as mallinfo2; tests/e2e_conformance.sh has it
 * read by an XML parser. */
static void info_is_written(void)
{
    char text[20000] = "", want[100];
    FILE *to = fmemopen(text, sizeof text, "w");
    demand(to && malloc_info(1, to) == EINVAL);
    setbuf(to, NULL);
    struct mallinfo2 info = mallinfo2();
    demand(malloc_info(0, to) == 0);
    fclose(to);
    snprintf(want, sizeof want, "<system type=\"current\" size=\"%zu\"/>",
             info.arena);
    demand(strstr(text, want) && strncmp(text, "<malloc version=", 16) == 0);
    FILE *full = fopen("/dev/full", "w");
    setbuf(full, NULL);
    demand(malloc_info(0, full) == -1 && errno == ENOSPC);
}

/* text: lines of malloc_stats. @return the number in the one that starts so */
static long stat_of(const char *text, const char *what)
{
    const char *line = strstr(text, what);
    demand(line && (line == text || line[-1] == '\n'));
    demand(strcspn(line, "\n") == strlen("max mmap regions = ") + 10);
    return atol(line + strlen(what));
}

static void stats_are_written(void)
{
    char text[1000];
    int ends[2];
    demand(pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) >= 0);
    char *large = memset(malloc(64 * MIB), 'x', 64 * MIB);
    malloc_stats();
    demand(large[MIB] == 'x');
    ssize_t n = read(ends[0], text, sizeof text - 1);
    demand(n > 0);
    text[n] = '\0';
    demand(strstr(text, "system bytes     = ") == text);
    long system = stat_of(text, "system bytes     = ");
    long used = stat_of(text, "in use bytes     = ");
    demand(used >= (long)(64 * MIB) && system >= used);
    if (strstr(text, "purged bytes")) /* what lies ahead of the heap is not */
        demand(stat_of(text, "purged bytes     = ") <= system - used);
    demand(stat_of(text, "max system bytes = ") >= (long)(64 * MIB));
    long regions = stat_of(text, "max mmap regions = ");
    long bytes = stat_of(text, "max mmap bytes   = ");
    demand((regions == 0) == (bytes == 0) && bytes >= 4096 * regions);
}

static int cancelled_late;

/* A request to end waits for this thread all the time. */
static void *call_all(void *to)
{
    pthread_cancel(pthread_self());
    for (size_t m = 0; m < NMAKERS; m++)
        for (size_t size = 0; size < 40 * MIB; size = size * 8 + 9) {
            void *p = makers[m].make(size);
            memset(p, 'x', size);
            free(realloc(p, size / 2 + 1));
        }
    malloc_trim(0);
    malloc_stats();
    malloc_info(0, to);
    mallopt(M_PERTURB, 1);
    cancelled_late = mallinfo().arena >= 0;
    pthread_testcancel();
    return NULL;
}

static void nothing_is_cancelled(void)
{
    pthread_t thread;
    void *result;
    FILE *to = fopen("/dev/null", "w");
    setbuf(to, NULL);
    demand(dup2(fileno(to), STDERR_FILENO) >= 0);
    demand(pthread_create(&thread, NULL, call_all, to) == 0);
    demand(pthread_join(thread, &result) == 0);
    demand(result == PTHREAD_CANCELED && cancelled_late);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--xml") == 0) {
        free(malloc(MIB));
        return malloc_info(0, stdout);
    }
    contract("C20 mallopt returns 0 for what has no meaning here",
             knobs_say_no);
    contract("C21 malloc_info writes to the stream, or says why not",
             info_is_written);
    contract("C22 malloc_stats writes glibc's lines to stderr",
             stats_are_written);
    contract("C23 no function is a cancellation point", nothing_is_cancelled);
    return contracts_broken;
}
