/* trace_text.h - an operation as a C programmer would write it. */
#ifndef DRIVER_TRACE_TEXT_H
#define DRIVER_TRACE_TEXT_H

#include "driver/trace/trace.h"

#define TRACE_TEXT 64 /* room for any operation */

/** "malloc(64)", "realloc(.., 100)", "free": without the block. */
void trace_op_text(const struct trace_op *op, char *text, size_t room);

#endif
