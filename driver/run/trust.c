/* trust.c - see trust.h. */
#include "driver/run/trust.h"

#include "driver/base/sanitized.h"

#include <string.h>

#define NULL_SHARE 0.5 /* of the no-op allocator's best time: noise is less */
#define BEYOND 0.005   /* seconds: a process woken, files of /proc read */

const char *trust_lacks(const struct isolation *seen)
{
    if (SANITIZED)
        return "a build with sanitizers refuses it no system call";
    if (!seen->calls && !seen->user)
        return "the system has no seccomp for it, and no other user or user "
               "namespace";
    if (!seen->calls)
        return "the system has no seccomp for it";
    if (!seen->user)
        return "the system has no other user or user namespace for it";
    return NULL;
}

bool trust_threads(const struct job *job, const struct isolation *seen,
                   struct fault *fault)
{
    unsigned own = job->round->nthreads, most = own > 1 ? own + 1 : 1;
    if (SANITIZED || seen->threads <= most)
        return true;
    fault_set(fault, FAULT_CRASH, THREAD_NONE,
              "%s: its process has %u threads, expected %u: it started some of "
              "its own",
              job->allocator->name, seen->threads, most);
    return false;
}

void trust_fault(const struct job *job, struct fault *f)
{
    if (atomic_load(&f->kind) <= FAULT_NONE ||
        atomic_load(&f->kind) >= FAULT_GIVEN_UP) {
        atomic_store(&f->claimed, 0);
        atomic_store(&f->kind, FAULT_NONE);
        fault_set(f, FAULT_CRASH, THREAD_NONE,
                  "%s: it wrote to the driver's notes", job->allocator->name);
    }
    f->text[sizeof f->text - 1] = '\0';
    for (char *c = f->text; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = '?';
}

bool trust_time(const struct job *job, const struct timing *own,
                const struct timing *null, double beyond, struct fault *fault)
{
    if (job->round->nthreads > 1)
        return true; /* who waits for whom is chance */
    if (null->runs && own->median < NULL_SHARE * null->best) {
        fault_set(fault, FAULT_HEAP, 0,
                  "%s: a replay took it %.0f ns, and an allocator that does "
                  "nothing %.0f ns",
                  job->allocator->name, own->median * 1e9, null->best * 1e9);
        return false;
    }
    if (SANITIZED || beyond < BEYOND)
        return true;
    fault_set(
        fault, FAULT_HEAP, 0,
        "%s: no replay took it less than %.1f ms of processor time beyond "
        "%d times what its clock tells",
        job->allocator->name, beyond * 1e3, TRUST_TIMES);
    return false;
}
