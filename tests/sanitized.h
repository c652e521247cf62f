/* sanitized.h - is this program built with a sanitizer, and what it cannot do.
 *
 *   SANITIZED         by any: slow, with memory of its own at any time; a child
 *                     of threads must not start any
 *   THREAD_SANITIZED  by ThreadSanitizer */
#ifndef TESTS_SANITIZED_H
#define TESTS_SANITIZED_H

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

/* For a child that was forked while other threads were at work. Each atomic
 * operation takes a lock of ThreadSanitizer's, which fork does not wait for:
 * one that such a thread held keeps the child waiting for ever. There is no
 * second thread in it to race with, so there it is done at once. */
static inline void end_if_locked_forever(void)
{
    if (THREAD_SANITIZED)
        _exit(0);
}

#endif
