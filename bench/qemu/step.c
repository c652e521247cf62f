/* step.c - a plugin of qemu-user: a SIGTRAP after each instruction of another
 * machine's program, as x86's trap flag gives it (tests/traps.h).
 *
 *   qemu-aarch64 -singlestep -plugin step.so -d plugin -D /dev/null PROGRAM
 *
 * The program says by the functions step_on and step_off, which it calls in a
 * handler, that its thread begins or ends to step. Each instruction is a block
 * of qemu's own then (-singlestep); before it runs its thread gets a SIGTRAP,
 * which qemu delivers after it. No instruction of a handler is stepped: the
 * next one that counts comes after the handler's return. */
#define _GNU_SOURCE
#include "bench/qemu/plugin.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RT_SIGRETURN 139 /* on aarch64 and riscv64 */

EXPORT int qemu_plugin_version = 1;

static __thread volatile bool stepping; /* this thread */
static __thread volatile bool inside;   /* a handler, or soon */

static void on(unsigned cpu, void *data)
{
    (void)cpu, (void)data;
    stepping = inside = true;
}

static void off(unsigned cpu, void *data)
{
    (void)cpu, (void)data;
    stepping = false;
}

static void executed(unsigned cpu, void *data)
{
    (void)cpu, (void)data;
    if (!stepping || inside)
        return;
    inside = true;
    syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), SIGTRAP);
}

static void called(uint64_t id, unsigned cpu, int64_t number, uint64_t a,
                   uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f,
                   uint64_t g, uint64_t h)
{
    (void)id, (void)cpu, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    (void)g, (void)h;
    if (number == RT_SIGRETURN)
        inside = false;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    const char *is = qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(tb, 0));
    executed_fn *then = executed;
    if (is && strcmp(is, "step_on") == 0)
        then = on;
    else if (is && strcmp(is, "step_off") == 0)
        then = off;
    qemu_plugin_register_vcpu_tb_exec_cb(tb, then, NO_REGISTERS, NULL);
}

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info *info,
                               int argc, char **argv)
{
    (void)info, (void)argc, (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
