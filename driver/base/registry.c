/* registry.c - see registry.h.
 *
 * A driver with other allocators, such as the planted faulty ones, is linked
 * with this file compiled with an MM_ALLOCATORS of its own (mm.h). */
#include "driver/base/registry.h"

#include "config.h"

#include <string.h>

#define ENTRY(name) &name,
const struct mm_allocator *const registry[] = {MM_ALLOCATORS(ENTRY) NULL};

size_t registry_count(void)
{
    return sizeof registry / sizeof *registry - 1;
}

const struct mm_allocator *registry_find(const char *name)
{
    for (size_t i = 0; registry[i]; i++)
        if (strcmp(registry[i]->name, name) == 0)
            return registry[i];
#ifdef MM_ALIASES
#define ALIAS(old, allocator)                                                  \
    if (strcmp(name, old) == 0)                                                \
        return &allocator;
    MM_ALIASES(ALIAS)
#endif
    return NULL;
}

/* Linked in also where an MM_ALLOCATORS of its own does not list them. */
extern const struct mm_allocator mm_buddy __attribute__((weak));
extern const struct mm_allocator mm_buddy_plain __attribute__((weak));

/* Handed in (submission.h): in the driver the tables of all, in a child its
 * own. */
static const struct mm_allocator *adopted[2 * MDRIVER_MAX_PEERS];
static unsigned nadopted;

void registry_adopt(const struct mm_allocator *a)
{
    adopted[nadopted++ % (2 * MDRIVER_MAX_PEERS)] = a;
}

bool registry_is_stranger(const struct mm_allocator *a)
{
    for (unsigned i = 0; a && i < 2 * MDRIVER_MAX_PEERS; i++)
        if (adopted[i] == a)
            return true;
    return false;
}

bool registry_is_ours(const struct mm_allocator *a)
{
    if (registry_is_stranger(a))
        return true;
    for (size_t i = 0; registry[i]; i++)
        if (registry[i] == a)
            return a != &mm_libc && a != &mm_null;
    return false;
}

bool registry_counts_itself(const struct mm_allocator *a)
{
    return a == &mm_buddy || a == &mm_buddy_plain;
}

bool registry_is_null(const struct mm_allocator *a)
{
    return a == &mm_null;
}
