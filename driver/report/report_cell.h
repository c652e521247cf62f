/* report_cell.h - figures as they stand in a table. A figure that is not known
 * is a dash. Each writes into the caller's text and returns it. */
#ifndef DRIVER_REPORT_CELL_H
#define DRIVER_REPORT_CELL_H

#include <stdbool.h>
#include <stddef.h>

#define CELL 64 /* room for any of them */

const char *cell_percent(char text[CELL], double fraction, bool known);
const char *cell_ratio(char text[CELL], double ratio);
const char *cell_time(char text[CELL], double seconds); /* 12.34 ms */
const char *cell_bytes(char text[CELL], size_t bytes);
const char *cell_mops(char text[CELL], double per_second);
/** Cut in the middle if longer than width. */
const char *cell_trace(char text[CELL], const char *name, int width);

#endif
