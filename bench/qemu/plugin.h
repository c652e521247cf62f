/* plugin.h - of qemu-user's interface for plugins, version 1 (qemu 4.2 to 8):
 * what is used here. Debian has no package with its header. */
#ifndef BENCH_QEMU_PLUGIN_H
#define BENCH_QEMU_PLUGIN_H

#include <inttypes.h>
#include <stddef.h>

#define EXPORT __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info { /* and more */
    const char *target_name;
};
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
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
/* Without a log (-d) it knows no symbols. */
const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *);
typedef void syscall_fn(uint64_t id, unsigned cpu, int64_t number, uint64_t,
                        uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                        uint64_t, uint64_t);
void qemu_plugin_register_vcpu_syscall_cb(uint64_t id, syscall_fn *);

int qemu_plugin_install(uint64_t id, const struct qemu_info *, int, char **);

#endif
