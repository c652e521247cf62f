/* system.c - what the system is asked for: no addresses, no locked memory, no
 * pages of a core dump and no system calls but those that a small heap needs.
 */
#include "conform.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define NSMALL 1000

/* A figure of /proc/self/status, in bytes. */
static size_t status_bytes(const char *name)
{
    char text[4096];
    FILE *f = fopen("/proc/self/status", "r");
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    const char *line = strstr(text, name);
    demand(line);
    return strtoul(line + strlen(name) + 1, NULL, 10) * KIB;
}

static void set_limit(int resource, size_t bytes)
{
    struct rlimit limit = {bytes, bytes};
    demand(setrlimit(resource, &limit) == 0);
}

static void use_a_little(void)
{
    for (int i = 0; i < NSMALL; i++)
        memset(malloc(500), 1, 500);
}

/* ---- locked memory ---------------------------------------------------- */

/* In a new program: whatever goes wrong, no more than this limit is locked. */
static void lock_all(void)
{
    use_a_little();
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
        demand(errno == EPERM); /* not root */
    use_a_little();
    demand(status_bytes("VmLck") < 24 * MIB);
}

static void lock_all_of_eight_mib(void)
{
    set_limit(RLIMIT_MEMLOCK, 8 * MIB);
    if (geteuid() == 0)
        demand(setresuid(65534, 65534, 65534) == 0);
    use_a_little();
    demand(mlockall(MCL_CURRENT) == 0);
}

/* ---- system calls ------------------------------------------------------ */

#define ALLOW(call)                                                            \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                     \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* As OpenSSH's and PostgreSQL's lists: no mprotect. */
static void allow_few_calls(void)
{
    static struct sock_filter list[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(brk),
        ALLOW(mmap),
        ALLOW(munmap),
        ALLOW(mremap),
        ALLOW(madvise),
        ALLOW(write),
        ALLOW(exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof list / sizeof list[0], list};
    demand(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    demand(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void grow_in_few_calls(void)
{
    enum { N = 100 };
    static char *blocks[N];
    allow_few_calls();
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < N; i++)
            demand((blocks[i] = calloc(1, (size_t)i * 20000 + 1)) &&
                   filled(blocks[i], (size_t)i * 20000 + 1, 0));
        for (int i = 0; i < N; i++)
            demand((blocks[i] = realloc(blocks[i], (size_t)i * 30000 + 1)));
        for (int i = 0; i < N; i++)
            free(blocks[i]);
    }
}

static void grow_without_mprotect(void)
{
    use_a_little();
    grow_in_few_calls();
}

/* In a new program, which has not allocated yet. */
static void first_malloc_is_late(void)
{
    execl("/proc/self/exe", "system", "--late", NULL);
    demand(!"exec");
}

/* ---- addresses --------------------------------------------------------- */

/* A limit that there is before the library starts: in a new program. */
static void again_limited(size_t bytes, const char *what)
{
    set_limit(RLIMIT_AS, bytes);
    execl("/proc/self/exe", "system", what, NULL);
    demand(!"exec");
}

static void lock_all_in_256_mib(void)
{
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &all); /* root may */
    again_limited(256 * MIB, "--lock");
}

static pthread_barrier_t all_run;

static void *take_a_mib(void *unused)
{
    void *p = malloc(MIB);
    demand(p);
    memset(p, 1, MIB);
    pthread_barrier_wait(&all_run);
    free(p);
    return unused;
}

static void ten_threads(void)
{
    enum { N = 10 };
    pthread_t threads[N];
    pthread_barrier_init(&all_run, NULL, N);
    for (int i = 0; i < N; i++)
        demand(pthread_create(&threads[i], NULL, take_a_mib, NULL) == 0);
    for (int i = 0; i < N; i++)
        demand(pthread_join(threads[i], NULL) == 0);
}

static void ten_threads_in_300_mib(void)
{
    struct rlimit stacks = {8 * MIB, RLIM_INFINITY}; /* what threads have */
    demand(setrlimit(RLIMIT_STACK, &stacks) == 0);
    again_limited(300 * MIB, "--threads");
}

/* Of the limit's addresses the program's own mmap gets three quarters. */
static void own_mmap(void)
{
    struct rlimit limit;
    demand(getrlimit(RLIMIT_AS, &limit) == 0);
    use_a_little();
    void *p = mmap(NULL, limit.rlim_cur / 4 * 3, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    demand(p != MAP_FAILED);
    use_a_little();
}

static void own_mmap_in_1100_mib(void)
{
    again_limited(1100 * MIB, "--mmap");
}

static void own_mmap_in_4400_mib(void)
{
    again_limited(4400 * MIB, "--mmap");
}

static void *start_and_end(void *unused)
{
    return unused;
}

static void limit_while_running(void)
{
    const size_t most = 200 * MIB;
    pthread_t thread;
    use_a_little();
    set_limit(RLIMIT_AS, status_bytes("VmSize") + most);
    demand(pthread_create(&thread, NULL, start_and_end, NULL) == 0);
    demand(pthread_join(thread, NULL) == 0);
    size_t got = 0;
    errno = 0;
    while (got <= 2 * most && malloc(MIB))
        got += MIB;
    demand(errno == ENOMEM);
    demand(got >= most / 2 && got <= most + 8 * MIB);
}

/* ---- core dumps ---------------------------------------------------------- */

/* Bytes of a dump of this process: anonymous memory that can be read. */
static size_t dump_bytes(void)
{
    char line[400], mode[8], path[200];
    size_t start, end, bytes = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    demand(maps);
    while (fgets(line, sizeof line, maps)) {
        path[0] = '\0';
        demand(sscanf(line, "%zx-%zx %7s %*s %*s %*s %199s", &start, &end, mode,
                      path) >= 3);
        if (path[0] != '/' && mode[0] == 'r')
            bytes += end - start;
    }
    fclose(maps);
    return bytes;
}

static void small_dump(void)
{
    use_a_little();
    demand(dump_bytes() < 16 * MIB);
}

int main(int argc, char **argv)
{
    if (argc == 2) {
        (strcmp(argv[1], "--mmap") == 0   ? own_mmap
         : strcmp(argv[1], "--lock") == 0 ? lock_all
         : strcmp(argv[1], "--late") == 0 ? grow_in_few_calls
                                          : ten_threads)();
        return 0;
    }
    contract("C60 mlockall locks no more than a small heap has",
             lock_all_in_256_mib);
    contract("C61 mlockall with a limit of 8 MiB", lock_all_of_eight_mib);
    contract("C62 a seccomp list without mprotect", grow_without_mprotect);
    contract("C63 RLIMIT_AS of 300 MiB: ten threads start",
             ten_threads_in_300_mib);
    contract("C64 RLIMIT_AS of 1.1 GB leaves room for mmap",
             own_mmap_in_1100_mib);
    contract("C65 RLIMIT_AS of 4.4 GB leaves room for mmap",
             own_mmap_in_4400_mib);
    contract("C66 RLIMIT_AS set later limits malloc, not threads",
             limit_while_running);
    contract("C67 a core dump holds what a small heap has", small_dump);
    contract("C71 a seccomp list before the first malloc",
             first_malloc_is_late);
    return contracts_broken;
}
