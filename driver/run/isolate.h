/* isolate.h - in a child, before the allocator runs: takes away what is no
 * business of its. docs/grading.md lists what that stops, and what not. */
#ifndef DRIVER_ISOLATE_H
#define DRIVER_ISOLATE_H

#include <stdbool.h>
#include <stddef.h>

/** Standard input becomes empty, output and error go to out; all other files
 * but the n of keep are closed; a session of its own, so that signals to
 * its group reach it alone; the first to go if memory runs out. */
void isolate_files(int out, const int *keep, unsigned n);
/** No call from here on that is for other processes, programs, or files: who
 * makes one is ended by SIGSYS. Where the kernel has no seccomp, or under
 * sanitizers, which need such calls, nothing is done. */
void isolate_calls(void);
/** For one that was handed in: another user and no group, where we are root;
 * else a user namespace, where the system lets us have one. @pre one thread */
void isolate_user(void);
/** May the user that isolate_compiler makes of root read both files? true: we
 * are not root. */
bool isolate_compiler_reads(const char *file, const char *header);
/** For a compiler: another user and no group, where we are root. */
void isolate_compiler(void);
/** No file may grow, and so many bytes of addresses may be added. @param more
 * 0: no such limit. */
void isolate_limits(size_t more);
/** After isolate_calls, when all threads run: no more of them, and no file is
 * opened any more, not even to read. */
void isolate_rest(void);
/* What the kernel says of another process: as which it runs cannot be faked. */
struct isolation {
    bool calls; /* isolate_calls took hold */
    bool user;  /* isolate_user did: another user's, or in another namespace */
    unsigned threads;
};
struct isolation isolate_seen(int pid);
/** In the parent: no other process of the same user may look into this one or
 * reach its files through /proc (root may). */
void isolate_self(void);

#endif
