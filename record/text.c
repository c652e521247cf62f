/* text.c - prints a trace: what it is and what it lacks, then its operations.
 *
 * Threads are renumbered as they come, so that none is without operations;
 * beyond 256, number n is folded onto n modulo 256. That keeps the order on
 * every block, and only lets fewer threads run at once than the program had. */
#include "record/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define ZSTD_LEVEL 19
#define MAX_THREADS 32768  /* as recorded */
#define COMMAND_WIDTH 1000 /* bytes of it that are shown */

/* ---- compression ------------------------------------------------------ */

struct zfile {
    FILE *out;
    ZSTD_CCtx *z;
};

static bool zpush(struct zfile *f, const char *p, size_t size,
                  ZSTD_EndDirective how)
{
    char buffer[1 << 14];
    ZSTD_inBuffer in = {p, size, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {buffer, sizeof buffer, 0};
        left = ZSTD_compressStream2(f->z, &out, &in, how);
        if (ZSTD_isError(left) || fwrite(buffer, 1, out.pos, f->out) != out.pos)
            return false;
    } while (how == ZSTD_e_end ? left != 0 : in.pos < in.size);
    return true;
}

static ssize_t zwrite(void *cookie, const char *p, size_t size)
{
    return zpush(cookie, p, size, ZSTD_e_continue) ? (ssize_t)size : 0;
}

static int zclose(void *cookie)
{
    struct zfile *f = cookie;
    bool ok = zpush(f, NULL, 0, ZSTD_e_end);
    ZSTD_freeCCtx(f->z);
    ok = fclose(f->out) == 0 && ok;
    free(f);
    return ok ? 0 : EOF;
}

bool text_is_zst(const char *path)
{
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".zst") == 0;
}

FILE *text_open(const char *path, bool zst)
{
    FILE *out = fopen(path, "we");
    if (!out || !zst)
        return out;
    struct zfile *f = calloc(1, sizeof *f);
    ZSTD_CCtx *z = ZSTD_createCCtx();
    if (!f || !z) {
        fclose(out);
        errno = ENOMEM;
        return NULL;
    }
    ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
    *f = (struct zfile){out, z};
    return fopencookie(
        f, "w", (cookie_io_functions_t){.write = zwrite, .close = zclose});
}

/* ---- the head --------------------------------------------------------- */

static bool plain(const char *word)
{
    const char *safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                       "0123456789_-+=./,:@%^";
    return *word && word[strspn(word, safe)] == '\0';
}

void text_print_command(FILE *out, const struct log_header *h, size_t width)
{
    size_t size = h->command_size < width ? h->command_size : width;
    for (size_t i = 0; i < size; i += strlen(h->command + i) + 1) {
        const char *word = h->command + i, *quote = plain(word) ? "" : "'";
        fprintf(out, "%s%s", i ? " " : "", quote);
        for (const char *p = word; *p && p < h->command + size; p++)
            fputc(*p < ' ' || *p > '~' ? ' ' : *p, out);
        fputs(quote, out);
    }
    if (size < h->command_size)
        fputs(" ...", out);
}

static void print_stop(FILE *out, const struct log_header *head)
{
    if (head->stop_reason == STOP_DISK)
        fprintf(out, "# TRUNCATED: the log could not grow: %s\n",
                strerror((int)head->stop_errno));
    if (head->stop_reason == STOP_THREADS)
        fprintf(out, "# TRUNCATED: more than %d threads at once\n",
                MAX_THREADS);
}

/* Whatever makes the trace other than what the program did. */
static void print_notes(FILE *out, const struct conversion *c)
{
    const struct {
        uint64_t n;
        const char *what;
    } notes[] = {
        {c->skip, "events before the trace starts skipped"},
        {c->inherited, "blocks lived already at the start, by fork or skipped "
                       "events: they are allocated first"},
        {c->cut, "further events cut off at the end"},
        {c->balanced, "blocks left by the program: the last operations"},
        {c->unknown, "frees or reallocs of blocks of unknown origin dropped"},
        {c->unseen, "frees not seen, put in where the address was used again"},
        {c->failed, "requests that failed dropped"},
        {c->killed, "operations under way when the process ended are lost"},
    };
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        if (notes[i].n)
            fprintf(out, "# %" PRIu64 " %s\n", notes[i].n, notes[i].what);
}

/* ---- operations ------------------------------------------------------- */

/* number[t]: 1 + the trace's number for recorded thread t. */
static unsigned number_threads(const struct conversion *c, uint16_t *number)
{
    unsigned n = 0;
    for (size_t i = 0; i < c->nops; i++) {
        uint16_t *t = &number[c->ops[i].thread];
        if (!*t)
            *t = (uint16_t)(n++ % TEXT_MAX_THREADS + 1);
    }
    return n;
}

static void print_op(FILE *out, const struct op *op)
{
    switch (op->letter) {
    case 'c':
        /* An element size that did not fit the log: one big element. */
        fprintf(out, "c %u %" PRIu64 " %" PRIu64 "\n", op->id,
                op->elem ? op->size / op->elem : 1,
                op->elem ? op->elem : op->size);
        break;
    case 'm':
        fprintf(out, "m %u %" PRIu64 " %" PRIu64 "\n", op->id,
                (uint64_t)1 << op->align, op->size);
        break;
    case 'f':
        if (op->id == OP_NO_ID)
            fputs("f -1\n", out);
        else
            fprintf(out, "f %u\n", op->id);
        break;
    default: fprintf(out, "%c %u %" PRIu64 "\n", op->letter, op->id, op->size);
    }
}

unsigned text_write(FILE *out, const struct conversion *c, const char *note)
{
    static uint16_t number[MAX_THREADS];
    memset(number, 0, sizeof number);
    unsigned threads = number_threads(c, number);
    fputs("mmtrace 1\n", out);
    fputs("# ", out);
    text_print_command(out, &c->head, COMMAND_WIDTH);
    fputc('\n', out);
    if (note)
        fprintf(out, "# %s\n", note);
    print_stop(out, &c->head);
    print_notes(out, c);
    if (threads > TEXT_MAX_THREADS) {
        fprintf(out, "# %u threads folded to %d\n", threads, TEXT_MAX_THREADS);
        threads = TEXT_MAX_THREADS;
    }
    fprintf(out, "ids %u\nops %zu\nthreads %u\n", c->nids, c->nops, threads);
    unsigned now = 1;
    for (size_t i = 0; i < c->nops; i++) {
        unsigned of = number[c->ops[i].thread];
        if (of != now)
            fprintf(out, "@%u\n", of - 1);
        now = of;
        print_op(out, &c->ops[i]);
    }
    return threads;
}
