/* count.c - a plugin of qemu-user: how many instructions of another machine are
 * executed inside profile_counted (driver/run/profile.h).
 *
 *   qemu-aarch64 -plugin count.so -d plugin -D /dev/null PROGRAM ...
 *   ... instructions: 3231956            on stderr, once it has returned
 *
 * qemu translates a few instructions at a time, and calls translated once for
 * each such block; what is registered there happens at each execution. The
 * block in which the function begins starts the count, the one in which it goes
 * on after its only call ends it. Without a log (-d) qemu knows no symbols. One
 * thread is counted. */
#include "bench/qemu/plugin.h"

#include <stdio.h>
#include <string.h>

EXPORT int qemu_plugin_version = 1;

static uint64_t executed, before; /* instructions */
static uint64_t entry;            /* where the function begins */

static void begin(unsigned cpu, void *data)
{
    (void)cpu, (void)data;
    before = executed;
}

static void end(unsigned cpu, void *data)
{
    (void)cpu, (void)data;
    fprintf(stderr, "instructions: %" PRIu64 "\n", executed - before);
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    const char *symbol =
        qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(tb, 0));
    if (symbol && strcmp(symbol, "profile_counted") == 0) {
        if (!entry)
            entry = qemu_plugin_tb_vaddr(tb);
        qemu_plugin_register_vcpu_tb_exec_cb(
            tb, qemu_plugin_tb_vaddr(tb) == entry ? begin : end, NO_REGISTERS,
            NULL);
    }
    qemu_plugin_register_vcpu_tb_exec_inline(tb, ADD_U64, &executed,
                                             qemu_plugin_tb_n_insns(tb));
}

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info *info,
                               int argc, char **argv)
{
    (void)info, (void)argc, (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
