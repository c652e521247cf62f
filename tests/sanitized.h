/* sanitized.h - is this program built with a sanitizer, and what it cannot do.
 *
 *   SANITIZED         by AddressSanitizer or ThreadSanitizer: slow, takes
 * memory at any time; a forked child of several threads must start none
 *   THREAD_SANITIZED  by ThreadSanitizer */
#ifndef TESTS_SANITIZED_H
#define TESTS_SANITIZED_H

#include <sys/syscall.h>
#include <unistd.h>

#ifndef __has_feature /* clang says it so, gcc defines macros */
#define __has_feature(x) 0
#endif

#if defined __SANITIZE_THREAD__ || __has_feature(thread_sanitizer)
#define THREAD_SANITIZED 1
#else
#define THREAD_SANITIZED 0
#endif

#if defined __SANITIZE_ADDRESS__ || __has_feature(address_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED THREAD_SANITIZED
#endif

/* For a child of _Fork, which ThreadSanitizer does not see: an acquire or a
 * release takes a lock of its own, which another thread may have held, and then
 * the child waits for ever. It has no second thread to race with, so it is done
 * at once. */
static inline void end_if_locked_forever(void)
{
    if (THREAD_SANITIZED)
        syscall(SYS_exit_group, 0); /* _exit is ThreadSanitizer's, too */
}

#endif
