/* sandbox.c - see sandbox.h. */
#include "driver/sandbox.h"

#include "driver/dmem.h"
#include "driver/peer.h"
#include "driver/where.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 50 /* how often the watchdog looks */

/* What the watchdog saw of a thread. */
struct seen {
    uint64_t op;
    uint32_t state;
    uint64_t since_ns; /* when it last changed */
};

struct sandbox {
    const struct job *job;
    struct shared *shared;
    pid_t pid; /* 0: reaped */
    int fd;
    unsigned seconds;
    struct seen seen[MDRIVER_MAX_THREADS];
    int seen_phase;
    struct sandbox *next;
};

/* All that live: a new child closes the others' sockets, or they would not
 * see the parent's end. */
static struct sandbox *all;

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "mdriver: cannot start a process: %s: %s\n", what,
            strerror(errno));
    exit(CHILD_EXIT_LACK);
}

static _Noreturn void run_child(struct sandbox *s, int memory, int fd,
                                pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before prctl */
        _exit(CHILD_EXIT_LACK);
    for (struct sandbox *other = all; other; other = other->next)
        close(other->fd);
    signal(SIGPIPE, SIG_IGN);
    if (s->job->library)
        peer_exec(s->job, s->shared, memory, fd);
    child_main(s->job, s->shared, fd);
}

struct sandbox *sandbox_new(const struct job *job, unsigned seconds)
{
    struct sandbox *s = dmem_alloc(sizeof *s);
    int fd[2], memory;
    s->job = job;
    s->seconds = seconds;
    s->shared = dmem_shared(sizeof *s->shared, &memory);
    atomic_store(&s->shared->died_thread, THREAD_NONE);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
        give_up("socketpair");
    fflush(NULL);
    pid_t parent = getpid();
    s->fd = fd[0];
    s->next = all;
    all = s;
    s->pid = fork();
    if (s->pid < 0)
        give_up("fork");
    if (s->pid == 0)
        run_child(s, memory, fd[1], parent);
    close(fd[1]);
    close(memory);
    return s;
}

struct shared *sandbox_shared(struct sandbox *s)
{
    return s->shared;
}

/* ---- what went wrong ----------------------------------------------------- */

/* A thread that died while it wrote its message leaves none. */
static void unclaim(struct fault *f)
{
    if (atomic_load(&f->kind) == FAULT_NONE)
        atomic_store(&f->claimed, 0);
}

static void report_death(struct sandbox *s, int status)
{
    struct shared *sh = s->shared;
    unsigned thread = atomic_load(&sh->died_thread);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_EXIT_LACK &&
        thread == THREAD_NONE)
        exit(CHILD_EXIT_LACK);
    if (s->job->round->nthreads == 1)
        thread = 0; /* also where it left no note: _exit, SIGKILL */
    char where[FAULT_TEXT], how[128];
    where_text(s->job, sh, thread, where, sizeof where);
    if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "crashed: SIG%s",
                 sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status))
                                                : "?");
    else
        snprintf(how, sizeof how, "the process ended itself, exit status %d",
                 WEXITSTATUS(status));
    if (WIFSIGNALED(status) && atomic_load(&sh->died_at))
        snprintf(how + strlen(how), sizeof how - strlen(how), " at address %p",
                 (void *)atomic_load(&sh->died_at));
    unclaim(&sh->fault);
    fault_set(&sh->fault, FAULT_CRASH, thread, "%s: %s: %s",
              s->job->allocator->name, where, how);
}

/* Threads that stand behind one that holds a lock stand still later than it:
 * the one that has stood longest is named. */
static unsigned longest_still(const struct sandbox *s)
{
    unsigned worst = THREAD_NONE;
    for (unsigned i = 0; i < s->job->round->nthreads; i++) {
        const struct seen *t = &s->seen[i];
        if (t->state == MARK_BUSY &&
            (worst == THREAD_NONE || t->since_ns < s->seen[worst].since_ns))
            worst = i;
    }
    return worst;
}

static void report_hang(struct sandbox *s)
{
    unsigned thread = longest_still(s), still = 0;
    char where[FAULT_TEXT], others[64] = "";
    for (unsigned i = 0; i < s->job->round->nthreads; i++)
        still += s->seen[i].state == MARK_BUSY;
    if (still > 1)
        snprintf(others, sizeof others, "; %u other threads stand still too",
                 still - 1);
    where_text(s->job, s->shared, thread, where, sizeof where);
    unclaim(&s->shared->fault);
    fault_set(&s->shared->fault, FAULT_HANG, thread,
              "%s: %s: hangs: no operation finished in %u s%s",
              s->job->allocator->name, where, s->seconds, others);
}

/* ---- waiting ------------------------------------------------------------- */

static int reap(struct sandbox *s)
{
    int status = 0;
    while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
        ;
    s->pid = 0;
    return status;
}

static void kill_child(struct sandbox *s)
{
    if (s->pid == 0)
        return;
    kill(s->pid, SIGKILL);
    reap(s);
}

/* Look where all threads are. @return whether anything moved. */
static bool look(struct sandbox *s)
{
    uint64_t now = clock_ns();
    int phase = atomic_load(&s->shared->phase);
    bool moved = phase != s->seen_phase;
    s->seen_phase = phase;
    for (unsigned i = 0; i < s->job->round->nthreads; i++) {
        struct mark *m = &s->shared->marks[i];
        uint64_t op = atomic_load_explicit(&m->op, memory_order_relaxed);
        uint32_t state = atomic_load_explicit(&m->state, memory_order_relaxed);
        if (op == s->seen[i].op && state == s->seen[i].state)
            continue;
        s->seen[i] = (struct seen){ op, state, now };
        moved = true;
    }
    return moved;
}

/* @return true when the child answered; false when it died or hangs. */
static bool wait_answer(struct sandbox *s)
{
    struct pollfd poll_fd = { .fd = s->fd, .events = POLLIN };
    const uint64_t patience = (uint64_t)s->seconds * 1000 / LOOK_MS;
    char answer;
    look(s);
    /* Looks are counted, not seconds: when all of us were stopped for a while,
     * that is no hang. */
    for (uint64_t still = 0; poll(&poll_fd, 1, LOOK_MS) <= 0; still++) {
        if (look(s))
            still = 0;
        if (still >= patience) {
            report_hang(s);
            kill_child(s);
            return false;
        }
    }
    if (read(s->fd, &answer, 1) == 1)
        return true;
    report_death(s, reap(s));
    return false;
}

bool sandbox_do(struct sandbox *s, enum command command)
{
    char byte = (char)command;
    if (s->pid == 0)
        return false;
    /* To a child that is dead: wait_answer finds out. */
    ssize_t sent = send(s->fd, &byte, 1, MSG_NOSIGNAL);
    (void)sent;
    return wait_answer(s) && !fault_seen(&s->shared->fault);
}

static void unlink_from_all(struct sandbox *s)
{
    struct sandbox **at = &all;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
}

void sandbox_free(struct sandbox *s)
{
    if (!s)
        return;
    kill_child(s);
    unlink_from_all(s);
    close(s->fd);
    dmem_free(s->shared);
    dmem_free(s);
}
