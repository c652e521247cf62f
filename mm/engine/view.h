/* view.h - where an allocator keeps its counts, for a program that reads them
 * from another process (scripts/libmm_top.py): as census.h, but through
 * /proc/PID/mem. The process that is looked at does nothing for it, and may
 * even be stopped.
 *
 *   view[]  | "libmm view 1", how many | "nshards", address | ...
 *           | "arena.used", its distance from the arena's start | ...
 *
 * A word is a name and a number: an address of the process's, a distance in a
 * structure, or a constant. libmm.so has them all in one constant table, which
 * is found by its first word. A word that is renamed or added here changes in
 * libmm_top.py, too; when what one means changes, count VIEW_MAGIC up. */
#ifndef MM_ENGINE_VIEW_H
#define MM_ENGINE_VIEW_H

#include "config.h"
#include "memlib.h"

struct view_word {
    char name[32];
    uint64_t value;
};

#define VIEW_MAGIC "libmm view 1", 0x7c3fe1b59a0d2846 /* any random one */
#define VIEW_IS(name, value)                                                   \
    {                                                                          \
        name, (uint64_t)(value)                                                \
    }
#define VIEW_AT(name, address) VIEW_IS(name, (uintptr_t)(address))
#define VIEW_IN(type, field)                                                   \
    VIEW_IS(#type "." #field, offsetof(struct type, field))

/* What each allocator has from memlib. */
#define VIEW_MEM                                                               \
    VIEW_AT("mem_range", &mem_range), VIEW_IN(mem_range, base),                \
        VIEW_IN(mem_range, pages), VIEW_AT("mem_view", &mem_view),             \
        VIEW_IN(mem_view, brk), VIEW_IN(mem_view, skipped),                    \
        VIEW_IN(mem_view, committed), VIEW_IN(mem_view, records_brk),          \
        VIEW_IN(mem_view, records_skipped),                                    \
        VIEW_IN(mem_view, records_committed), VIEW_IN(mem_view, outside),      \
        VIEW_IS("sizeof mem_page", sizeof(struct mem_page)),                   \
        VIEW_IN(mem_page, tag), VIEW_IN(mem_page, room),                       \
        VIEW_IN(mem_page, listed), VIEW_IN(mem_page, next),                    \
        VIEW_IS("MEM_TAGGED", MEM_TAGGED),                                     \
        VIEW_IS("MEM_GRAIN", 1 << MEM_GRAIN_LOG2)

/* What each stage has: arenas. struct shard has one. */
#define VIEW_ENGINE                                                            \
    VIEW_IN(shard, arena), VIEW_IN(arena, used), VIEW_IN(arena, live),         \
        VIEW_IN(arena, heap.size), VIEW_IN(arena, heap.clean),                 \
        VIEW_IN(arena, slabs.first), VIEW_IN(arena, slabs.nslabs),             \
        VIEW_IS("classes", SLAB_CLASSES), VIEW_IS("nlive", NLIVE),             \
        VIEW_AT("slab_classes", slab_classes),                                 \
        VIEW_IS("sizeof slab_class", sizeof(struct slab_class)),               \
        VIEW_IN(slab_class, pages), VIEW_IN(slab_class, slots),                \
        VIEW_IS("TAG_BYTES", TAG_BYTES)

#endif
