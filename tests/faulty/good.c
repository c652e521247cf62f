/* good.c - the base as it is: the one that must not be found faulty. */
#include "tests/faulty/base.h"

FAULTY(faulty_good, "good", base_malloc, base_free, base_realloc, base_calloc,
       base_memalign, base_usable_size, NULL);
