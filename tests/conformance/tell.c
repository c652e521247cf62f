/* tell.c - glibc's questions and knobs; no function is a place to be cancelled.
 */
#include "conform.h"

#include <fcntl.h>
#include <pthread.h>

static void knobs_say_yes(void)
{
    demand(mallopt(M_MMAP_THRESHOLD, 100000) == 1);
    demand(mallopt(M_ARENA_MAX, 1) == 1 && mallopt(M_TRIM_THRESHOLD, 0) == 1);
    demand(mallopt(M_PERTURB, 1) == 1);
}

/* In XML the text says the same as mallinfo2; tests/e2e_conformance.sh has it
 * read by an XML parser. */
static void info_is_written(void)
{
    char text[2000] = "", want[100];
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

static void stats_are_written(void)
{
    char text[1000];
    int ends[2];
    demand(pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) >= 0);
    malloc_stats();
    ssize_t n = read(ends[0], text, sizeof text - 1);
    demand(n > 0);
    text[n] = '\0';
    demand(strstr(text, "system bytes     = ") == text);
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
    contract("C20 mallopt returns 1", knobs_say_yes);
    contract("C21 malloc_info writes to the stream, or says why not",
             info_is_written);
    contract("C22 malloc_stats writes to stderr", stats_are_written);
    contract("C23 no function is a cancellation point", nothing_is_cancelled);
    return contracts_broken;
}
