/* step.c - a plugin of qemu-user: a SIGTRAP after each instruction of another
 * machine's program, as x86's trap flag gives it (tests/traps.h).
 *
 *   qemu-aarch64 -singlestep -plugin step.so -d plugin -D /dev/null PROGRAM
 *
 * The program says by the functions step_on and step_off, which it calls in a
 * handler, that its thread begins or ends to step. Each instruction is a block
 * of qemu's own then (-singlestep); before it runs its thread gets a SIGTRAP,
 * which qemu delivers after it. No instruction of a handler is stepped: the
 * next one that counts comes after the handler's return.
 *
 * No signal comes between a load-exclusive and its store. On those machines it
 * makes the store fail, so that all begins anew at the load, as if it had come
 * before; with one after each instruction no store would ever succeed. Nor does
 * one come with a system call: qemu would deliver it before, and begin the call
 * anew, for ever. */
#define _GNU_SOURCE
#include "bench/qemu/plugin.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RT_SIGRETURN 139 /* on aarch64 and riscv64 */

EXPORT int qemu_plugin_version = 1;

#define ARM_SVC 0xd4000001
#define RISCV_ECALL 0x73

enum kind { OTHER, LOAD_EXCLUSIVE, STORE_EXCLUSIVE, CALL };

struct step {
    uint64_t at, next; /* addresses: its own, of what follows it */
    enum kind kind;
};

static bool is_arm;                     /* otherwise it is RISC-V */
static __thread volatile bool stepping; /* this thread */
static __thread volatile bool inside;   /* a handler, or soon */
static __thread uint64_t exclusive; /* the next one, after a load-exclusive; 0:
                                       there is none, or its store is done */

static enum kind kind_of(const struct qemu_plugin_insn *insn)
{
    uint32_t word = 0;
    if (qemu_plugin_insn_size(insn) != sizeof word)
        return OTHER;
    memcpy(&word, qemu_plugin_insn_data(insn), sizeof word);
    if (word == (is_arm ? ARM_SVC : RISCV_ECALL))
        return CALL;
    if (is_arm) /* size 001000 0, 1 to load */
        return (word & 0x3f800000) != 0x08000000 ? OTHER
               : word >> 22 & 1                  ? LOAD_EXCLUSIVE
                                                 : STORE_EXCLUSIVE;
    bool atomic = (word & 0x7f) == 0x2f; /* AMO: lr, sc and others */
    return atomic && word >> 27 == 2   ? LOAD_EXCLUSIVE
           : atomic && word >> 27 == 3 ? STORE_EXCLUSIVE
                                       : OTHER;
}

/* Is s a load-exclusive, or between one and its store? A jump out ends it. */
static bool is_exclusive(const struct step *s)
{
    bool follows = s->at == exclusive && s->kind != STORE_EXCLUSIVE;
    bool is = follows || s->kind == LOAD_EXCLUSIVE;
    exclusive = is ? s->next : 0;
    return is;
}

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

static void executed(unsigned cpu, void *step)
{
    (void)cpu;
    const struct step *s = step;
    if (!stepping || inside || is_exclusive(s) || s->kind == CALL)
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
    const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, 0);
    const char *is = qemu_plugin_insn_symbol(insn);
    struct step *step = malloc(sizeof *step); /* as long as qemu runs */
    executed_fn *then = executed;
    if (!step)
        abort();
    step->at = qemu_plugin_insn_vaddr(insn);
    step->next = step->at + qemu_plugin_insn_size(insn);
    step->kind = kind_of(insn);
    if (is && strcmp(is, "step_on") == 0)
        then = on;
    else if (is && strcmp(is, "step_off") == 0)
        then = off;
    qemu_plugin_register_vcpu_tb_exec_cb(tb, then, NO_REGISTERS, step);
}

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info *info,
                               int argc, char **argv)
{
    (void)argc, (void)argv;
    is_arm = strcmp(info->target_name, "aarch64") == 0;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
