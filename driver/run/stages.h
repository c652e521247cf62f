/* stages.h - what a run without -a shows: the lab's stages, side by side. */
#ifndef DRIVER_STAGES_H
#define DRIVER_STAGES_H

#include "driver/run/result.h"

/** One stage, as registry_find knows it, and what a visitor is told of it. */
struct stage {
    const char *name, *what;
};

/** In the order in which the lab builds them; the last has no name. */
extern const struct stage stages[];

/** What to look for in the summary of a run of all of them. */
void stages_say(const struct results *r);

#endif
