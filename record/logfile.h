/* logfile.h - the file behind a process's log: made once, grown by pieces.
 *
 * For librecord.so. Nothing here allocates or is a cancellation point: raw
 * system calls stand where libc's functions are one. */
#ifndef RECORD_LOGFILE_H
#define RECORD_LOGFILE_H

#include "record/log.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/** The name of this process's log in its directory; "" before the first. A
 * forked child finds its parent's here. */
extern char logfile_name[LOG_NAME_MAX];

/** Logs go to this directory. @return false: the name is too long. */
bool logfile_set_dir(const char *dir);
/** @return whether there is one by now. */
bool logfile_has_dir(void);
/** One line, what PID about, in the file `unseen` that all processes share. */
void logfile_note(char what, const char *about);
/** Make this process's log, empty: "main.log" if it is the first image of the
 * recording, otherwise PID.N.log, N counting the images that had this number.
 * What a forked child has from its parent is closed.
 * @return 0, or -1 with errno set. */
int logfile_create(void);
/** @return size bytes of the log from at, zeroed, backed by disk, shared with
 *          the file and not with children; NULL with errno if it is full. */
void *logfile_map(uint64_t at, size_t size);
/** One line on stderr: what cannot be done with the log, and why. */
void logfile_say(const char *what, int err);

#pragma GCC visibility pop

#endif
