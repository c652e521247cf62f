/* exec.c - notes which programs are started without us, in librecord.so.
 *
 * A program that is given an environment without MMRECORD and LD_PRELOAD (`env
 * -i`, execve with a list of its own) is not recorded, and leaves no log that
 * could be missed. So each function that starts one looks at what it passes on,
 * and leaves a note for record.sh: one line before, and one that takes it back
 * if the program could not be started. Nothing here allocates, and a child of
 * vfork may call it.
 *
 * Not seen: system and popen after clearenv, and execveat. */
#include "record/logfile.h"

#include <alloca.h>
#include <dlfcn.h>
#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the program would have called; looked up before it starts, since dlsym
 * takes locks that another thread had at a fork. */
static struct {
    int (*execvpe)(const char *, char *const[], char *const[]);
    int (*fexecve)(int, char *const[], char *const[]);
    int (*spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                 const posix_spawnattr_t *, char *const[], char *const[]);
    int (*spawnp)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                  const posix_spawnattr_t *, char *const[], char *const[]);
} real;

static void __attribute__((constructor)) find_real(void)
{
    const struct {
        const char *name;
        void *function;
    } wanted[] = {{"execvpe", &real.execvpe},
                  {"fexecve", &real.fexecve},
                  {"posix_spawn", &real.spawn},
                  {"posix_spawnp", &real.spawnp}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        void *found = dlsym(RTLD_NEXT, wanted[i].name);
        memcpy(wanted[i].function, &found, sizeof found);
    }
}

static bool has(char *const envp[], const char *name, const char *part)
{
    for (size_t n = strlen(name); envp && *envp; envp++)
        if (strncmp(*envp, name, n) == 0 && strstr(*envp + n, part))
            return true;
    return false;
}

/* @return whether it is noted that program gets an environment without us. */
static bool note(const char *program, char *const envp[])
{
    if (!logfile_has_dir() || (has(envp, "MMRECORD=", "") &&
                               has(envp, "LD_PRELOAD=", "librecord.so")))
        return false;
    logfile_note('+', program);
    return true;
}

/* It could not be started after all. errno stays. */
static void take_back(bool noted, const char *program)
{
    int error = errno;
    if (noted)
        logfile_note('-', program);
    errno = error;
}

int execve(const char *path, char *const argv[], char *const envp[])
{
    bool noted = note(path, envp);
    int r = (int)syscall(SYS_execve, path, argv, envp);
    take_back(noted, path);
    return r;
}

int execvpe(const char *file, char *const argv[], char *const envp[])
{
    bool noted = note(file, envp);
    int r = real.execvpe(file, argv, envp);
    take_back(noted, file);
    return r;
}

int fexecve(int fd, char *const argv[], char *const envp[])
{
    const char *name = argv[0] ? argv[0] : "a file";
    bool noted = note(name, envp);
    int r = real.fexecve(fd, argv, envp);
    take_back(noted, name);
    return r;
}

int execv(const char *path, char *const argv[])
{
    return execve(path, argv, environ);
}

int execvp(const char *file, char *const argv[])
{
    return execvpe(file, argv, environ);
}

int posix_spawn(pid_t *pid, const char *path,
                const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[],
                char *const envp[])
{
    bool noted = note(path, envp);
    int error = real.spawn(pid, path, actions, attributes, argv, envp);
    take_back(noted && error, path);
    return error;
}

int posix_spawnp(pid_t *pid, const char *file,
                 const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[],
                 char *const envp[])
{
    bool noted = note(file, envp);
    int error = real.spawnp(pid, file, actions, attributes, argv, envp);
    take_back(noted && error, file);
    return error;
}

/* ---- the words as arguments ---------------------------------------------- */

/* How many words there are, the NULL at their end too. */
static size_t count_words(const char *first, va_list rest)
{
    size_t n = 1;
    va_list words;
    va_copy(words, rest);
    for (const char *w = first; w; n++)
        w = va_arg(words, const char *);
    va_end(words);
    return n;
}

static void take_words(char **argv, const char *first, va_list *rest)
{
    argv[0] = (char *)first;
    for (size_t i = 0; argv[i]; i++)
        argv[i + 1] = va_arg(*rest, char *);
}

#define WITH_WORDS(argv, first, rest)                                          \
    va_list rest;                                                              \
    va_start(rest, first);                                                     \
    char **argv = alloca(count_words(first, rest) * sizeof *argv);             \
    take_words(argv, first, &rest)

int execl(const char *path, const char *first, ...)
{
    WITH_WORDS(argv, first, rest);
    va_end(rest);
    return execve(path, argv, environ);
}

int execlp(const char *file, const char *first, ...)
{
    WITH_WORDS(argv, first, rest);
    va_end(rest);
    return execvpe(file, argv, environ);
}

int execle(const char *path, const char *first, ...)
{
    WITH_WORDS(argv, first, rest);
    char *const *envp = va_arg(rest, char *const *);
    va_end(rest);
    return execve(path, argv, envp);
}
