/* without.c - runs a program as on a system that refuses some calls:
 *
 *   without CALL... -- PROGRAM ARGUMENT...
 *
 * CALL is seccomp, user (no other user, no namespaces), or both. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REFUSE(call)                                                           \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1),                         \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static int install(struct sock_filter *filter, unsigned n)
{
    struct sock_fprog program = {.len = (unsigned short)n, .filter = filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int refuse_user(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        REFUSE(SYS_setresuid),
        REFUSE(SYS_unshare),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    return install(filter, sizeof filter / sizeof *filter);
}

/* PR_SET_SECCOMP, too: the last filter that gets in. */
static int refuse_seccomp(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        REFUSE(SYS_seccomp),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 offsetof(struct seccomp_data, args[0])),
        REFUSE(PR_SET_SECCOMP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    return install(filter, sizeof filter / sizeof *filter);
}

int main(int argc, char **argv)
{
    int seccomp = 0, i = 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        seccomp |= strcmp(argv[i], "seccomp") == 0;
        if (strcmp(argv[i], "user") == 0 && refuse_user() != 0)
            return perror("without"), 77;
    }
    if (seccomp && refuse_seccomp() != 0)
        return perror("without"), 77;
    if (i + 1 < argc)
        execv(argv[i + 1], argv + i + 1);
    perror("without");
    return 77;
}
