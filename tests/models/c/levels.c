/* levels.c - memwindow.h's levels of page records: three threads need the first
 * one. The kernel's word has no order; what is mapped is a plain word of the
 * thread that mapped it, written before that says so.
 *
 * FROZEN: a thread that is not there has claimed it, as in a child of fork.
 * FOREIGN: something else lies there. */
#include "checked.h"

#include "memwindow.h"

struct mem_range mem_range;
static level_word levels[LEVELS];
static _Atomic unsigned kernel;
static int ours; /* plain: whoever uses a level knows that it is mapped */

void *sys_mmap(void *at, size_t size, int protection, int flags)
{
    unsigned nothing = 0;
    (void)size, (void)protection, (void)flags;
    if (!atomic_compare_exchange_strong_explicit(
            &kernel, &nothing, 1, memory_order_relaxed, memory_order_relaxed)) {
        errno = EEXIST;
        return MAP_FAILED;
    }
    ours = 1;
    return at;
}

int sys_munmap(void *at, size_t size)
{
    (void)at, (void)size;
    assert(0 && "nothing is unmapped");
    return 0;
}

static void *use(void *unused)
{
    enum mapped result = level_get(levels, 0) == THERE
                             ? MAPPED
                             : level_commit(levels, mem_range.pages, 0);
#ifdef FOREIGN
    assert(result == TAKEN);
#else
    assert(result == TAKEN || ours == 1);
#endif
    return unused;
}

int main(void)
{
    body *const bodies[] = {use, use, use};
    mem_range.pages = (struct mem_page *)(uintptr_t)4096;
#ifdef FOREIGN
    atomic_store_explicit(&kernel, 1, memory_order_relaxed);
#endif
#ifdef FROZEN
    atomic_store_explicit(&levels[0], CLAIMED, memory_order_relaxed);
#endif
    run_all(bodies, 3);
#ifndef FOREIGN
    assert(ours == 1 && level_get(levels, 0) == THERE);
#endif
    return 0;
}
