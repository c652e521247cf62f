/* blame.h - in the parent: the fault of a child that cannot tell its own, as it
 * died or had to be ended. */
#ifndef DRIVER_BLAME_H
#define DRIVER_BLAME_H

#include "driver/run/watch.h"

/** It sent what is no answer. */
void blame_words(const struct watch *w);
/** It is dead. @param status  as from waitpid. */
void blame_death(const struct watch *w, int status);
/** It stands still, is slow, or has too much memory (watch_look): ask the
 * thread where it is, and say so. The child still runs. */
void blame_living(const struct watch *w, enum fault_kind kind);

#endif
