/* stack.c - see stack.h. */
#include "driver/stack.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHOWN 3   /* functions of the allocator */
#define DIGITS 20 /* of an address in hexadecimal, with 0x */

/* What addr2line says of all addresses, as it comes. */
struct answer {
    char text[16384];
    char *rest; /* not read yet */
};

/* ---- addresses ----------------------------------------------------------- */

static int first_object(struct dl_phdr_info *info, size_t size, void *out)
{
    (void)size;
    *(uintptr_t *)out = info->dlpi_addr;
    return 1; /* the program itself comes first */
}

static bool in_program(uintptr_t pc)
{
    Dl_info here, there;
    return dladdr((void *)pc, &there) &&
           dladdr((void *)(uintptr_t)stack_text, &here) &&
           here.dli_fbase == there.dli_fbase;
}

/* A return address is behind the call; the call is what is told. */
static uintptr_t call_of(const struct stack *s, unsigned i)
{
    return i ? s->pc[i] - 1 : s->pc[i];
}

/* ---- addr2line ----------------------------------------------------------- */

static _Noreturn void ask(const struct stack *s, unsigned n, int out)
{
    char *argv[STACK_MOST + 6] = {"addr2line", "-a", "-f",
                                  "-i",        "-e", "/proc/self/exe"};
    static char digits[STACK_MOST][DIGITS], exe[4096];
    uintptr_t base = 0;
    ssize_t length = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (length > 0)
        argv[5] = exe;
    dl_iterate_phdr(first_object, &base);
    for (unsigned i = 0; i < n; i++) {
        snprintf(digits[i], DIGITS, "%#zx", (size_t)(call_of(s, i) - base));
        argv[6 + i] = digits[i];
    }
    argv[6 + n] = NULL;
    dup2(out, STDOUT_FILENO);
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    execvp(argv[0], argv);
    _exit(127);
}

static void read_answer(struct answer *a, int fd)
{
    size_t n = 0;
    ssize_t got;
    while (n < sizeof a->text - 1 &&
           ((got = read(fd, a->text + n, sizeof a->text - 1 - n)) > 0 ||
            (got < 0 && errno == EINTR)))
        n += got > 0 ? (size_t)got : 0;
    a->text[n] = '\0';
    a->rest = a->text;
}

/* @return false: there is no addr2line, or it found nothing. */
static bool addr2line(const struct stack *s, unsigned n, struct answer *a)
{
    int fd[2], status;
    if (pipe2(fd, O_CLOEXEC) != 0)
        return false;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        ask(s, n, fd[1]);
    close(fd[1]);
    if (pid > 0)
        read_answer(a, fd[0]);
    close(fd[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && a->text[0];
}

/* ---- in words ------------------------------------------------------------ */

struct words {
    char *text;
    size_t room;
    unsigned shown; /* functions of the allocator so far */
};

static void add(struct words *w, const char *function, const char *place)
{
    size_t n = strlen(w->text);
    snprintf(w->text + n, w->room - n, "%s%s (%s)", n ? ", called by " : " in ",
             function, place);
}

/* "/home/me/lab/designs/mine.c:80 (discriminator 2)", as seen from here. */
static const char *short_place(char *place)
{
    static char here[4096];
    char *end = strchr(place, ' ');
    size_t n = getcwd(here, sizeof here) ? strlen(here) : 0;
    if (end)
        *end = '\0';
    return n && strncmp(place, here, n) == 0 && place[n] == '/' ? place + n + 1
                                                                : place;
}

static bool drivers(const char *place)
{
    return strstr(place, "/driver/") || strncmp(place, "driver/", 7) == 0 ||
           strstr(place, "mdriver.c:");
}

static char *next_line(struct answer *a)
{
    char *line = strsep(&a->rest, "\n");
    return line && *line ? line : NULL;
}

/* The functions at one address, inlined ones first. @return false at the
 * driver's, or when there is no more. */
static bool add_frame(struct words *w, struct answer *a)
{
    char *function, *place;
    if (!next_line(a)) /* the address */
        return false;
    while (a->rest && strncmp(a->rest, "0x", 2) != 0) {
        if (!(function = next_line(a)) || !(place = next_line(a)))
            return false;
        if (drivers(place))
            return false;
        if (w->shown++ < SHOWN && *function != '?')
            add(w, function, short_place(place));
    }
    return true;
}

/* What is known without addr2line. Only few of a library's functions have a
 * name in it. */
static void add_symbol(struct words *w, uintptr_t pc)
{
    Dl_info info;
    char place[128];
    size_t n = strlen(w->text);
    if (!dladdr((void *)pc, &info) || !info.dli_fname)
        return;
    const char *slash = strrchr(info.dli_fname, '/');
    const char *file = slash ? slash + 1 : info.dli_fname;
    if (info.dli_sname)
        snprintf(place, sizeof place, "%.60s (%.40s)", info.dli_sname, file);
    else if (in_program(pc))
        snprintf(place, sizeof place, "%.40s+%#zx", file,
                 (size_t)(pc - (uintptr_t)info.dli_fbase));
    else
        snprintf(place, sizeof place, "%.60s", file);
    snprintf(w->text + n, w->room - n, "%s%s", n ? ", called by " : " in ",
             place);
}

void stack_text(const struct stack *s, char *text, size_t room)
{
    static struct answer answer;
    struct words w = {.text = text, .room = room};
    unsigned n = atomic_load_explicit(&s->n, memory_order_acquire);
    text[0] = '\0';
    n = n < STACK_MOST ? n : STACK_MOST; /* it may have been overwritten */
    unsigned first = 0;
    while (first < n && !in_program(s->pc[first]))
        first++;
    if (first < n && first > 0)
        add_symbol(&w, call_of(s, 0)); /* memcpy, pthread_mutex_lock */
    if (first == n)
        return;
    struct stack own = {.n = n - first};
    memmove(own.pc, s->pc + first, (n - first) * sizeof *own.pc);
    if (first)
        own.pc[0]--; /* it is no fault's, but behind a call */
    if (!addr2line(&own, n - first, &answer)) {
        add_symbol(&w, own.pc[0]);
        return;
    }
    while (w.shown < SHOWN && add_frame(&w, &answer))
        ;
    if (w.shown == 0) /* its place, or a block of its that cannot be written */
        snprintf(text, room, " in the driver, at a block that it was given");
}
