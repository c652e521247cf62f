/* logfile.c - opens, identifies and grows the file of a log.
 *
 * The program may close or reuse our descriptor (daemons close all that they
 * find): it is believed only while it still names our file, and opened again
 * otherwise. It is kept nevertheless, because after chroot or setuid the name
 * may lead nowhere. */
#include "record/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HIGH_FD 900 /* where a program does not expect it */

char logfile_name[LOG_NAME_MAX];

static struct {
    char dir[3072];
    int fd;
    dev_t dev;
    ino_t ino;
} file = {.fd = -1};

bool logfile_set_dir(const char *dir)
{
    if (strlen(dir) >= sizeof file.dir)
        return false;
    strcpy(file.dir, dir);
    return true;
}

bool logfile_has_dir(void)
{
    return file.dir[0] != '\0';
}

void logfile_note(char what, const char *about)
{
    char path[sizeof file.dir + 16], line[512];
    snprintf(path, sizeof path, "%s/unseen", file.dir);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path,
                          O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0666);
    if (fd < 0)
        return;
    int n =
        snprintf(line, sizeof line - 1, "%c%d %s", what, (int)getpid(), about);
    n = n < (int)sizeof line - 2 ? n : (int)sizeof line - 2;
    line[n] = '\n';
    syscall(SYS_write, fd, line, n + 1); /* whole, as it is appended */
    syscall(SYS_close, fd);
}

void logfile_say(const char *what, int err)
{
    char line[256];
    int n = snprintf(line, sizeof line, "librecord: %s: %s: %s\n", logfile_name,
                     what, strerrordesc_np(err));
    if (n > 0) /* if that fails there is no one to tell */
        syscall(SYS_write, STDERR_FILENO, line, n);
}

static int open_log(const char *name, int flags)
{
    char path[sizeof file.dir + LOG_NAME_MAX + 1];
    snprintf(path, sizeof path, "%s/%s", file.dir, name);
    int low = (int)syscall(SYS_openat, AT_FDCWD, path,
                           flags | O_RDWR | O_CLOEXEC, 0666);
    if (low < 0)
        return -1;
    for (int at = HIGH_FD; at > 0; at /= 2) {
        int high = fcntl(low, F_DUPFD_CLOEXEC, at);
        if (high >= 0) {
            syscall(SYS_close, low);
            return high;
        }
    }
    return low;
}

/* By device and inode: the number alone may be the program's by now. */
static bool fd_is_ours(int fd)
{
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == file.dev &&
           st.st_ino == file.ino;
}

/* @return the log's descriptor, or -1. */
static int log_fd(void)
{
    if (!fd_is_ours(file.fd)) {
        int fd = open_log(logfile_name, 0);
        if (fd >= 0 && !fd_is_ours(fd)) {
            syscall(SYS_close, fd);
            errno = ESTALE;
            return -1;
        }
        file.fd = fd;
    }
    return file.fd;
}

int logfile_create(void)
{
    bool forked = logfile_name[0] != '\0';
    if (forked && fd_is_ours(file.fd))
        syscall(SYS_close, file.fd);
    int fd = -1;
    if (!forked) {
        strcpy(logfile_name, "main.log");
        fd = open_log(logfile_name, O_CREAT | O_EXCL);
    }
    for (int n = 0; fd < 0 && (n == 0 || errno == EEXIST); n++) {
        snprintf(logfile_name, sizeof logfile_name, "%d.%d.log", (int)getpid(),
                 n);
        fd = open_log(logfile_name, O_CREAT | O_EXCL);
    }
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    file.dev = st.st_dev;
    file.ino = st.st_ino;
    file.fd = fd;
    return 0;
}

/* Give the file real blocks in [at, at + size): a store to the mapping must
 * not find the disk full. */
static int grow(int fd, uint64_t at, size_t size)
{
    static char zeros[LOG_CHUNK_SIZE];
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && at + size > limit.rlim_cur) {
        errno = EFBIG; /* the kernel would send SIGXFSZ */
        return -1;
    }
    long r;
    do {
        r = syscall(SYS_fallocate, fd, 0, at, size);
    } while (r < 0 && errno == EINTR);
    if (r == 0 || errno != EOPNOTSUPP)
        return (int)r;
    for (size_t done = 0; done < size; done += (size_t)r) {
        r = syscall(SYS_pwrite64, fd, zeros, size - done, at + done);
        if (r < 0 && errno == EINTR)
            r = 0;
        else if (r <= 0)
            return -1;
    }
    return 0;
}

void *logfile_map(uint64_t at, size_t size)
{
    int fd = log_fd();
    if (fd < 0 || grow(fd, at, size) < 0)
        return NULL;
    void *p =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)at);
    if (p == MAP_FAILED)
        return NULL;
    /* One call instead of a fault per page; an old kernel may refuse. */
    if (madvise(p, size, MADV_POPULATE_WRITE) < 0 && errno != EINVAL) {
        munmap(p, size);
        return NULL;
    }
    madvise(p, size, MADV_DONTFORK);
    return p;
}
