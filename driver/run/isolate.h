/* isolate.h - in a child, before the allocator runs: takes away what is no
 * business of its. docs/grading.md lists what that stops, and what not. */
#ifndef DRIVER_ISOLATE_H
#define DRIVER_ISOLATE_H

/** Standard input becomes empty, output and error go to out; all other files
 * but keep and keep_too are closed; a session of its own, so that signals to
 * its group reach it alone; the first to go if memory runs out. */
void isolate_files(int out, int keep, int keep_too);
/** No call from here on that is for other processes, programs, or files: who
 * makes one is ended by SIGSYS. Where the kernel has no seccomp, or under
 * sanitizers, which need such calls, nothing is done. */
void isolate_calls(void);
/** In the parent: no other process of the same user may look into this one or
 * reach its files through /proc (root may). */
void isolate_self(void);

#endif
