/* crash_note.c - see crash_note.h.
 *
 * The stack of calls is read by the unwinder of the compiler's own library,
 * which is loaded before it is needed. What it does is not all async-signal
 * safe; the process is about to die, and the notes that matter are taken
 * first. */
#include "driver/run/crash_note.h"

#include "driver/base/driver_mem.h"
#include "driver/run/child.h"

#include <execinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

#define FRAMES 48 /* the handler's own come before those that are kept */

static struct shared *notes; /* NULL: nothing to note */
static _Thread_local unsigned self = THREAD_NONE;

static const int fatal[] = {SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
                            SIGABRT, SIGTRAP, SIGSYS};

/* Where the signal found the thread. */
static uintptr_t interrupted_at(const void *context)
{
#if defined(__x86_64__)
    return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.pc;
#elif defined(__riscv)
    return ((const ucontext_t *)context)->uc_mcontext.__gregs[REG_PC];
#else
    (void)context;
    return 0;
#endif
}

static void note_stack(const void *context)
{
    struct stack *s = &notes->stack;
    void *frames[FRAMES];
    uintptr_t at = interrupted_at(context);
    int first = 0, n = 0, got = backtrace(frames, FRAMES);
    while (first < got && (uintptr_t)frames[first] != at)
        first++;
    s->pc[n++] = at; /* also where the unwinder did not come so far */
    for (int i = first + 1; i < got && n < STACK_MOST; i++)
        s->pc[n++] = (uintptr_t)frames[i];
    atomic_store_explicit(&s->n, (unsigned)n,
                          memory_order_release); /* publishes pc */
}

/* The first thread to die is the one that counts. @return whether it is ours */
static bool note(int signal, const siginfo_t *info)
{
    uint32_t none = THREAD_NONE;
    if (!atomic_compare_exchange_strong(&notes->died_thread, &none, self))
        return false;
    if (info && info->si_code > 0)
        atomic_store(&notes->died_at, (uintptr_t)info->si_addr);
    atomic_store(&notes->died_code, info ? info->si_code : 0);
    atomic_store(&notes->died_signal, signal);
    return true;
}

/* Raised again, the signal does what it would have done. A thread that comes
 * second gives the first, which may not have noted all yet, time to end both.
 */
static void on_signal(int number, siginfo_t *info, void *context)
{
    if (notes && !note(number, info))
        sleep(1);
    else if (notes)
        note_stack(context);
    signal(number, SIG_DFL);
    raise(number);
}

static void on_question(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    if (notes)
        note_stack(context);
}

static void on_exit_call(void)
{
    if (notes)
        note(0, NULL);
}

int crash_note_question(void)
{
    return SIGRTMAX - 1;
}

static void catch (int number, void (*handler)(int, siginfo_t *, void *),
                   int flags)
{
    struct sigaction act = {.sa_sigaction = handler};
    act.sa_flags = SA_SIGINFO | SA_ONSTACK | flags;
    sigaction(number, &act, NULL);
}

void crash_note_loaded(void)
{
    objects_note(&notes->objects);
}

void crash_note_install(struct shared *shared)
{
    void *frame;
    backtrace(&frame, 1); /* loads the unwinder, which allocates */
    notes = shared;
    crash_note_loaded();
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        catch (fatal[i], on_signal, 0);
    catch (crash_note_question(), on_question, SA_RESTART);
    atexit(on_exit_call);
    /* No core: with a reserved heap it is large, and the report says where. */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

void crash_note_thread(unsigned thread)
{
    size_t size = (size_t)SIGSTKSZ + 65536;
    stack_t old;
    self = thread;
    if (notes && thread < MDRIVER_MAX_THREADS)
        atomic_store(&notes->tids[thread], (int)gettid());
    if (sigaltstack(NULL, &old) == 0 && !(old.ss_flags & SS_DISABLE))
        return; /* AddressSanitizer gave it one, and will want it back */
    sigaltstack(&(stack_t){.ss_sp = driver_mem_alloc(size), .ss_size = size},
                NULL);
}

void crash_note_remove(void)
{
    notes = NULL;
}

void crash_note_none(void)
{
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        signal(fatal[i], SIG_DFL);
}
