/* traps.h - signal handlers, and a trap after each instruction:
 * handle(SIGUSR1, step_start), and raise(SIGUSR1) starts them as SIGTRAP. On
 * x86 the processor does that, elsewhere qemu-user (bench/qemu/step.c). */
#ifndef TESTS_TRAPS_H
#define TESTS_TRAPS_H

#include <check.h>
#include <signal.h>
#include <stdbool.h>
#include <ucontext.h>

/* Handlers may interrupt handlers, of other signals. */
static inline void handle(int number, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = {.sa_sigaction = handler,
                               .sa_flags = SA_SIGINFO | SA_RESTART};
    ck_assert_int_eq(sigaction(number, &action, NULL), 0);
}

#ifdef __x86_64__
#define TRAP_FLAG 0x100 /* of x86's flags: trap after each instruction */

static inline void trap_set(void *context, bool on)
{
    greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];
    *flags = on ? *flags | TRAP_FLAG : *flags & ~(greg_t)TRAP_FLAG;
}

#else
/* qemu's plugin knows them by their names. */
__attribute__((noinline, used)) static void step_on(void)
{
    __asm__ volatile("");
}

__attribute__((noinline, used)) static void step_off(void)
{
    __asm__ volatile("");
}

static inline void trap_set(void *context, bool on)
{
    (void)context;
    if (on)
        step_on();
    else
        step_off();
}
#endif

static inline void step_start(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    trap_set(context, true);
}

#endif
