/* crash_note.h - in a child: notes which thread a fatal signal or an exit hit.
 */
#ifndef DRIVER_CRASH_NOTE_H
#define DRIVER_CRASH_NOTE_H

struct shared;

/** Catch fatal signals and exit() in this process; notes go to shared. */
void crash_note_install(struct shared *shared);
/** The program has loaded more libraries since. @pre crash_note_install */
void crash_note_loaded(void);
/** Tell whose signals this thread's are, and give it a stack for them: a
 * stack that overflowed can run no handler. */
void crash_note_thread(unsigned thread);
/** The signal by which the parent asks a thread where it is. */
int crash_note_question(void);
/** Instead of all that: a crash ends the process as such, also under a
 * sanitizer, which would take the signals for itself. */
void crash_note_none(void);
/** From here on exit() is as it should be. */
void crash_note_remove(void);

#endif
