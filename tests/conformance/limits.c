/* limits.c - nine threads use up all that a limit allows: NULL and ENOMEM, and
 * what they free can all be had again. */
#include "conform.h"

#include <pthread.h>
#include <sys/mman.h>

enum { NTHREADS = 9, MOST = 100000 };

struct worker {
    pthread_t thread;
    size_t n, bytes;
    char *blocks[MOST];
};

static struct worker workers[NTHREADS];
static struct worker alone;
static pthread_barrier_t step;

static size_t size_of(size_t i)
{
    static const size_t sizes[] = {24, 100, 1000, 32, 5000, 700, 40000, 300};
    return sizes[i % 8];
}

/* Take blocks until there are no more. */
static void fill(struct worker *w)
{
    char *p;
    errno = 0;
    for (w->n = w->bytes = 0; w->n < MOST; w->n++) {
        if (!(p = malloc(size_of(w->n))))
            break;
        w->blocks[w->n] = memset(p, (int)w->n, size_of(w->n));
        w->bytes += size_of(w->n);
    }
    demand(w->n < MOST && errno == ENOMEM);
}

/* It is as all say: nothing is there. */
static void all_fail(struct worker *w)
{
    for (size_t m = 0; m < NMAKERS; m++) {
        errno = 0;
        demand(!makers[m].make(900 * MIB) && errno == ENOMEM);
    }
    if (w->n == 0)
        return;
    errno = 0;
    demand(!realloc(w->blocks[0], 900 * MIB) && errno == ENOMEM);
}

static void empty(struct worker *w)
{
    for (size_t i = 0; i < w->n; i++) {
        demand(filled(w->blocks[i], size_of(i), (unsigned char)i));
        free(w->blocks[i]);
    }
}

static void *work(void *arg)
{
    struct worker *w = arg;
    pthread_barrier_wait(&step); /* all are there */
    pthread_barrier_wait(&step); /* the limit is set */
    fill(w);
    all_fail(w);
    pthread_barrier_wait(&step); /* all have all */
    empty(w);
    pthread_barrier_wait(&step); /* all is free */
    pthread_barrier_wait(&step); /* and was used by another */
    return NULL;
}

/* more: bytes that RLIMIT_DATA leaves them; 0: there is a limit already */
static void nine_threads(size_t more)
{
    size_t bytes = 0;
    pthread_attr_t small;
    pthread_barrier_init(&step, NULL, NTHREADS + 1);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * KIB);
    for (int i = 0; i < NTHREADS; i++)
        demand(pthread_create(&workers[i].thread, &small, work, &workers[i]) ==
               0);
    pthread_barrier_wait(&step);
    if (more) {
        size_t data = 0;
        char line[200];
        FILE *status = fopen("/proc/self/status", "r");
        while (fgets(line, sizeof line, status))
            sscanf(line, "VmData: %zu", &data);
        limit_data(data * KIB + more);
    }
    pthread_barrier_wait(&step);
    pthread_barrier_wait(&step);
    for (int i = 0; i < NTHREADS; i++)
        bytes += workers[i].bytes;
    demand(bytes > (more ? more : 24 * MIB) / 2);
    pthread_barrier_wait(&step);
    fill(&alone);
    dprintf(STDOUT_FILENO, "# nine threads had %zu bytes, then one %zu\n",
            bytes, alone.bytes);
    demand(alone.bytes >= bytes / 100 * 90);
    empty(&alone);
    pthread_barrier_wait(&step);
    for (int i = 0; i < NTHREADS; i++)
        demand(pthread_join(workers[i].thread, NULL) == 0);
}

static void data_limit(void)
{
    nine_threads(48 * MIB);
}

/* This limit must be there before the library starts: in a new program. */
static void address_limit(void)
{
    struct rlimit limit = {160 * MIB, RLIM_INFINITY};
    demand(setrlimit(RLIMIT_AS, &limit) == 0);
    execl("/proc/self/exe", "limits", "--limited", NULL);
    demand(!"exec");
}

