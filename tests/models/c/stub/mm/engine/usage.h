/* usage.h - what is purged of an idle arena. */
#ifndef MM_ENGINE_USAGE_H
#define MM_ENGINE_USAGE_H

#include "mm/engine/arena.h"

#include "extracted_usage.h" /* arena_purge */

#endif
