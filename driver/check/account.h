/* account.h - the heap as the driver sees it: what memlib handed out.
 *
 * An allocator could say anything of its heap. So the functions by which the
 * driver asks, stats and contains, are replaced by the driver's own:
 *
 *   allocator ── mem_sbrk ──────────────► memlib    it counts that itself
 *             ── mem_map ──► account.c ─► memlib    noted on the way
 *
 * In mdriver memlib's mem_map, mem_map_at, mem_remap and mem_unmap are compiled
 * under other names (Makefile), and these are account.c's: so every call comes
 * by here, also one of a file that is handed in (submission.h). Before
 * account_open it is passed on and that is all.
 *
 * The heap is what mem_sbrk and mem_extend gave, not what the break jumped
 * over, and bytes mapped; of one that was handed in, records, too: else it
 * could have its headers there. Its peak is noted before it falls, and whenever
 * the oracle looks at a block. It contains what lies between start and break,
 * or on pages that mem_map gave.
 *
 * Not replaced: libc's and a peer's, which have other memory, and the size that
 * the lab's buddy tells: it maps more addresses than it uses. */
#ifndef DRIVER_ACCOUNT_H
#define DRIVER_ACCOUNT_H

#include "driver/base/fault.h"
#include "mm.h"

/** Begin to note what is mapped, before the allocator's init.
 * @return the allocator as the driver is to use it. */
struct mm_allocator account_open(const struct mm_allocator *a);
/** Its init is done: the heap's start is known. */
void account_started(void);
/** The highest size of the heap so far, in bytes; 0: none is kept. */
size_t account_peak(void);
/** Where a block lies: bytes from the heap's start; of one in a mapping, the
 * place in its page, beyond all of these. */
size_t account_place(const void *p);
/** Was memory given back that mem_map did not give? Then it is a fault. */
void account_check(const struct mm_allocator *a, struct fault *fault);

#endif
