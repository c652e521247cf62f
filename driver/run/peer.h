/* peer.h - allocators that are libraries, in the same run as those linked in.
 *
 * A peer is what the dynamic linker puts in malloc's place for a whole process,
 * so its child is this program once more:
 *
 *   mdriver ── fork ──► child ── exec mdriver, LD_PRELOAD=x.so ──► peer_main
 *                                                                     │
 *      the order in shared memory, the traces by name ──► job ──► child_main
 *
 * From there on it is a child like any other: the same commands, the same
 * replay loop, the same watchdog. Its table is plain malloc and free. What the
 * driver itself needs comes from driver_mem, and so never from the peer; how
 * large its heap is no peer says alike: it has no utilization, but resident
 * bytes. */
#ifndef DRIVER_PEER_H
#define DRIVER_PEER_H

#include "driver/run/child.h"

/** Does an item of -a name a peer: a short name, or a file (*.so*)? */
bool peer_named(const char *item);
/** Make an allocator of it.
 * @param missing  set if it has a short name and is not installed.
 * @return NULL and a line in err if the linker cannot preload it, or if it
 *         lacks a function that a replay needs. */
const struct mm_allocator *peer_open(const char *item, bool *missing, char *err,
                                     size_t room);
/** The library of an allocator that peer_open made; NULL: it is linked in. */
const char *peer_library(const struct mm_allocator *a);
/** Not in a build with sanitizers, whose malloc no library replaces. */
bool peer_possible(void);
/** Does it replace malloc and all else that a replay calls?
 * @return false and a line in err if not. */
bool peer_serves(const char *library, char *err, size_t room);
/** The lines of --list. */
void peer_list(void);

/** In a forked child: start this program again, under the job's library.
 * @param memory  file of shared; @param fd  as in child_main. */
_Noreturn void peer_exec(const struct job *job, struct shared *shared,
                         int memory, int fd);
/** First of all in main: does not return in a process of peer_exec's. */
void peer_main(int argc, char **argv);

#endif
