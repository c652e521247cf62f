/* scene_text.c - see scene_text.h. */
#include "driver/report/scene_text.h"

#include <string.h>

#define CELLS (SCENE_ROWS * SCENE_COLUMNS)
#define PADDING SCENE_STATES /* of live blocks; not a state of a piece */
#define KINDS (SCENE_STATES + 1)

struct look {
    char mark;
    const char *name;
    int color; /* of a terminal's 256 */
};

/* Blue, orange and their like: told apart by all (Okabe & Ito, 2008). */
static const struct look looks[KINDS] = {
    [SCENE_LIVE] = {'#', "used", 32},
    [SCENE_FREE] = {'.', "free", 250},
    [SCENE_CACHED] = {'c', "in a cache", 214},
    [SCENE_SENT] = {'m', "in an inbox", 175},
    [SCENE_OWN] = {'=', "bookkeeping", 240},
    [SCENE_UNTOLD] = {'?', "not told", 245},
    [PADDING] = {'+', "padding", 117},
};

struct cell {
    size_t bytes[KINDS];
};

void scene_text_legend(FILE *out, bool colored)
{
    for (int k = 0; k < KINDS; k++) {
        if (colored)
            fprintf(out, "\033[38;5;%dm%c\033[0m", looks[k].color,
                    looks[k].mark);
        else
            fputc(looks[k].mark, out);
        fprintf(out, " %s%s", looks[k].name, k < KINDS - 1 ? "   " : "");
    }
    fputs(colored ? "\033[K\n" : "\n", out);
}

/* Addresses without what lies far from any piece. */
static size_t span(const struct scene_piece *pieces, size_t n)
{
    size_t sum = 0;
    uintptr_t end = n ? pieces[0].at : 0;
    for (size_t i = 0; i < n; i++) {
        uintptr_t at = pieces[i].at;
        sum += at > end && at - end < SCENE_GAP ? at - end : 0;
        sum += pieces[i].size;
        end = at + pieces[i].size;
    }
    return sum;
}

static void count(struct cell *cells, size_t unit, size_t from, size_t size,
                  int kind)
{
    size_t to = from + size;
    while (from < to && from / unit < CELLS) {
        size_t end = (from / unit + 1) * unit;
        end = end < to ? end : to;
        cells[from / unit].bytes[kind] += end - from;
        from = end;
    }
}

static void fill(struct cell *cells, size_t unit,
                 const struct scene_piece *pieces, size_t n)
{
    size_t place = 0;
    uintptr_t end = n ? pieces[0].at : 0;
    for (size_t i = 0; i < n; i++) {
        const struct scene_piece *p = &pieces[i];
        place += p->at > end && p->at - end < SCENE_GAP ? p->at - end : 0;
        end = p->at + p->size;
        size_t head = p->head, asked = p->size - head;
        if (p->state == SCENE_LIVE && p->asked < asked)
            asked = p->asked;
        count(cells, unit, place, head, SCENE_OWN);
        count(cells, unit, place + head, asked, (int)p->state);
        count(cells, unit, place + head + asked, p->size - head - asked,
              PADDING);
        place += p->size;
    }
}

/* What most of the cell's bytes are; -1: it has none. */
static int most(const struct cell *c)
{
    int best = -1;
    for (int k = 0; k < KINDS; k++)
        if (c->bytes[k] && (best < 0 || c->bytes[k] > c->bytes[best]))
            best = k;
    return best;
}

static void put_row(FILE *out, const struct cell *row, bool colored)
{
    int before = -1;
    for (size_t i = 0; i < SCENE_COLUMNS; i++) {
        int kind = most(&row[i]);
        if (colored && kind >= 0 && kind != before)
            fprintf(out, "\033[38;5;%dm", looks[kind].color);
        fputc(kind < 0 ? ' ' : looks[kind].mark, out);
        before = kind < 0 ? before : kind;
    }
    fputs(colored ? "\033[0m|\033[K\n" : "|\n", out);
}

size_t scene_text_unit(const struct scene_piece *pieces, size_t n, size_t unit)
{
    size_t whole = span(pieces, n);
    while (unit * CELLS < whole)
        unit *= 2;
    return unit;
}

void scene_text_draw(FILE *out, const struct scene_piece *pieces, size_t n,
                     size_t unit, bool colored)
{
    static struct cell cells[CELLS];
    memset(cells, 0, sizeof cells);
    fill(cells, unit, pieces, n);
    for (size_t row = 0; row < SCENE_ROWS; row++)
        put_row(out, cells + row * SCENE_COLUMNS, colored);
}
