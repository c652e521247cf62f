/* memzone.h - zones of the heap: what is handed out crosses no border.
 *
 *   start        brk ─ jump ─► |
 *     |  zone 0   |  nothing   |  zone 1 ...       |  zone 2 ...
 *     +-----------+------------+-------------------+----------
 *                   < 1/16    page that is never used
 *
 * A zone is as many bytes as 32-bit links reach (config.h). What does not fit
 * into its rest is refused while that is much, as what follows may fit; then
 * the break jumps to the next zone. Of two threads that see this at once one
 * moves the break, and the other looks again. */
#ifndef MEMZONE_H
#define MEMZONE_H

#include "config.h"
#include "mempart.h"

#define ZONE_REST (MEM_ZONE / 16)

/* Where the zone of a place begins. */
static inline size_t zone_start(size_t at)
{
    return at - at % MEM_ZONE;
}

/* Bytes from a place to the end of its zone. */
static inline size_t zone_room(size_t at, size_t page)
{
    return MEM_ZONE - page - at % MEM_ZONE;
}

/* Bytes to skip, so that what follows is aligned. */
static inline size_t lead_of(size_t at, size_t align)
{
    return -at & (align - 1);
}

/* Leave a zone that has little room, if the break is still there.
 * @return 0: the break has moved; -1: there is much room, or no next zone */
static inline int zone_leave(struct part *heap, size_t *brk, size_t page)
{
    size_t next = zone_start(*brk) + MEM_ZONE;
    if (zone_room(*brk, page) >= ZONE_REST || next >= heap->limit)
        return -1;
    part_skip(heap, *brk, next);
    *brk = mark_get(&heap->brk);
    return 0;
}

/* May so many bytes be handed out at the break, and in this zone, if it is any?
 * @return 1 yes; 0: not there, it has moved; -1 no */
static inline int zone_ask(struct part *heap, const char *zone, size_t *brk,
                           size_t size, size_t page)
{
    if (size > MEM_ZONE)
        return -1;
    if (size > zone_room(*brk, page))
        return zone_leave(heap, brk, page);
    return !zone || heap->start + zone_start(*brk) == zone ? 1 : -1;
}

#endif
