/* sandbox.h - a child process for one allocator and one round, and the
 * parent's hold on it: whatever the allocator does, the driver goes on.
 *
 * The parent waits for each answer with a watchdog (watch.h): if no thread of
 * the child finishes an operation within a number of seconds, or a pass takes
 * too long or too much memory, the child is killed and that is reported; if it
 * dies, a crash. All name thread, trace, line, and the place in the code
 * (blame.h). It prints through the parent (relay.h) and has no other files
 * (isolate.h). */
#ifndef DRIVER_SANDBOX_H
#define DRIVER_SANDBOX_H

#include "driver/run/isolate.h"
#include "driver/run/watch.h"

struct sandbox;

/** Fork a child. Its first command, CHILD_START, is the caller's to send.
 * @param job  must live as long as the sandbox. */
struct sandbox *sandbox_new(const struct job *job, const struct limits *limits);
/** Send a command and wait until it is done.
 * @return false if a fault stands in shared->fault. */
bool sandbox_do(struct sandbox *s, enum command command);
/** What the child found. */
struct shared *sandbox_shared(struct sandbox *s);
/** What the kernel says of the child. */
struct isolation sandbox_isolation(const struct sandbox *s);
/** Seconds of processor time that the last command took. */
double sandbox_took(const struct sandbox *s);
/** Forget the child. One that was not sent CHILD_END is killed. */
void sandbox_free(struct sandbox *s);

#endif
