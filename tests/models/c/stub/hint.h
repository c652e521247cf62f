/* hint.h - as the project's, but no time passes here. */
#ifndef STUB_HINT_H
#define STUB_HINT_H

#define always_inline inline __attribute__((always_inline))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define cpu_relax() ((void)0)

#endif
