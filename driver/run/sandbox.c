/* sandbox.c - see sandbox.h. */
#include "driver/run/sandbox.h"

#include "driver/base/driver_mem.h"
#include "driver/base/progress.h"
#include "driver/run/blame.h"
#include "driver/run/isolate.h"
#include "driver/run/peer.h"
#include "driver/run/relay.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WATCH_NS (WATCH_MS * UINT64_C(1000000))
#define END_TRIES 200 /* of WATCH_MS: to end, once its socket is closed */

struct sandbox {
    struct watch watch; /* its pid is 0: reaped */
    struct relay relay;
    int fd;
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr,
            "mdriver: cannot start a process: %s: %s; is there a limit on "
            "processes or open files (ulimit -a)?\n",
            what, strerror(errno));
    exit(CHILD_EXIT_LACK);
}

static _Noreturn void run_child(struct sandbox *s, int out, int memory, int fd,
                                pid_t parent)
{
    const struct job *job = s->watch.job;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before prctl */
        _exit(CHILD_EXIT_LACK);
    isolate_files(out, (int[]){memory, fd, job->image}, 3);
    signal(SIGPIPE, SIG_IGN);
    if (job->library || job->image >= 0)
        peer_exec(job, s->watch.shared, memory, fd);
    close(memory);
    child_main(job, s->watch.shared, fd);
}

struct sandbox *sandbox_new(const struct job *job, const struct limits *limits)
{
    struct sandbox *s = driver_mem_alloc(sizeof *s);
    int fd[2], memory, out = relay_begin(&s->relay, job->allocator->name);
    s->watch = (struct watch){.job = job, .limits = *limits};
    s->watch.shared = driver_mem_shared(sizeof *s->watch.shared, &memory);
    atomic_store(&s->watch.shared->died_thread, THREAD_NONE);
    if (out < 0)
        give_up("pipe");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
        give_up("socketpair");
    fflush(NULL);
    pid_t parent = getpid();
    s->fd = fd[0];
    s->watch.pid = fork();
    if (s->watch.pid < 0)
        give_up("fork");
    if (s->watch.pid == 0)
        run_child(s, out, memory, fd[1], parent);
    close(fd[1]);
    close(memory);
    close(out);
    return s;
}

struct shared *sandbox_shared(struct sandbox *s)
{
    return s->watch.shared;
}

/* ---- waiting ------------------------------------------------------------- */

static int reap(struct sandbox *s)
{
    int status = 0;
    while (waitpid(s->watch.pid, &status, 0) < 0 && errno == EINTR)
        ;
    s->watch.pid = 0;
    return status;
}

/* Its socket is closed. One that lives on without it is ended. */
static int reap_soon(struct sandbox *s)
{
    int status = 0;
    for (int i = 0; i < END_TRIES; i++) {
        if (waitpid(s->watch.pid, &status, WNOHANG) == s->watch.pid) {
            s->watch.pid = 0;
            return status;
        }
        relay_read(&s->relay);
        poll(NULL, 0, i ? WATCH_MS : 1);
    }
    kill(s->watch.pid, SIGKILL);
    return reap(s);
}

static bool lacks(const struct sandbox *s, int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == CHILD_EXIT_LACK &&
           atomic_load(&s->watch.shared->died_thread) == THREAD_NONE;
}

static void kill_child(struct sandbox *s)
{
    if (s->watch.pid == 0)
        return;
    kill(s->watch.pid, SIGKILL);
    reap(s);
}

/* Until it answers or has nothing to answer with. @return false: a fault. */
static bool watch_until_answer(struct sandbox *s)
{
    struct pollfd fds[] = {{.fd = s->fd, .events = POLLIN},
                           {.fd = s->relay.fd, .events = POLLIN}};
    watch_begin(&s->watch);
    for (uint64_t next = clock_ns() + WATCH_NS;;) {
        int ready = poll(fds, 2, WATCH_MS);
        if (ready > 0 && fds[1].revents && !relay_read(&s->relay))
            fds[1].fd = -1; /* it closed both, or is at its end */
        if (ready > 0 && fds[0].revents)
            return true;
        if (ready > 0 && clock_ns() < next)
            continue; /* it prints */
        next = clock_ns() + WATCH_NS;
        progress_tick();
        enum fault_kind kind = watch_look(&s->watch);
        if (kind) {
            blame_living(&s->watch, kind);
            kill_child(s);
            return false;
        }
    }
}

/* @return true when the child answered; false when it died or hangs. */
static bool wait_answer(struct sandbox *s, const struct message *sent)
{
    struct message answer;
    if (!watch_until_answer(s))
        return false;
    relay_read(&s->relay);
    ssize_t n = recv(s->fd, &answer, sizeof answer, 0);
    if (n == sizeof answer && memcmp(&answer, sent, sizeof answer) == 0)
        return true;
    if (n > 0) { /* of a size of its own, or without the number */
        blame_words(&s->watch);
        kill_child(s);
        return false;
    }
    int status = reap_soon(s);
    relay_end(&s->relay, lacks(s, status));
    blame_death(&s->watch, status);
    return false;
}

struct isolation sandbox_isolation(const struct sandbox *s)
{
    return isolate_seen(s->watch.pid);
}

double sandbox_took(const struct sandbox *s)
{
    return s->watch.pid ? watch_took(&s->watch) : 0;
}

bool sandbox_do(struct sandbox *s, enum command command)
{
    struct message m = {.command = command};
    if (s->watch.pid == 0)
        return false;
    if (getrandom(&m.number, sizeof m.number, GRND_NONBLOCK) < 0)
        m.number = clock_ns();
    /* To a child that is dead: wait_answer finds out. */
    ssize_t sent = send(s->fd, &m, sizeof m, MSG_NOSIGNAL);
    (void)sent;
    return wait_answer(s, &m) && !fault_seen(&s->watch.shared->fault);
}

void sandbox_free(struct sandbox *s)
{
    if (!s)
        return;
    kill_child(s);
    relay_end(&s->relay, false);
    close(s->fd);
    driver_mem_free(s->watch.shared);
    driver_mem_free(s);
}
