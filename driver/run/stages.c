/* stages.c - see stages.h. */
#include "driver/run/stages.h"

#include "driver/base/registry.h"

#include <stdio.h>

const struct stage stages[] = {
    {"global", "one heap and one lock: the threads wait for each other"},
    {"per-thread", "a heap for each thread, and a lock for each heap"},
    {"arena", "before them a cache for each thread, which needs no lock"},
    {"lockfree", "no locks: a thread that stands still holds up no other"},
    {NULL, NULL},
};

static unsigned most_threads(const struct results *r)
{
    unsigned most = 0;
    for (unsigned i = 0; i < r->nsections; i++)
        if (r->sections[i].threads > most)
            most = r->sections[i].threads;
    return most;
}

void stages_say(const struct results *r)
{
    puts("\nWhat to see: from stage to stage the threads share less. In the "
         "column `vs libc`, above\n1.00x is faster than the C library's "
         "malloc.");
    for (const struct stage *s = stages; s->name; s++)
        if (registry_find(s->name))
            printf("  %-12s %s\n", s->name, s->what);
    if (most_threads(r) == 1)
        puts("With one thread no one waits, so they are close: -n 16 tells "
             "them apart.");
    else
        puts("Where nothing else runs, global falls behind libc as threads "
             "come, and the later stages do\nnot; a large `spread` says that "
             "something else runs. -a NAME,... chooses others (--list).");
}
