/* execs.c - to be recorded: starts true in every way, without an environment.
 *
 *   execs [PROGRAM]   another program; one that is not there is not started */
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { WAYS = 10 };

static void become(int way, char *path)
{
    char *argv[] = {"true", "unseen", NULL}, *none[] = {NULL};
    if (way == 3 || way == 4 || way == 6 || way == 7)
        environ = none;
    switch (way) {
    case 0: execve(path, argv, none); break;
    case 1: execvpe(path, argv, none); break;
    case 2: fexecve(open(path, O_RDONLY), argv, none); break;
    case 3: execv(path, argv); break;
    case 4: execvp(path, argv); break;
    case 5: execle(path, "true", "unseen", NULL, none); break;
    case 6: execl(path, "true", "unseen", NULL); break;
    case 7: execlp(path, "true", "unseen", NULL); break;
    case 8: posix_spawn(&(pid_t){0}, path, NULL, NULL, argv, none); break;
    case 9: posix_spawnp(&(pid_t){0}, path, NULL, NULL, argv, none); break;
    }
    _exit(3);
}

int main(int argc, char **argv)
{
    free(malloc(101));
    for (int way = 0; way < WAYS; way++) {
        pid_t pid = fork();
        if (pid == 0)
            become(way, argc > 1 ? argv[1] : "/bin/true");
        int status;
        waitpid(pid, &status, 0);
    }
    return 0;
}
