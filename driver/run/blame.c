/* blame.c - see blame.h. */
#include "driver/run/blame.h"

#include "driver/run/crash_note.h"
#include "driver/run/location.h"
#include "driver/run/stack.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ASK_TRIES 100 /* of WATCH_MS: a busy machine may keep it waiting */
#define STACK_TEXT 512

/* A thread that died while it wrote its message leaves none. */
static void unclaim(struct fault *f)
{
    if (atomic_load(&f->kind) == FAULT_NONE)
        atomic_store(&f->claimed, 0);
}

static void blame(const struct watch *w, enum fault_kind kind, unsigned thread,
                  const char *what)
{
    char where[FAULT_TEXT / 2];
    location_text(w->job, w->shared, thread, where, sizeof where);
    unclaim(&w->shared->fault);
    fault_set(&w->shared->fault, kind, thread, "%s: %s: %s",
              w->job->allocator->name, where, what);
}

void blame_words(const struct watch *w)
{
    blame(w, FAULT_CRASH, w->job->round->nthreads == 1 ? 0 : THREAD_NONE,
          "it wrote to the driver's socket, which is no file of its own");
}

/* ---- dead ---------------------------------------------------------------- */

/* Where a wild pointer led to: the kernel knows it for the first two. */
static void address_text(const struct shared *sh, int number, char *text,
                         size_t room)
{
    int code = atomic_load(&sh->died_code);
    void *at = (void *)atomic_load(&sh->died_at);
    text[0] = '\0';
    if (number == SIGSYS)
        snprintf(text, room,
                 ": it made a system call that is for other "
                 "processes, threads, programs or files");
    else if (number == SIGSEGV && code == SI_KERNEL)
        snprintf(text, room,
                 " at an address that cannot be one (not canonical:"
                 " is it data, or a freed block's?)");
    else if ((number == SIGSEGV || number == SIGBUS) && code > 0 && !at)
        snprintf(text, room, " at address NULL");
    else if ((number == SIGSEGV || number == SIGBUS) && code > 0)
        snprintf(text, room, " at address %p", at);
}

static void signal_text(const struct watch *w, int number, char *text,
                        size_t room)
{
    const char *name = sigabbrev_np(number);
    char address[128], stack[STACK_TEXT];
    address_text(w->shared, number, address, sizeof address);
    stack_text(w, stack, sizeof stack);
    snprintf(text, room, "crashed: SIG%s%s%s%s", name ? name : "?", address,
             stack,
             number == SIGKILL
                 ? ": killed from outside (has the system no memory left?)"
                 : "");
}

void blame_death(const struct watch *w, int status)
{
    char how[FAULT_TEXT];
    unsigned thread = atomic_load(&w->shared->died_thread);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_EXIT_LACK &&
        thread == THREAD_NONE)
        exit(CHILD_EXIT_LACK);
    if (w->job->round->nthreads == 1)
        thread = 0; /* also where it left no note: _exit, SIGKILL */
    if (WIFSIGNALED(status))
        signal_text(w, WTERMSIG(status), how, sizeof how);
    else
        snprintf(how, sizeof how, "the process ended itself, exit status %d",
                 WEXITSTATUS(status));
    blame(w, FAULT_CRASH, thread, how);
}

/* ---- alive --------------------------------------------------------------- */

/* It answers if it can run at all; else the text is empty. */
static void ask(const struct watch *w, unsigned thread, char *text, size_t room)
{
    struct stack *s = &w->shared->stack;
    int tid = atomic_load(&w->shared->tids[thread]);
    text[0] = '\0';
    if (!tid || syscall(SYS_tgkill, w->pid, tid, crash_note_question()) != 0)
        return;
    for (int i = 0; i < ASK_TRIES && !atomic_load(&s->n); i++)
        nanosleep(&(struct timespec){.tv_nsec = WATCH_MS * 1000000L}, NULL);
    stack_text(w, text, room);
}

static void hang_text(const struct watch *w, char *text, size_t room)
{
    unsigned busy = watch_busy(w);
    char others[64] = "";
    if (busy > 1)
        snprintf(others, sizeof others, "; %u other thread%s still too",
                 busy - 1, busy == 2 ? " stands" : "s stand");
    snprintf(text, room, "no operation finished in %u s%s", w->limits.still,
             others);
}

void blame_living(const struct watch *w, enum fault_kind kind)
{
    unsigned thread = watch_longest_still(w);
    char stack[STACK_TEXT] = "", what[FAULT_TEXT / 4], how[FAULT_TEXT];
    if (thread == THREAD_NONE && w->job->round->nthreads == 1)
        thread = 0;
    if (thread != THREAD_NONE)
        ask(w, thread, stack, sizeof stack);
    const char *word = "hangs";
    if (kind == FAULT_HANG) {
        hang_text(w, what, sizeof what);
    } else if (kind == FAULT_SLOW) {
        word = "is too slow";
        snprintf(what, sizeof what,
                 "this pass took more than %u s of processor time for each "
                 "thread (--limit)",
                 w->limits.seconds);
    } else {
        word = "takes too much memory";
        snprintf(what, sizeof what,
                 "%zu MiB are resident, the limit is %zu MiB (--memory): does "
                 "it use freed blocks again?",
                 w->memory >> 20, w->limits.memory >> 20);
    }
    snprintf(how, sizeof how, "%s%s: %s", word, stack, what);
    blame(w, kind, thread, how);
}
