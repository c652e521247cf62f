/* announce.c - see announce.h. On standard output, where the tables follow: a
 * file of results has them too. */
#include "driver/run/announce.h"

#include "driver/base/progress.h"
#include "driver/run/peer.h"
#include "driver/run/submission.h"

#include <stdio.h>

/* Faults that the allocator's own check may find before they do harm. */
static bool check_helps(int kind)
{
    return kind == FAULT_OVERLAP || kind == FAULT_DATA ||
           kind == FAULT_REALLOC || kind == FAULT_USABLE ||
           kind == FAULT_CRASH || kind == FAULT_HANG || kind == FAULT_CHECK;
}

/* As -a takes it. */
static const char *named(const struct mm_allocator *a)
{
    const char *path = submission_path(a);
    return path ? path : a->name;
}

static void say_alone(const struct mm_allocator *a, const struct trace *t,
                      const struct second_try *alone)
{
    if (!alone->tried)
        return;
    if (alone->valid)
        printf("      valid with -n 1: look for what threads share without a "
               "lock; `make SAN=thread` finds\n      data races\n");
    else if (alone->still)
        printf("      one thread alone hangs, too (no operation finished in %u "
               "s): ./mdriver -a %s -f %s\n",
               alone->still, named(a), t->path);
    else
        printf("      one thread alone fails, too: ./mdriver -a %s -f %s\n",
               named(a), t->path);
}

/* The command that says more. */
static void say_how(const struct options *o, const struct mm_allocator *a,
                    const struct round_result *x, const struct trace *t,
                    const struct second_try *alone)
{
    bool one = alone->tried && !alone->valid;
    if (!t || !check_helps(x->fault) || o->level > 1 || peer_library(a))
        return;
    if (!a->check) {
        printf("      a check() in its table (mm.h), and -d 2, would find the "
               "first operation after which\n      its heap is broken\n");
        return;
    }
    printf("      its own check after each operation: ./mdriver -a %s -f %s "
           "-n %u -d 2\n",
           named(a), t->path, one ? 1 : o->threads[0]);
}

/* The picture: where one thread alone comes to it. */
static void say_watch(const struct mm_allocator *a,
                      const struct round_result *x, const struct trace *t,
                      const struct second_try *alone)
{
    bool one = !alone->tried || !alone->valid;
    if (t && one && check_helps(x->fault) && !peer_library(a))
        printf("      the heap block by block, at the fault: ./mdriver -a %s "
               "-f %s --watch heap.html\n",
               named(a), t->path);
}

void announce_fault(const struct options *o, const struct mm_allocator *a,
                    const struct round_result *x, const struct trace *t,
                    const struct second_try *alone, bool first)
{
    progress_clear();
    progress_fault();
    printf("FAULT %s\n", x->fault_text);
    say_alone(a, t, alone);
    if (first) {
        say_how(o, a, x, t, alone);
        say_watch(a, x, t, alone);
    }
    fflush(stdout);
}

void announce_open(const struct mm_allocator *a, const char *lacks)
{
    progress_clear();
    fprintf(stderr, "mdriver: %s is not isolated: %s (docs/trust.md)\n",
            a->name, lacks);
}

void announce_end(const struct mm_allocator *a, unsigned faults, bool hangs,
                  bool last)
{
    progress_clear();
    printf("      %s is given up after %u %s; --keep-going goes on\n", a->name,
           faults, hangs ? "hangs" : "faults");
    if (last)
        printf("      no allocator is left: the rounds that remain are left "
               "out\n");
    fflush(stdout);
}
