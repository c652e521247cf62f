/* hint.h - what code tells the compiler, which way is the usual one, and the
 * processor, that it waits. */
#ifndef HINT_H
#define HINT_H

#define always_inline inline __attribute__((always_inline))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Between two looks at a word that another thread is about to change: leaves
 * the core to its other thread for a moment. `isb` where Arm's `yield` does
 * nothing on most cores; RISC-V's `pause` is a fence of nothing to a processor
 * that does not know it. */
static inline void cpu_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#elif defined(__riscv)
    __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" ::: "memory");
#endif
}

#endif
