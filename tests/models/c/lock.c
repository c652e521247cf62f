/* lock.c - mm/lock.h: three threads, one of which only tries.
 *
 * What the lock guards is a plain word, so two inside at once are a race.
 * Nobody sleeps: who finds the lock held is left out (tests/test_lock.c has
 * sleepers).
 */
#include "checked.h"

#include "mm/lock.h"

char __libc_single_threaded; /* there are several */

static struct lock lock = LOCK_INITIALIZER;
static int guarded;
static _Atomic int done;

static void work(void)
{
    guarded++;
    lock_drop(&lock);
    atomic_fetch_add_explicit(&done, 1, memory_order_relaxed);
}

static void *one_that_waits(void *unused)
{
    __VERIFIER_assume(
        !atomic_load_explicit(&lock.holder, memory_order_relaxed));
    __VERIFIER_assume(lock_swap(&lock, 0, lock_me()));
    work();
    return unused;
}

static void *one_that_tries(void *unused)
{
    if (lock_try(&lock))
        work();
    return unused;
}

int main(void)
{
    body *const bodies[] = {one_that_waits, one_that_waits, one_that_tries};
    run_all(bodies, 3);
    assert(!lock_is_mine(&lock));
    assert(guarded == done && done >= 2);
    return 0;
}
