/* sanitized.h - is this a build with a sanitizer, which replaces malloc and has
 * threads, processes and files of its own? */
#ifndef DRIVER_SANITIZED_H
#define DRIVER_SANITIZED_H

#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED                                                              \
    (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED false
#endif

#endif
