/* ends.c - to be recorded: twenty thousand blocks, then one way to end.
 *
 *   ends exit|_exit|quick_exit|abort|kill|exec|spawn|vfork */
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
void *volatile sink;

static void spawn(char *self)
{
    char *args[] = {self, "again", NULL};
    pid_t child;
    if (posix_spawn(&child, self, NULL, NULL, args, environ) != 0)
        exit(2);
    waitpid(child, NULL, 0);
    sink = malloc(300000);
}

static void child_by_vfork(void)
{
    pid_t child = vfork();
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    sink = malloc(300000);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "exit";
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    if (strcmp(how, "again") == 0) {
        sink = malloc(400000);
        return 0;
    }
    for (int i = 0; i < 20000; i++)
        sink = malloc(101);
    if (strcmp(how, "_exit") == 0)
        _exit(0);
    if (strcmp(how, "quick_exit") == 0)
        quick_exit(0);
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "kill") == 0)
        raise(SIGKILL);
    if (strcmp(how, "exec") == 0)
        execl(argv[0], argv[0], "again", (char *)NULL);
    if (strcmp(how, "spawn") == 0)
        spawn(argv[0]);
    if (strcmp(how, "vfork") == 0)
        child_by_vfork();
    return 0;
}
