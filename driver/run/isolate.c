/* isolate.c - see isolate.h.
 *
 * The filter names what is refused and lets all else pass: an allocator needs
 * few calls, but the C library and the driver's threads need some that differ
 * from version to version. */
#include "driver/run/isolate.h"

#include "driver/base/sanitized.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

static bool among(int fd, const int *list, unsigned n)
{
    while (n > 0 && list[n - 1] != fd)
        n--;
    return n > 0;
}

void isolate_files(int out, const int *keep, unsigned n)
{
    int from = 3, most = 2;
    setsid();
    first_to_go();
    dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    for (unsigned i = 0; i < n; i++)
        most = keep[i] > most ? keep[i] : most;
    for (int fd = 3; fd <= most; fd++)
        if (among(fd, keep, n)) {
            close_between(from, fd - 1);
            from = fd + 1;
        }
    close_range((unsigned)most + 1, ~0u, 0);
}

void isolate_self(void)
{
    prctl(PR_SET_DUMPABLE, 0);
}

/* ---- another user ---------------------------------------------------------
 */

#define NOBODY 65534

static bool become_nobody(void)
{
    return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
           setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

bool isolate_compiler_reads(const char *file, const char *header)
{
    if (getuid() != 0 || seteuid(NOBODY) != 0)
        return true;
    bool may = faccessat(AT_FDCWD, file, R_OK, AT_EACCESS) == 0 &&
               faccessat(AT_FDCWD, header, R_OK, AT_EACCESS) == 0;
    if (seteuid(0) != 0)
        abort();
    return may;
}

void isolate_compiler(void)
{
    if (getuid() == 0)
        (void)become_nobody(); /* refused: not isolated, as the child's is */
}

void isolate_user(void)
{
    bool other = become_nobody();
    int spaces = CLONE_NEWNET | CLONE_NEWIPC;
    if (!other && !SANITIZED && unshare(CLONE_NEWUSER | spaces) != 0)
        (void)unshare(CLONE_NEWUSER);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* forgotten with the user */
}

void isolate_limits(size_t more)
{
    struct rlimit none = {0, 0}, space = {more, more};
    char text[64] = "";
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    size_t pages = n > 0 ? strtoul(text, NULL, 10) : 0;
    if (fd >= 0)
        close(fd);
    space.rlim_cur += pages * (size_t)sysconf(_SC_PAGESIZE);
    space.rlim_max = space.rlim_cur;
    setrlimit(RLIMIT_FSIZE, &none);
    setrlimit(RLIMIT_MSGQUEUE, &none);
    if (more && pages && !SANITIZED)
        setrlimit(RLIMIT_AS, &space);
}

/* ---- as the kernel sees it ------------------------------------------------
 */

static size_t read_of(int pid, const char *name, char *text, size_t room)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, room - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static unsigned long number_of(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at ? strtoul(at + strlen(key), NULL, 10) : 0;
}

#define FILTERS 2 /* isolate_calls and isolate_rest */

/* In a container all have a filter: the child must have two more than we. A
 * kernel that does not count them says only whether there is any. */
static bool filtered(const char *status, const char *own)
{
    if (strstr(status, "\nSeccomp_filters:"))
        return number_of(status, "\nSeccomp_filters:") >=
               number_of(own, "\nSeccomp_filters:") + FILTERS;
    return number_of(status, "\nSeccomp:") == SECCOMP_MODE_FILTER &&
           number_of(own, "\nSeccomp:") != SECCOMP_MODE_FILTER;
}

struct isolation isolate_seen(int pid)
{
    char text[8192], ours[8192], own[256], its[256];
    struct isolation i = {0};
    if (!read_of(pid, "status", text, sizeof text))
        return i;
    read_of(getpid(), "status", ours, sizeof ours);
    i.calls = filtered(text, ours);
    i.threads = (unsigned)number_of(text, "\nThreads:");
    size_t mine = read_of(getpid(), "uid_map", own, sizeof own);
    size_t other = read_of(pid, "uid_map", its, sizeof its);
    i.user = number_of(text, "\nUid:") != getuid() || mine != other ||
             memcmp(own, its, mine) != 0;
    return i;
}

/* ---- system calls -------------------------------------------------------- */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
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

/* The C library asks some files for what it can do without. */
#define DENY(call) IF_EQUAL(call, 0, 1), END(SECCOMP_RET_ERRNO | EACCES)

#ifdef SYS_open
#define DENY_FILES DENY(SYS_open),
#define REFUSED_FILES                                                          \
    REFUSE_WRITING(SYS_open, 1), REFUSE(SYS_creat), REFUSE(SYS_fork),          \
        REFUSE(SYS_vfork),
#else /* younger systems have only openat and clone */
#define DENY_FILES
#define REFUSED_FILES
#endif

#define REFUSED_CALLS                                                          \
    REFUSE(SYS_openat2), REFUSE(SYS_tkill), REFUSE(SYS_rt_sigqueueinfo),       \
        REFUSE(SYS_rt_tgsigqueueinfo), REFUSE(SYS_pidfd_open),                 \
        REFUSE(SYS_pidfd_getfd), REFUSE(SYS_ptrace),                           \
        REFUSE(SYS_process_vm_readv), REFUSE(SYS_process_vm_writev),           \
        REFUSE(SYS_execve), REFUSE(SYS_execveat), REFUSE(SYS_socket),

/* For all threads. @return false: nothing is refused. */
static bool install(struct sock_filter *filter, size_t n)
{
    struct sock_fprog program = {.len = (unsigned short)n, .filter = filter};
    if (SANITIZED || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return false;
    /* It must not slow down what the processor guesses. */
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                   SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_TSYNC,
                   &program) == 0 ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

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
    install(filter, sizeof filter / sizeof *filter);
#endif
}

void isolate_rest(void)
{
#ifdef ARCH
    struct sock_filter filter[] = {
        LOAD(FIELD(nr)),
        DENY(SYS_openat),
        DENY_FILES IF_EQUAL(SYS_clone, 0, 1),
        END(SECCOMP_RET_TRAP),
        END(SECCOMP_RET_ALLOW),
    };
    install(filter, sizeof filter / sizeof *filter);
#endif
}
