/* check.h - nothing is walked here. */
#ifndef MM_ENGINE_CHECK_H
#define MM_ENGINE_CHECK_H
#endif
