/* compile.h - from a file of C code that is handed in to an image. */
#ifndef DRIVER_COMPILE_H
#define DRIVER_COMPILE_H

#include <stdbool.h>

/** Compile a file into the image, an open file in memory. What the compiler
 * says is on stderr. Root's compiler is another user (isolate.h), so that no
 * #include and no .incbin brings in what only root may read. */
bool compile_file(const char *source, int image);
/** Append a whole file to an open one. */
bool compile_copy(const char *path, int to);

#endif
