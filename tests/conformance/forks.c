/* forks.c - fork beside threads that hold libc's locks while they allocate.
 *
 * How much is done is counted; a hang is that nothing gets done any more. */
#include "conform.h"

#include <pthread.h>

enum {
    FORKERS = 3,
    HUNG_SECONDS = 100, /* without a fork */
    MOST_HANDLERS = 20000,
};

static int forks, over;
static int most_forks; /* of all forkers together */

static int count_of(const int *count)
{
    return __atomic_load_n(count, __ATOMIC_RELAXED);
}

static void *fork_again(void *unused)
{
    while (__atomic_fetch_add(&forks, 1, __ATOMIC_RELAXED) < most_forks) {
        int status = 1;
        pid_t child = fork();
        demand(child >= 0);
        if (child == 0) {
            for (size_t size = 1; size < MIB; size *= 3)
                free(malloc(size));
            FILE *f = fopen("/dev/null", "w"); /* takes the list's lock */
            demand(f && fclose(f) == 0);
            _exit(0);
        }
        demand(waitpid(child, &status, 0) == child && status == 0);
    }
    return unused;
}

/* Ends when fork_again's are done; dies when none is for so long. */
static void watch(void)
{
    int before = 0, quiet = 0;
    while (count_of(&forks) < most_forks) {
        int now = count_of(&forks);
        quiet = now == before ? quiet + 1 : 0;
        before = now;
        demand(quiet < HUNG_SECONDS * 10);
        usleep(100000);
    }
}

/* FORKERS that fork, and a thread for each of beside that runs till they end.
 */
static void fork_beside(void *(*const *beside)(void *), int n)
{
    pthread_t forkers[FORKERS], others[16];
    for (int i = 0; i < n; i++)
        demand(pthread_create(&others[i], NULL, beside[i], NULL) == 0);
    for (int i = 0; i < FORKERS; i++)
        demand(pthread_create(&forkers[i], NULL, fork_again, NULL) == 0);
    watch();
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < FORKERS; i++)
        demand(pthread_join(forkers[i], NULL) == 0);
    for (int i = 0; i < n; i++)
        demand(pthread_join(others[i], NULL) == 0);
}

/* ---- stdio ------------------------------------------------------------- */

/* libc's locks are not fair: the pause lets others have them. */
static void pause_a_little(void)
{
    usleep(200);
}

/* Allocates while it holds a stream, for a line of 50,000 bytes. */
static void *read_lines(void *unused)
{
    FILE *f = tmpfile();
    for (int i = 0; i < 50000; i++)
        fputc('x', f);
    while (!count_of(&over)) {
        char *line = NULL;
        size_t room = 0;
        rewind(f);
        demand(getline(&line, &room, f) == 50000);
        free(line);
        pause_a_little();
    }
    fclose(f);
    return unused;
}

/* Holds the list of streams while it waits for each. */
static void *flush_all(void *unused)
{
    while (!count_of(&over)) {
        fflush(NULL);
        pause_a_little();
    }
    return unused;
}

static void *open_and_close(void *unused)
{
    while (!count_of(&over)) {
        FILE *f = fopen("/dev/null", "w");
        demand(f && fputs("some text", f) >= 0 && fclose(f) == 0);
        pause_a_little();
    }
    return unused;
}

static void forks_beside_stdio_end(void)
{
    void *(*const beside[])(void *) = {
        read_lines, read_lines, read_lines,
        read_lines, flush_all,  open_and_close,
    };
    fork_beside(beside, sizeof beside / sizeof beside[0]);
}

/* The 49th, the 73rd and so on need a longer list, which is allocated while
 * libc holds its lock; fork takes that after its handlers have run, and others
 * walk the list as it was. */
static void *register_handlers(void *unused)
{
    for (int i = 0; i < MOST_HANDLERS && !count_of(&over); i++) {
        demand(pthread_atfork(NULL, NULL, NULL) == 0);
        if (i % 4 == 0)
            pause_a_little();
    }
    return unused;
}

static void forks_beside_new_handlers_end(void)
{
    void *(*const beside[])(void *) = {register_handlers, register_handlers};
    fork_beside(beside, sizeof beside / sizeof beside[0]);
}

int main(void)
{
    most_forks = rounds(300, 60);
    contract("C56 fork ends beside threads that use stdio",
             forks_beside_stdio_end);
    contract("C75 fork ends beside threads that register handlers of fork",
             forks_beside_new_handlers_end);
    return contracts_broken;
}
