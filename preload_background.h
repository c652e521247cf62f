/* preload_background.h - a thread that gives memory back where nobody comes by
 * (MM_BACKGROUND=1).
 *
 * All that it does is to end periods (mm.h: decay), then to sleep until the
 * next, or, while nothing happens, until up to DECAY_PERIODS periods later.
 *
 * It is as if it were not there: it takes no signals, but those that libc
 * itself sends to all threads; it is never cancelled; a child of fork, which
 * has no other threads, starts its own; exit does not wait for it; and where
 * main has left by pthread_exit and it is the last thread, it ends, and with it
 * the process.
 *
 * To be included by preload.c, which defines: */
#ifndef PRELOAD_BACKGROUND_H
#define PRELOAD_BACKGROUND_H

#include "preload_options.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

/** End a period. @return false: nothing happened in it */
static bool window_end(void);

#define BACKGROUND_STACK ((size_t)64 << 10)

/* ---- alone ------------------------------------------------------------- */

/* The field of /proc/self/stat that is the n-th after the name. */
static const char *stat_field(const char *text, unsigned n)
{
    const char *p = strrchr(text, ')');
    for (; p && n; n--)
        if ((p = strchr(p, ' ')))
            p++;
    return p ? p : "";
}

/* Has main ended, and is there no thread but main and this one? */
static bool is_alone(void)
{
    char text[512];
    int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/stat",
                          O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    long n = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    text[n > 0 ? n : 0] = '\0';
    return stat_field(text, 1)[0] == 'Z' &&
           strncmp(stat_field(text, 18), "2 ", 2) == 0;
}

/* ---- the thread -------------------------------------------------------- */

static void sleep_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    syscall(SYS_nanosleep, &t, NULL);
}

static void *background_run(void *unused)
{
    (void)unused;
    syscall(SYS_prctl, PR_SET_NAME, "libmm", 0, 0, 0);
    for (long periods = 1; !is_alone();) {
        long ms =
            atomic_load_explicit(&mem_options.decay_ms, memory_order_relaxed);
        bool busy = ms >= 0 && window_end();
        periods = busy ? 1 : periods < DECAY_PERIODS ? 2 * periods : periods;
        ms = ms < 0 ? DECAY_DEFAULT : ms;
        sleep_ms(periods * (ms / DECAY_PERIODS + 1));
    }
    return NULL;
}

static bool background_start(void);

/* The parent's threads are not the child's. */
static void background_child(void)
{
    atomic_store_explicit(&mem_options.background, false, memory_order_relaxed);
    background_start();
}

static bool background_create(void)
{
    pthread_t thread;
    pthread_attr_t attr;
    sigset_t all, before;
    memset(&all, 0xff, sizeof all); /* libc leaves its own out */
    if (pthread_attr_init(&attr))
        return false;
    pthread_attr_setstacksize(&attr, BACKGROUND_STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, &attr, background_run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return !failed;
}

/** Have the thread, from now on and in children. errno is kept. @return false:
 * the system makes none */
static cold_noinline bool background_start(void)
{
    static bool handled;
    int saved = errno;
    if (!handled)
        handled = !pthread_atfork(NULL, NULL, background_child);
    if (!atomic_load_explicit(&mem_options.background, memory_order_relaxed))
        atomic_store_explicit(&mem_options.background, background_create(),
                              memory_order_relaxed);
    errno = saved;
    return atomic_load_explicit(&mem_options.background, memory_order_relaxed);
}

#endif
