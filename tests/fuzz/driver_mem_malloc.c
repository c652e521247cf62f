/* driver_mem_malloc.c - driver/base/driver_mem.h over malloc, for the fuzzer
 * alone.
 *
 * Mappings have slack behind them and no owner: over malloc,
 * AddressSanitizer sees each byte read or written too far, and each leak. */
#include "driver/base/driver_mem.h"

#include <stdlib.h>
#include <string.h>

void *driver_mem_alloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p)
        abort();
    return p;
}

void driver_mem_free(void *p)
{
    free(p);
}

char *driver_mem_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(driver_mem_alloc(n), s, n);
}
