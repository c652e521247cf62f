/* compile.c - see compile.h.
 *
 * A compiler that is another user may not be able to read the file, or mm.h: in
 * a folder of mode 0700, say. Then it works on copies:
 *
 *   /root/class/mine.c ───┐
 *   /root/lab/{mm,...}.h ─┴─► /tmp/mdriver-XXXXXX/, which all may read; gone
 *                             when it is done */
#include "driver/run/compile.h"

#include "driver/base/objects.h"
#include "driver/run/isolate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMPILE_CPU 120        /* seconds */
#define COMPILE_MOST (1 << 28) /* bytes of a file that the compiler writes */

struct compile {
    const char *source;
    char headers[PATH_MAX];          /* the folder of mm.h */
    char copies[PATH_MAX];           /* the folder of the copies; empty: none */
    char include[2 * PATH_MAX];      /* -I... */
    char renamed[2 * PATH_MAX + 32]; /* for debuggers: whence the copy */
    char out[64];
};

/* Where mm.h is: beside the program, or one folder up. */
static void find_headers(char dir[PATH_MAX])
{
    char file[PATH_MAX + 8];
    ssize_t n = readlink("/proc/self/exe", dir, PATH_MAX - 1);
    dir[n > 0 ? n : 0] = '\0';
    for (char *slash; (slash = strrchr(dir, '/'));) {
        *slash = '\0';
        snprintf(file, sizeof file, "%s/mm.h", dir);
        if (access(file, R_OK) == 0)
            return;
    }
    snprintf(dir, PATH_MAX, ".");
}

/* ---- copies -------------------------------------------------------------- */

bool compile_copy(const char *path, int to)
{
    struct stat st;
    int in = open(path, O_RDONLY | O_CLOEXEC);
    bool good = in >= 0 && fstat(in, &st) == 0 && S_ISREG(st.st_mode);
    for (off_t done = 0; good && done < st.st_size;) {
        ssize_t n = sendfile(to, in, &done, (size_t)(st.st_size - done));
        good = n > 0;
    }
    if (in >= 0)
        close(in);
    return good;
}

static bool copy_into(const char *dir, const char *path)
{
    char name[2 * PATH_MAX];
    snprintf(name, sizeof name, "%s/%s", dir, object_name(path));
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool good = fd >= 0 && fchmod(fd, 0644) == 0 && compile_copy(path, fd);
    if (fd >= 0)
        close(fd);
    return good;
}

/* For each file of a folder, until one says no. */
static bool each_file(const char *dir, const char *suffix,
                      bool (*act)(const char *path, const char *arg),
                      const char *arg)
{
    char path[2 * PATH_MAX];
    bool good = true;
    DIR *all = opendir(dir);
    for (struct dirent *f; all && good && (f = readdir(all));) {
        size_t n = strlen(f->d_name), m = strlen(suffix);
        snprintf(path, sizeof path, "%s/%s", dir, f->d_name);
        if (*f->d_name != '.' && n >= m &&
            strcmp(f->d_name + n - m, suffix) == 0)
            good = act(path, arg);
    }
    if (all)
        closedir(all);
    return good && all;
}

static bool copy_one(const char *path, const char *dir)
{
    return copy_into(dir, path);
}

static bool remove_one(const char *path, const char *unused)
{
    (void)unused;
    return unlink(path) == 0;
}

static void remove_copies(struct compile *c)
{
    if (!*c->copies)
        return;
    each_file(c->copies, "", remove_one, NULL);
    rmdir(c->copies);
}

static bool make_copies(struct compile *c)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(c->copies, sizeof c->copies, "%s/mdriver-XXXXXX",
             tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(c->copies)) {
        *c->copies = '\0';
        return false;
    }
    return chmod(c->copies, 0755) == 0 && copy_into(c->copies, c->source) &&
           each_file(c->headers, ".h", copy_one, c->copies);
}

/* ---- the compiler -------------------------------------------------------- */

/* Its paths: as they are, or those of the copies. */
static void enter_copies(struct compile *c)
{
    char dir[PATH_MAX];
    const char *name = object_name(c->source);
    snprintf(dir, sizeof dir, "%.*s", (int)(name - c->source), c->source);
    snprintf(c->renamed, sizeof c->renamed, "-ffile-prefix-map=%s=%s",
             c->copies, *dir ? dir : ".");
    if (chdir(c->copies) != 0)
        _exit(127);
    c->source = name;
    snprintf(c->headers, sizeof c->headers, ".");
}

static _Noreturn void compile_here(struct compile *c, int image)
{
    const char *cc = getenv("CC");
    snprintf(c->renamed, sizeof c->renamed, "-g");
    if (*c->copies)
        enter_copies(c);
    snprintf(c->include, sizeof c->include, "-I%s", c->headers);
    snprintf(c->out, sizeof c->out, "/proc/self/fd/%d", image);
    setrlimit(RLIMIT_CPU, &(struct rlimit){COMPILE_CPU, COMPILE_CPU});
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){COMPILE_MOST, COMPILE_MOST});
    dup2(STDERR_FILENO, STDOUT_FILENO);
    fcntl(image, F_SETFD, 0);
    setenv("CCACHE_DISABLE", "1", 1); /* of another user */
    isolate_compiler();
    char *argv[] = {(char *)(cc && *cc ? cc : "gcc"),
                    "-std=gnu11",
                    "-O2",
                    "-g",
                    "-Wall",
                    "-Wextra",
                    "-fPIC",
                    "-shared",
                    "-pthread",
                    "-D_GNU_SOURCE",
                    "-fno-builtin-malloc",
                    "-fno-builtin-calloc",
                    "-fno-builtin-realloc",
                    "-fno-builtin-free",
                    "-ftls-model=initial-exec",
                    c->renamed,
                    c->include,
                    "-o",
                    c->out,
                    (char *)c->source,
                    NULL};
    execvp(argv[0], argv);
    fprintf(stderr, "mdriver: %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

bool compile_file(const char *source, int image)
{
    struct compile c = {.source = source};
    char header[PATH_MAX + 8];
    int status = -1;
    find_headers(c.headers);
    snprintf(header, sizeof header, "%s/mm.h", c.headers);
    if (!isolate_compiler_reads(source, header) && !make_copies(&c)) {
        fprintf(stderr,
                "mdriver: %s: cannot copy it and %s/*.h to where the compiler "
                "may read them: %s\n",
                source, c.headers, strerror(errno));
        remove_copies(&c);
        return false;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        compile_here(&c, image);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    remove_copies(&c);
    return status == 0;
}
