/* submission.c - in the driver: a file that is handed in becomes an image, and
 * a table of which the driver uses no function; see submission.h. */
#include "driver/run/submission.h"

#include "driver/base/driver_mem.h"
#include "driver/base/registry.h"
#include "driver/run/child.h"
#include "driver/run/compile.h"
#include "driver/run/isolate.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBE_ARGUMENT "--probe-submission" /* argv[1]; then image, answer */
#define PROBE_MS (MDRIVER_WATCHDOG_SECONDS * 1000)
#define ERR_ROOM 512

struct submission {
    struct mm_allocator table;
    char name[ALLOCATOR_NAME];
    char *path;
    int image;
};

static struct submission all[MDRIVER_MAX_PEERS];
static unsigned nall;

/* What a probe answers. */
struct answer {
    bool loaded, none, single_threaded, checks;
    char err[ERR_ROOM];
};

static const struct submission *find(const struct mm_allocator *a)
{
    for (unsigned i = 0; i < nall; i++)
        if (a == &all[i].table)
            return &all[i];
    return NULL;
}

int submission_image(const struct mm_allocator *a)
{
    const struct submission *s = find(a);
    return s ? s->image : -1;
}

const char *submission_path(const struct mm_allocator *a)
{
    const struct submission *s = find(a);
    return s ? s->path : NULL;
}

const struct mm_allocator *submission_here(const struct mm_allocator *a)
{
    static struct mm_allocator tables[2]; /* --watch has two */
    static unsigned n;
    char err[1024];
    int image = submission_image(a);
    if (image < 0)
        return a;
    struct mm_allocator *own = &tables[n++ % 2];
    if (submission_load(image, a->name, own, err, sizeof err))
        return own;
    fprintf(stderr, "mdriver: %s: %s\n", a->name, err);
    exit(2);
}

bool submission_named(const char *item)
{
    size_t n = strlen(item);
    return n > 2 && strcmp(item + n - 2, ".c") == 0;
}

/* ---- the probe ----------------------------------------------------------- */

static _Noreturn void exec_probe(int image, int out)
{
    char image_text[16], out_text[16];
    snprintf(image_text, sizeof image_text, "%d", image);
    snprintf(out_text, sizeof out_text, "%d", out);
    fcntl(image, F_SETFD, 0);
    fcntl(out, F_SETFD, 0);
    char *argv[] = {"mdriver", PROBE_ARGUMENT, image_text, out_text, NULL};
    setenv("GLIBC_TUNABLES", SUBMISSION_TUNABLES, 1);
    execv("/proc/self/exe", argv);
    _exit(127);
}

void submission_main(int argc, char **argv)
{
    struct answer a = {0};
    struct mm_allocator table;
    if (argc != 4 || strcmp(argv[1], PROBE_ARGUMENT) != 0)
        return;
    int image = atoi(argv[2]), out = atoi(argv[3]);
    isolate_files(STDERR_FILENO, (int[]){image, out}, 2);
    isolate_user();
    isolate_limits(0);
    isolate_calls();
    a.loaded = submission_load(image, "", &table, a.err, sizeof a.err);
    a.none = !a.loaded && !*a.err;
    a.single_threaded = a.loaded && table.single_threaded;
    a.checks = a.loaded && table.check;
    ssize_t put = write(out, &a, sizeof a);
    _exit(put == sizeof a ? 0 : 1);
}

/* Its constructors run there: they may do anything but answer for the driver.
 * What they may lie about is their own. */
static bool ask(int image, struct answer *a)
{
    int fd[2], status;
    if (pipe2(fd, O_CLOEXEC) != 0)
        return false;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        exec_probe(image, fd[1]);
    close(fd[1]);
    struct pollfd ready = {.fd = fd[0], .events = POLLIN};
    bool good = pid > 0 && poll(&ready, 1, PROBE_MS) == 1 &&
                read(fd[0], a, sizeof *a) == sizeof *a;
    close(fd[0]);
    if (pid > 0)
        kill(pid, SIGKILL);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    a->err[sizeof a->err - 1] = '\0';
    return good;
}

/* ---- the table ----------------------------------------------------------- */

static size_t no_check(void)
{
    return 0;
}

static bool name_taken(const char *name)
{
    for (unsigned i = 0; i < nall; i++)
        if (strcmp(all[i].name, name) == 0)
            return true;
    return registry_find(name) != NULL;
}

/* "dir/mine.c" is mine. */
static void name_file(char name[ALLOCATOR_NAME], const char *path)
{
    const char *slash = strrchr(path, '/');
    char plain[ALLOCATOR_NAME - 4];
    snprintf(plain, sizeof plain, "%s", slash ? slash + 1 : path);
    char *dot = strrchr(plain, '.');
    if (dot && dot != plain)
        *dot = '\0';
    for (char *c = plain; *c; c++) /* stands in tables and in CSV files */
        if (!isalnum((unsigned char)*c) && !strchr("-_.+", *c))
            *c = '_';
    snprintf(name, ALLOCATOR_NAME, "%s", plain);
    for (unsigned n = 2; name_taken(name); n++)
        snprintf(name, ALLOCATOR_NAME, "%s-%u", plain, n);
}

static const struct mm_allocator *add(const char *item, int image,
                                      const struct answer *a)
{
    struct submission *s = &all[nall];
    name_file(s->name, item);
    s->path = driver_mem_strdup(item);
    s->image = image;
    s->table = (struct mm_allocator){.name = s->name,
                                     .summary = s->path,
                                     .single_threaded = a->single_threaded,
                                     .check = a->checks ? no_check : NULL};
    nall++;
    registry_adopt(&s->table);
    return &s->table;
}

static bool make_image(const char *item, int image, char *err, size_t room)
{
    if (access(item, R_OK) != 0)
        snprintf(err, room, "%s: %s", item, strerror(errno));
    else if (submission_named(item) && !compile_file(item, image))
        snprintf(err, room, "%s does not compile, as said above", item);
    else if (!submission_named(item) && !compile_copy(item, image))
        snprintf(err, room, "%s: cannot read it: %s", item, strerror(errno));
    else
        return true;
    return false;
}

const struct mm_allocator *submission_open(const char *item, bool *none,
                                           char *err, size_t room)
{
    struct answer a = {0};
    *none = false;
    for (unsigned i = 0; i < nall; i++)
        if (strcmp(all[i].path, item) == 0)
            return &all[i].table;
    int image = memfd_create(item, MFD_CLOEXEC);
    if (image < 0 || nall == MDRIVER_MAX_PEERS) {
        snprintf(err, room, "%s: more than %d files", item, MDRIVER_MAX_PEERS);
    } else if (make_image(item, image, err, room)) {
        if (!ask(image, &a))
            snprintf(err, room,
                     "%s: loading it ends the process: what do its "
                     "constructors do?",
                     item);
        else if (a.loaded)
            return add(item, image, &a);
        else if (a.none)
            snprintf(err, room,
                     "%s: found no table in it, expected one `const struct "
                     "mm_allocator mm_NAME`, as in docs/examples/mine.c",
                     item);
        else
            snprintf(err, room, "%s: %s", item, a.err);
        *none = a.none;
    }
    if (image >= 0)
        close(image);
    return NULL;
}
