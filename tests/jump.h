/* jump.h - leave a call at its n-th instruction: with handle(SIGTRAP, step) and
 * last_step = n, it is left by siglongjmp to out. */
#ifndef TESTS_JUMP_H
#define TESTS_JUMP_H

#include "tests/traps.h"

#include <setjmp.h>

static sigjmp_buf out;
static unsigned steps, last_step;

static inline void step(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info, (void)context;
    if (++steps == last_step)
        siglongjmp(out, 1);
}

#endif
