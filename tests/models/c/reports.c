/* reports.c - preload_stats.h: one thread at a time writes a report, into a
 * buffer of the process. DEAD: the last that did so was in a child's parent. */
#include "checked.h"

#undef syscall
#define syscall(number, ...) ((long)(own_tid))
#define SYS_gettid 0

static __thread int own_tid;
static _Atomic int reporter;
static int buffer;

static bool thread_lives(int tid)
{
    return tid != 9;
}

#include "extracted_reports.h"

static void *report(void *n)
{
    own_tid = 1 + (int)(intptr_t)n;
    if (report_begin()) {
        buffer = own_tid;
        assert(buffer == own_tid);
        report_finish();
    }
    return NULL;
}

int main(void)
{
    body *const bodies[] = {report, report, report};
#ifdef DEAD
    atomic_store_explicit(&reporter, 9, memory_order_relaxed);
#endif
    run_all(bodies, 3);
    assert(atomic_load_explicit(&reporter, memory_order_relaxed) == 0);
    return 0;
}
