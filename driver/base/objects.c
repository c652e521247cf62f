/* objects.c - see objects.h. */
#include "driver/base/objects.h"

#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void extent(struct object *o, const struct dl_phdr_info *info)
{
    o->base = info->dlpi_addr;
    o->start = UINTPTR_MAX;
    o->end = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];
        uintptr_t from = info->dlpi_addr + h->p_vaddr, to = from + h->p_memsz;
        if (h->p_type != PT_LOAD)
            continue;
        o->start = from < o->start ? from : o->start;
        o->end = to > o->end ? to : o->end;
    }
}

static int note(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct objects *all = arg;
    unsigned n = atomic_load_explicit(&all->n, memory_order_relaxed);
    (void)size;
    if (n == OBJECTS_MOST)
        return 1;
    struct object *o = &all->list[n];
    extent(o, info);
    snprintf(o->path, sizeof o->path, "%s", info->dlpi_name);
    atomic_store_explicit(&all->n, n + 1,
                          memory_order_release); /* publishes *o */
    return 0;
}

const char *object_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void objects_note(struct objects *all)
{
    atomic_store_explicit(&all->n, 0, memory_order_relaxed);
    dl_iterate_phdr(note, all);
}

/* The child may have overwritten what it noted. */
const struct object *objects_find(const struct objects *all, uintptr_t pc)
{
    unsigned n = atomic_load_explicit(&all->n, memory_order_acquire);
    for (unsigned i = 0; i < n && i < OBJECTS_MOST; i++)
        if (pc >= all->list[i].start && pc < all->list[i].end)
            return &all->list[i];
    return NULL;
}

struct search {
    const char *path;
    uintptr_t base;
    bool found;
};

static int compare(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct search *s = arg;
    (void)size;
    s->found = strncmp(info->dlpi_name, s->path, OBJECT_PATH - 1) == 0;
    s->base = info->dlpi_addr;
    return s->found;
}

uintptr_t objects_here(const struct object *o, uintptr_t pc)
{
    struct search s = {.path = o->path};
    dl_iterate_phdr(compare, &s);
    return s.found ? pc - o->base + s.base : 0;
}
