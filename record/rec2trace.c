/* rec2trace.c - turns one event log of librecord.so into a trace file.
 *
 * scripts/record.sh calls it for every log of a recording. Exit status:
 * 0 done, 1 wrong usage, 2 nothing written, 3 written, but the recording had
 * to stop before the program did (the trace says so, too), 4 nothing written
 * because nothing was recorded. */
#include "record/text.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM_WIDTH 60 /* bytes of a command in a message */

enum { DONE, USAGE, NOTHING, STOPPED, EMPTY };

static const char usage[] =
    "usage: rec2trace [options] -o TRACE LOG\n"
    "  -o TRACE         the file to write; a name in .zst is compressed\n"
    "  -n, --max-ops N  stop after N operations\n"
    "  -s, --skip N     start N events later, with the blocks that live then\n"
    "  -b, --balance    free at the end what the program left\n"
    "      --no-inherited  drop what a forked child had from its parent\n"
    "  -c, --comment TEXT  one more comment line in the trace\n"
    "  -h, --help\n";

struct options {
    const char *out, *comment, *log;
    struct conversion c;
};

/* @return true and the number, or false. */
static bool read_count(const char *text, size_t *n)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    if (errno || *end || end == text || *text == '-' || v == 0)
        return false;
    *n = (size_t)v;
    return true;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"max-ops", required_argument, NULL, 'n'},
        {"skip", required_argument, NULL, 's'},
        {"balance", no_argument, NULL, 'b'},
        {"no-inherited", no_argument, NULL, 'i'},
        {"comment", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    o->c.inherit = true;
    int ch;
    while ((ch = getopt_long(argc, argv, "o:n:s:bc:h", longs, NULL)) != -1)
        switch (ch) {
        case 'o': o->out = optarg; break;
        case 'b': o->c.balance = true; break;
        case 'i': o->c.inherit = false; break;
        case 'c': o->comment = optarg; break;
        case 'n':
        case 's':
            if (read_count(optarg, ch == 'n' ? &o->c.max_ops : &o->c.skip))
                break;
            fprintf(stderr,
                    "rec2trace: -%c: found %s, expected a number of "
                    "operations from 1\n",
                    ch, optarg);
            return false;
        case 'h': fputs(usage, stdout); exit(DONE);
        default: return false;
        }
    o->log = argv[optind];
    return o->out && o->log && !argv[optind + 1];
}

/* Why there is nothing: what is known, before what may be guessed. */
static void report_empty(const struct options *o)
{
    const struct log_header *head = &o->c.head;
    fprintf(stderr, "rec2trace: %s: no operations of ", o->log);
    text_print_command(stderr, head, PROGRAM_WIDTH);
    if (head->stop_reason == STOP_DISK)
        fprintf(stderr, ": its log could not grow: %s%s\n",
                strerror((int)head->stop_errno),
                head->stop_errno == EFBIG ? " (ulimit -f)" : "");
    else if (head->parent[0])
        fputs(" after the fork\n", stderr);
    else
        fputs(": does it bring its own malloc?\n", stderr);
}

/* Write beside the file and rename: there is no half a trace. */
static int write_trace(const struct options *o, unsigned *threads)
{
    char part[4096 + 16];
    snprintf(part, sizeof part, "%.4096s.part", o->out);
    FILE *out = text_open(part, text_is_zst(o->out));
    if (!out)
        return -1;
    *threads = text_write(out, &o->c, o->comment);
    bool bad = ferror(out) != 0;
    if (fclose(out) != 0 || bad || rename(part, o->out) != 0) {
        int err = errno;
        unlink(part);
        errno = err;
        return -1;
    }
    return 0;
}

static void report(const struct options *o, unsigned threads)
{
    printf("%s: %zu operations of %u thread%s, %.1f MB peak, %" PRIu64
           " cross-thread frees",
           o->out, o->c.nops, threads, threads == 1 ? "" : "s",
           (double)o->c.peak / 1e6, o->c.cross);
    if (o->c.left)
        printf(", %" PRIu64 " blocks left", o->c.left);
    printf("; by ");
    text_print_command(stdout, &o->c.head, PROGRAM_WIDTH);
    printf("\n");
}

static int convert(struct options *o)
{
    char err[512];
    unsigned threads;
    if (convert_log(&o->c, o->log, err, sizeof err) < 0) {
        fprintf(stderr, "rec2trace: %s\n", err);
        return NOTHING;
    }
    if (o->c.nops == 0) {
        report_empty(o);
        return EMPTY;
    }
    if (write_trace(o, &threads) < 0) {
        fprintf(stderr, "rec2trace: %s: %s\n", o->out, strerror(errno));
        return NOTHING;
    }
    report(o, threads);
    if (!o->c.head.stop_reason)
        return DONE;
    fprintf(stderr, "rec2trace: %s: TRUNCATED: the recording had to stop\n",
            o->out);
    return STOPPED;
}

int main(int argc, char **argv)
{
    struct options o = {0};
    if (!read_options(argc, argv, &o)) {
        fputs(usage, stderr);
        return USAGE;
    }
    int status = convert(&o);
    free(o.c.ops);
    return status;
}