/* What small blocks were given serves large ones, when all are freed. */
static void large_after_small(void)
{
    enum { SMALL = 200000, LARGE = 6 };
    static void *small[SMALL];
    int n = 0;
    limit_data(64 * MIB);
    while (n < SMALL && (small[n] = malloc(1000)) != NULL)
        memset(small[n++], 1, 1000);
    demand(n > 20000);
    while (n)
        free(small[--n]);
    for (n = 0; n < LARGE / 2; n++)
        demand((small[n] = malloc(10 * MIB)) != NULL);
    char *p = calloc(1, 5 * MIB);
    demand(p && p[0] == 0 && p[5 * MIB - 1] == 0);
    memset(p, 1, 5 * MIB);
    free(p);
    while (n)
        free(small[--n]);
}

/* ---- freed under a limit of addresses ---------------------------------- */

enum { CREW = 3, CREW_BYTES = 60 << 20 };

static pthread_barrier_t crew_step;

/* Blocks of 1 to 40 KiB, as many as go into CREW_BYTES, and free. */
static void *use_and_free(void *unused)
{
    char **blocks = NULL;
    size_t n = 0, bytes = 0;
    while (bytes < CREW_BYTES) {
        size_t size = (n * 7919 % 40 + 1) * KIB;
        char **p = malloc(size);
        demand(p);
        memset(p, (int)n, size);
        *p = (char *)blocks;
        blocks = p;
        bytes += size;
        n++;
    }
    pthread_barrier_wait(&crew_step); /* all have all, mixed in the heap */
    for (char **next; blocks; blocks = next) {
        next = (char **)*blocks;
        demand(n-- && ((char *)blocks)[KIB - 1] == (char)n);
        free(blocks);
    }
    return unused;
}

/* musl does not have it. */
__attribute__((weak)) int malloc_trim(size_t pad);

/* Most of the limit is the crew's, then one mapping's, and so on in turn. */
static void free_then_map(bool trims)
{
    pthread_t crew[CREW];
    pthread_barrier_init(&crew_step, NULL, CREW);
    for (int left = rounds(5, 2); left > 0; left--) {
        for (int i = 0; i < CREW; i++)
            demand(pthread_create(&crew[i], NULL, use_and_free, NULL) == 0);
        for (int i = 0; i < CREW; i++)
            demand(pthread_join(crew[i], NULL) == 0);
        if (trims)
            malloc_trim(0);
        void *p = mmap(NULL, CREW * CREW_BYTES, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        demand(p != MAP_FAILED);
        demand(munmap(p, CREW * CREW_BYTES) == 0);
    }
}

static void limited_to_300_mib(const char *what)
{
    struct rlimit stacks = {MIB, RLIM_INFINITY}; /* what threads have */
    struct rlimit limit = {300 * MIB, RLIM_INFINITY};
    demand(setrlimit(RLIMIT_STACK, &stacks) == 0);
    demand(setrlimit(RLIMIT_AS, &limit) == 0);
    execl("/proc/self/exe", "limits", what, NULL);
    demand(!"exec");
}

static void map_after_trim(void)
{
    limited_to_300_mib("--free-then-trim");
}

static void map_after_ends(void)
{
    limited_to_300_mib("--free-then-end");
}

/* Is that what is asked for? */
static bool runs(int argc, char **argv, const char *what)
{
    return argc == 2 && strcmp(argv[1], what) == 0;
}

/* For stages that give back what a thread leaves when it ends. */
static void by_itself(void)
{
    contract("C76 RLIMIT_AS: what ended threads freed may be mapped",
             map_after_ends);
}

int main(int argc, char **argv)
{
    if (runs(argc, argv, "--limited"))
        nine_threads(0);
    if (runs(argc, argv, "--free-then-trim"))
        free_then_map(true);
    if (runs(argc, argv, "--free-then-end"))
        free_then_map(false);
    if (runs(argc, argv, "--by-itself")) {
        by_itself();
        return contracts_broken;
    }
    if (argc > 1)
        return 0;
    contract("C36 nine threads under RLIMIT_DATA: ENOMEM; all comes back",
             data_limit);
    contract("C37 nine threads under RLIMIT_AS: ENOMEM; all comes back",
             address_limit);
    contract("C73 memory of freed small blocks serves large ones",
             large_after_small);
    if (malloc_trim)
        contract(
            "C74 RLIMIT_AS: what was freed may be mapped after malloc_trim",
            map_after_trim);
    else /* under musl is the lock-free stage */
        by_itself();
    return contracts_broken;
}
