/* memthp.h - no huge pages: they are the kernel's affair, and its words publish
 * nothing. */
#ifndef STUB_MEMTHP_H
#define STUB_MEMTHP_H

#include "memsys.h"

static inline char *thp_piece_end(char *end)
{
    return end;
}

static inline void thp_advise(char *first, char *end)
{
    (void)first;
    (void)end;
}

#endif
