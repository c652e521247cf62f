/* scene_text.h - a moment of the heap as rows of characters. */
#ifndef DRIVER_SCENE_TEXT_H
#define DRIVER_SCENE_TEXT_H

#include "driver/report/scene.h"

#define SCENE_ROWS 16
#define SCENE_COLUMNS 64

/** What each character means, in one line. */
void scene_text_legend(FILE *out, bool colored);
/** The bytes of a character so that n sorted pieces fit: unit, or unit doubled
 * and doubled again. Addresses far from any piece are left out. */
size_t scene_text_unit(const struct scene_piece *pieces, size_t n, size_t unit);
/** Draw them: SCENE_ROWS lines, each the next part of the heap.
 * @param unit  as scene_text_unit gave it
 * @param colored  with the terminal's colors, each line cleared to its end */
void scene_text_draw(FILE *out, const struct scene_piece *pieces, size_t n,
                     size_t unit, bool colored);

#endif
