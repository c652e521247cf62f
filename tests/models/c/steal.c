/* steal.c - lockfree/steal.h, lockfree/thread.h: who is inside shard 0.
 *
 * Its thread enters, twice with TWICE, and ends with ENDS; a thief; with HEIR a
 * thread that has no shard yet; with THIEVES a second thief. Shard 1 is spare:
 * who was robbed moves there.
 * INSIDE: the thread is inside its struct before it looks at the shard, as for
 * a block that its bin has no room for.
 *
 * IPI=N: membarrier as the kernel does it, not the fences instead: a full fence
 * in the thread at its point N, after the request and before the answer. One
 * run for each point. NO_IPI: it is never asked for. */
#include "checked.h"

#ifdef IPI
static _Atomic int asked, answered;
static __thread int point;
static __thread bool is_target;

static void interrupt_point(void)
{
    if (!is_target || point++ != IPI)
        return;
    __VERIFIER_assume(atomic_load_explicit(&asked, memory_order_acquire) == 1);
    atomic_thread_fence(memory_order_seq_cst);
    atomic_store_explicit(&answered, 1, memory_order_release);
}

bool mem_barrier(void)
{
#ifndef NO_IPI
    atomic_thread_fence(memory_order_seq_cst);
    atomic_store_explicit(&asked, 1, memory_order_release);
    __VERIFIER_assume(atomic_load_explicit(&answered, memory_order_acquire) ==
                      1);
    atomic_thread_fence(memory_order_seq_cst);
#endif
    return true;
}
#endif

#include "shards.h"

static struct shard *own_shard(void)
{
#ifdef INSIDE
    struct thread *t = self();
    if (t->open) {
        enter(t);
        struct shard *s = shard_enter_inside(t);
        if (s)
            return s;
    }
#endif
    return shard_enter();
}

static void *owner(void *unused)
{
#ifdef IPI
    is_target = true;
#endif
    sit_down(&shards[0].first_thread);
#ifdef TWICE
    for (int i = 0; i < 2; i++) {
#else
    for (int i = 0; i < 1; i++) {
#endif
        interrupt_point();
        struct shard *s = own_shard();
        if (s) {
            work(s, 0);
            shard_exit(s);
        }
    }
#ifdef ENDS
    interrupt_point();
    stage_thread_exit();
#endif
    interrupt_point();
    return unused;
}

static void *thief(void *unused)
{
    steal_and_work(&shards[0], 1);
    return unused;
}

static void *second_thief(void *unused)
{
    steal_and_work(&shards[0], 3);
    return unused;
}

static void *heir(void *unused)
{
    sit_down(&no_thread);
    struct shard *s = shard_enter_or_attach();
    if (s) {
        work(s, 2);
        shard_exit(s);
    }
    return unused;
}

int main(void)
{
    body *const bodies[] = {
        owner,
        thief,
#ifdef THIEVES
        second_thief,
#endif
#ifdef HEIR
        heir,
#endif
    };
    shard_set(0, OWNED);
    shards[0].first_thread.open = OPEN;
    shards[0].first_thread.next = &shards[0].first_thread;
    shard_set(1, SPARE);
    run_all(bodies, sizeof bodies / sizeof *bodies);
    check_work(2);
    enum status status = status_of(state_get(&shards[0]));
    assert(status == OWNED || status == ORPHAN);
    if (status == ORPHAN) /* L1 */
        assert(!thread_of(&shards[0])->open);
    return 0;
}
