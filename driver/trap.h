/* trap.h - in a child: notes which thread a fatal signal or an exit hit. */
#ifndef DRIVER_TRAP_H
#define DRIVER_TRAP_H

struct shared;

/** Catch fatal signals and exit() in this process; notes go to shared. */
void trap_install(struct shared *shared);
/** The program has loaded more libraries since. @pre trap_install */
void trap_loaded(void);
/** Tell whose signals this thread's are, and give it a stack for them: a
 * stack that overflowed can run no handler. */
void trap_thread(unsigned thread);
/** The signal by which the parent asks a thread where it is. */
int trap_question(void);
/** From here on exit() is as it should be. */
void trap_remove(void);

#endif
