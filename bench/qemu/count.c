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
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* Of qemu's interface, version 1 (qemu 4.2 to 8): what is used here. Debian has
 * no package with its header. */
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
enum { NO_REGISTERS, ADD_U64 = 0 };
typedef void translated_fn(uint64_t id, struct qemu_plugin_tb *);
typedef void executed_fn(unsigned cpu, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_fn *);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *,
                                          executed_fn *, int flags, void *);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *,
                                              int operation, void *, uint64_t);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *,
                                                 size_t index);
const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *);
int qemu_plugin_install(uint64_t id, const struct qemu_info *, int, char **);

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
