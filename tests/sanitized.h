/* sanitized.h - is this program built with a sanitizer?
 *
 *   SANITIZED         with AddressSanitizer or ThreadSanitizer
 *   THREAD_SANITIZED  with the latter
 *
 * Such a program is slow, and needs memory of its own at any time. A forked
 * child of several threads must start none. */
#ifndef TESTS_SANITIZED_H
#define TESTS_SANITIZED_H

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

#endif
