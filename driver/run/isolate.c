/* isolate.c - see isolate.h.
 *
 * The filter names what is refused and lets all else pass: an allocator needs
 * few calls, but the C library and the driver's threads need some that differ
 * from version to version. */
#include "driver/run/isolate.h"

#include "driver/base/sanitized.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- files --------------------------------------------------------------- */

static void close_between(int first, int last)
{
    if (first <= last)
        close_range((unsigned)first, (unsigned)last, 0);
}

static void first_to_go(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    ssize_t put = fd < 0 ? 0 : write(fd, "1000", 4);
    (void)put;
    if (fd >= 0)
        close(fd);
}

void isolate_files(int out, int keep, int keep_too)
{
    int low = keep < keep_too ? keep : keep_too;
    int high = keep < keep_too ? keep_too : keep;
    setsid();
    first_to_go();
    dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    close_between(3, low - 1);
    close_between(low + 1, high - 1);
    close_range((unsigned)high + 1, ~0u, 0);
}

void isolate_self(void)
{
    prctl(PR_SET_DUMPABLE, 0);
}

/* ---- system calls -------------------------------------------------------- */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* x86-64 has a second table of the same calls, from here on. */
#define OTHER_TABLE 0x40000000u

#define FIELD(name) ((uint32_t)offsetof(struct seccomp_data, name))
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (field))
#define END(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define IF_EQUAL(value, then, otherwise)                                       \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (then), (otherwise))
#define IF_SET(bits, then, otherwise)                                          \
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (then), (otherwise))

/* A call that is refused whatever it is about. */
#define REFUSE(call) IF_EQUAL(call, 0, 1), END(SECCOMP_RET_TRAP)
/* ... if it makes no thread, ... */
#define REFUSE_PROCESS(call)                                                   \
    IF_EQUAL(call, 0, 4), LOAD(FIELD(args[0])), IF_SET(CLONE_THREAD, 0, 1),    \
        END(SECCOMP_RET_ALLOW), END(SECCOMP_RET_TRAP)
/* ... if it is for another process than this, ... */
#define REFUSE_OTHERS(call, self)                                              \
    IF_EQUAL(call, 0, 4), LOAD(FIELD(args[0])), IF_EQUAL(self, 0, 1),          \
        END(SECCOMP_RET_ALLOW), END(SECCOMP_RET_TRAP)
/* ... if it is to write. */
#define REFUSE_WRITING(call, argument)                                         \
    IF_EQUAL(call, 0, 4), LOAD(FIELD(args[argument])),                         \
        IF_SET(O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 1, 0),                   \
        END(SECCOMP_RET_ALLOW), END(SECCOMP_RET_TRAP)

#ifdef SYS_open
#define REFUSED_FILES                                                          \
    REFUSE_WRITING(SYS_open, 1), REFUSE(SYS_creat), REFUSE(SYS_fork),          \
        REFUSE(SYS_vfork),
#else /* younger systems have only openat and clone */
#define REFUSED_FILES
#endif

#define REFUSED_CALLS                                                          \
    REFUSE(SYS_openat2), REFUSE(SYS_tkill), REFUSE(SYS_rt_sigqueueinfo),       \
        REFUSE(SYS_rt_tgsigqueueinfo), REFUSE(SYS_pidfd_open),                 \
        REFUSE(SYS_pidfd_getfd), REFUSE(SYS_ptrace),                           \
        REFUSE(SYS_process_vm_readv), REFUSE(SYS_process_vm_writev),           \
        REFUSE(SYS_execve), REFUSE(SYS_execveat), REFUSE(SYS_socket),

void isolate_calls(void)
{
#ifdef ARCH
    const uint32_t self = (uint32_t)getpid();
    struct sock_filter filter[] = {
        LOAD(FIELD(arch)),
        IF_EQUAL(ARCH, 1, 0),
        END(SECCOMP_RET_TRAP),
        LOAD(FIELD(nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, OTHER_TABLE, 0, 1),
        END(SECCOMP_RET_TRAP),
        /* Its flags are in memory, where a filter cannot look: the C library
         * then takes clone. */
        IF_EQUAL(SYS_clone3, 0, 1),
        END(SECCOMP_RET_ERRNO | ENOSYS),
        REFUSE_PROCESS(SYS_clone),
        REFUSE_OTHERS(SYS_kill, self),
        REFUSE_OTHERS(SYS_tgkill, self),
        REFUSE_WRITING(SYS_openat, 2),
        REFUSED_FILES REFUSED_CALLS END(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {
        .len = sizeof filter / sizeof *filter,
        .filter = filter,
    };
    if (SANITIZED || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return;
    /* It shall not slow down what the processor guesses. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) != 0)
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
#endif
}
