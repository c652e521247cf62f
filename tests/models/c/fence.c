/* fence.c - lockfree/stack.h: full_fence is one. Two litmus tests: each of two
 * threads stores and then looks (SB, store buffering), and two that look at
 * two stores in different orders agree which came first (IRIW). */
#include "checked.h"

#include "mm/lockfree/stack.h"

static _Atomic int x, y;
static int saw[4];

static void look(int i, _Atomic int *first, _Atomic int *second)
{
    int one = atomic_load_explicit(first, memory_order_relaxed);
    full_fence();
    saw[i] = one && !atomic_load_explicit(second, memory_order_relaxed);
}

#ifdef IRIW
static void *write_x(void *unused)
{
    atomic_store_explicit(&x, 1, memory_order_relaxed);
    return unused;
}

static void *write_y(void *unused)
{
    atomic_store_explicit(&y, 1, memory_order_relaxed);
    return unused;
}

static void *look_at_x(void *unused)
{
    look(0, &x, &y);
    return unused;
}

static void *look_at_y(void *unused)
{
    look(1, &y, &x);
    return unused;
}
#else
static void *write_x(void *unused)
{
    atomic_store_explicit(&x, 1, memory_order_relaxed);
    full_fence();
    saw[0] = !atomic_load_explicit(&y, memory_order_relaxed);
    return unused;
}

static void *write_y(void *unused)
{
    atomic_store_explicit(&y, 1, memory_order_relaxed);
    full_fence();
    saw[1] = !atomic_load_explicit(&x, memory_order_relaxed);
    return unused;
}
#endif

int main(void)
{
#ifdef IRIW
    body *const bodies[] = {write_x, write_y, look_at_x, look_at_y};
    run_all(bodies, 4);
#else
    body *const bodies[] = {write_x, write_y};
    run_all(bodies, 2);
#endif
    assert(!(saw[0] && saw[1]));
    return 0;
}
