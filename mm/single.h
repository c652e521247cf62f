/* single.h - has this process one thread? Where libc does not say (musl), the
 * answer is no: locks are taken that nobody else wants. */
#ifndef MM_SINGLE_H
#define MM_SINGLE_H

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define single_threaded() (__libc_single_threaded)
#else
#define single_threaded() 0
#endif

#endif
