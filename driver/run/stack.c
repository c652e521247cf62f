/* stack.c - see stack.h. */
#include "driver/run/stack.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHOWN 3   /* functions of the allocator */
#define DIGITS 20 /* of an address in hexadecimal, with 0x */

#define AT_BLOCK " in the driver, at a block that it was given"

/* What addr2line says of all addresses, as it comes. */
struct answer {
    char text[16384];
    char *rest; /* not read yet */
};

/* ---- addresses ----------------------------------------------------------- */

/* The frames of one stack, from the innermost of the allocator's on. */
struct frames {
    const struct object *object; /* the allocator's code */
    bool library;                /* not linked into the driver */
    int image;                   /* of one that was handed in; -1 */
    const char *file;            /* that the code is in, in words */
    unsigned n;
    uintptr_t pc[STACK_MOST];
};

/* The allocator is in the program, or in the library that the job names. */
static bool is_home(const struct watch *w, const struct object *o)
{
    const char *library = w->job->library;
    char image[32];
    if (!o)
        return false;
    snprintf(image, sizeof image, "/proc/self/fd/%d", w->job->image);
    if (w->job->image >= 0)
        return strcmp(o->path, image) == 0;
    if (!library)
        return !*o->path;
    return *o->path && strcmp(object_name(o->path), object_name(library)) == 0;
}

/* A return address is behind the call; the call is what is told. */
static uintptr_t call_of(const struct stack *s, unsigned i)
{
    return i ? s->pc[i] - 1 : s->pc[i];
}

/* @return how many frames are inside of it: memcpy's, a lock's. */
static unsigned find_frames(const struct watch *w, struct frames *f)
{
    const struct stack *s = &w->shared->stack;
    unsigned n = atomic_load_explicit(&s->n, memory_order_acquire), first = 0;
    n = n < STACK_MOST ? n : STACK_MOST; /* it may have been overwritten */
    *f = (struct frames){.library = w->job->library || w->job->image >= 0,
                         .image = w->job->image,
                         .file = "mdriver"};
    while (first < n &&
           !is_home(w, objects_find(&w->shared->objects, call_of(s, first))))
        first++;
    for (unsigned i = first; i < n; i++) {
        const struct object *o =
            objects_find(&w->shared->objects, call_of(s, i));
        if (f->object && o != f->object)
            break;
        f->object = o;
        f->pc[f->n++] = call_of(s, i);
    }
    if (f->image >= 0)
        f->file = w->job->allocator->name;
    else if (f->object && *f->object->path)
        f->file = object_name(f->object->path);
    return first;
}

/* Of a library's child: is none of n frames the library's, and one ours? */
static bool in_driver(const struct watch *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct object *o =
            objects_find(&w->shared->objects, call_of(&w->shared->stack, i));
        if (o && !*o->path)
            return true;
    }
    return false;
}

/* ---- addr2line ----------------------------------------------------------- */

static _Noreturn void ask(const struct frames *f, int out)
{
    char *argv[STACK_MOST + 6] = {"addr2line", "-a", "-f",
                                  "-i",        "-e", "/proc/self/exe"};
    static char digits[STACK_MOST][DIGITS], file[4096];
    const char *path = *f->object->path ? f->object->path : argv[5];
    if (f->image >= 0)
        argv[5] = (char *)path; /* the same number as in the child */
    else if (realpath(path, file))
        argv[5] = file;
    if (f->image >= 0)
        fcntl(f->image, F_SETFD, 0);
    for (unsigned i = 0; i < f->n; i++) {
        snprintf(digits[i], DIGITS, "%#zx",
                 (size_t)(f->pc[i] - f->object->base));
        argv[6 + i] = digits[i];
    }
    argv[6 + f->n] = NULL;
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
static bool addr2line(const struct frames *f, struct answer *a)
{
    int fd[2], status;
    if (pipe2(fd, O_CLOEXEC) != 0)
        return false;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        ask(f, fd[1]);
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
    const struct frames *frames;
    unsigned shown; /* functions of the allocator so far */
};

static void add(struct words *w, const char *function, const char *place)
{
    size_t n = strlen(w->text);
    if (*place == '?') /* a library that was built without -g */
        place = w->frames->file;
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
        if (!w->frames->library && drivers(place))
            return false;
        if (*function != '?' && w->shown++ < SHOWN)
            add(w, function, short_place(place));
    }
    return true;
}

/* What is known without addr2line. Only few of a library's functions have a
 * name in it. */
static void add_symbol(struct words *w, const struct object *o, uintptr_t pc)
{
    Dl_info info;
    char place[128];
    size_t n = strlen(w->text);
    if (!o)
        return;
    uintptr_t here = objects_here(o, pc);
    const char *file = o == w->frames->object ? w->frames->file
                       : *o->path             ? object_name(o->path)
                                              : "mdriver";
    if (here && dladdr((void *)here, &info) && info.dli_sname)
        snprintf(place, sizeof place, "%.60s (%.40s)", info.dli_sname, file);
    else if (o == w->frames->object)
        snprintf(place, sizeof place, "%.40s+%#zx", file,
                 (size_t)(pc - o->base));
    else
        snprintf(place, sizeof place, "%.60s", file);
    snprintf(w->text + n, w->room - n, "%s%s", n ? ", called by " : " in ",
             place);
}

void stack_text(const struct watch *watch, char *text, size_t room)
{
    static struct answer answer;
    static struct frames f;
    struct words w = {.text = text, .room = room, .frames = &f};
    const struct stack *s = &watch->shared->stack;
    text[0] = '\0';
    unsigned inside = find_frames(watch, &f);
    if (f.n == 0 && in_driver(watch, inside))
        snprintf(text, room, "%s", AT_BLOCK);
    if (f.n == 0)
        return;
    if (inside) /* memcpy, pthread_mutex_lock */
        add_symbol(&w, objects_find(&watch->shared->objects, call_of(s, 0)),
                   call_of(s, 0));
    if (!addr2line(&f, &answer)) {
        add_symbol(&w, f.object, f.pc[0]);
        return;
    }
    while (w.shown < SHOWN && add_frame(&w, &answer))
        ;
    if (w.shown == 0 && f.library)
        add_symbol(&w, f.object, f.pc[0]);
    else if (w.shown == 0) /* its place, or a block that cannot be written */
        snprintf(text, room, "%s", AT_BLOCK);
}
