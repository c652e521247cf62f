/* daemon.c - to be recorded: closes every descriptor, reuses them, moves away.
 *
 *   daemon FILE    writes 1000 lines of "line" to FILE through descriptors
 *                  that it may have taken over from the recorder */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define DESCRIPTORS 1000
#define BLOCKS 30000 /* several chunks of the log */

void *volatile sink;

int main(int argc, char **argv)
{
    if (argc != 2)
        return 1;
    int file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (int fd = 3; fd < DESCRIPTORS; fd++)
        if (fd != file)
            dup2(file, fd);
    if (chdir("/") != 0)
        return 2;
    for (int i = 0; i < BLOCKS; i++) {
        if (i % 1000 == 999)
            for (int fd = 3; fd < DESCRIPTORS; fd++)
                if (fd != file)
                    close(fd);
        sink = malloc(103);
        if (i % 30 == 0 && write(file, "line\n", 5) != 5)
            return 3;
    }
}
