/* trap.c - see trap.h. */
#include "driver/trap.h"

#include "driver/child.h"
#include "driver/dmem.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static struct shared *notes; /* NULL: nothing to note */
static _Thread_local unsigned self = THREAD_NONE;

static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL,
                             SIGABRT, SIGTRAP, SIGSYS };

/* The first thread to die is the one that counts. @return whether it is ours */
static bool note(int signal, const void *address)
{
    uint32_t none = THREAD_NONE;
    if (!atomic_compare_exchange_strong(&notes->died_thread, &none, self))
        return false;
    atomic_store(&notes->died_at, (uintptr_t)address);
    atomic_store(&notes->died_signal, signal);
    return true;
}

/* Raised again, the signal does what it would have done. A thread that comes
 * second gives the first, who may not have noted all yet, time to end both. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (notes && !note(number, info->si_code > 0 ? info->si_addr : NULL))
        sleep(1);
    signal(number, SIG_DFL);
    raise(number);
}

static void on_exit_call(void)
{
    if (notes)
        note(0, NULL);
}

void trap_install(struct shared *shared)
{
    struct sigaction act = { .sa_sigaction = on_signal };
    act.sa_flags = SA_SIGINFO | SA_ONSTACK;
    notes = shared;
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        sigaction(fatal[i], &act, NULL);
    atexit(on_exit_call);
    /* No core: with a reserved heap it is large, and the report says where. */
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

void trap_thread(unsigned thread)
{
    size_t size = (size_t)SIGSTKSZ + 65536;
    stack_t old;
    self = thread;
    if (sigaltstack(NULL, &old) == 0 && !(old.ss_flags & SS_DISABLE))
        return; /* AddressSanitizer gave it one, and will want it back */
    sigaltstack(&(stack_t){ .ss_sp = dmem_alloc(size), .ss_size = size }, NULL);
}

void trap_remove(void)
{
    notes = NULL;
}
