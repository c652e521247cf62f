/* heapmap.h - what lay where in the heap, over the time of a replay.
 *
 * At each sample the map is given all live blocks, sorted by address:
 *
 *   address  ...|hdr| payload .... |pad|hdr| payload .. |       |hdr| ...
 *   counted as  meta live live live meta    live live live free  meta
 *
 * A byte is live if the program asked for it; metadata if it lies between live
 * bytes in a gap that could hold no block (headers, rounding), or is usable but
 * was not asked for; else free, once a block had been near it.
 *
 * Addresses are counted in units, and units in which no block ever lay are left
 * out: so heaps in many pieces (arenas, mappings) make one picture. Units are
 * then put together into a given number of rows. */
#ifndef DRIVER_HEAPMAP_H
#define DRIVER_HEAPMAP_H

#include "driver/check/oracle.h"
#include "mm.h"

#include <stdio.h>

#define HEAPMAP_ROWS 80
#define HEAPMAP_SAMPLES 160
#define HEAPMAP_GAP 32 /* bytes between live ones that can hold no block */

struct heapmap;

/** @param unit     bytes, a power of two.
 *  @param samples  how many will be added, at most. */
struct heapmap *heapmap_new(size_t unit, unsigned samples);
void heapmap_free(struct heapmap *m);
/** The unit for a trace: its peak is some hundreds of units. */
size_t heapmap_unit(size_t peak_payload);

/** Add the state after ops operations.
 * @param live  all n live blocks; they are sorted by address here. */
void heapmap_add(struct heapmap *m, size_t ops, struct oracle_place *live,
                 size_t n, const struct mm_stats *stats);

/** The columns' names, for this many rows. */
void heapmap_header(FILE *f, unsigned rows);
/** Two lines for each sample: the live bytes of each row in percent of it, and
 * its metadata; empty where no block had been yet. */
void heapmap_print(const struct heapmap *m, FILE *f, const char *allocator,
                   const char *trace, unsigned rows);

#endif
