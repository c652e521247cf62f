/* progress.h - one line on the terminal that says what is going on. */
#ifndef DRIVER_PROGRESS_H
#define DRIVER_PROGRESS_H

/** Say what is done now. Nothing is shown unless stderr is a terminal. */
void progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** Some time has passed: show the seconds since, at most once a second. */
void progress_tick(void);
/** One more fault, to be told in the line from now on. */
void progress_fault(void);
/** Remove the line. */
void progress_clear(void);

#endif
