/* scene_page.c - see scene_page.h. */
#include "driver/report/scene_page.h"

#include <stdlib.h>
#include <string.h>

/* The template, as a string. */
__asm__(".section .rodata\n"
        ".global scene_page_html\n"
        "scene_page_html: .incbin \"driver/report/scene_page.html\"\n"
        ".byte 0\n"
        ".previous\n");
extern const char scene_page_html[];

#define DATA_HERE "@DATA@"

/* As JSON that may stand in a script: no `<`. */
static void put_string(FILE *out, const char *s)
{
    fputc('"', out);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c < 32 || c == '"' || c == '\\' || c == '<' || c == 127)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

void scene_frame(struct scene_shared *shared, FILE *out,
                 const struct scene_moment *moment)
{
    fprintf(out, "[%zu,%zu,%zu,", moment->ops, moment->payload, moment->heap);
    scene_print_change(moment->scene, shared->base, out);
    fputs("]\n", out);
    fflush(out); /* the allocator may crash next */
}

/* ---- the trace ----------------------------------------------------------- */

static long long op_id(const struct trace *t, size_t i)
{
    return t->ops[i].id == TRACE_NO_ID ? -1 : (long long)t->ops[i].id;
}

static long long op_size(const struct trace *t, size_t i)
{
    return (long long)t->ops[i].size;
}

static long long op_thread(const struct trace *t, size_t i)
{
    return t->ops[i].thread;
}

static long long op_line(const struct trace *t, size_t i)
{
    return trace_line(t, i);
}

static void put_column(FILE *out, const char *name, const struct trace *t,
                       long long (*of)(const struct trace *, size_t))
{
    fprintf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < t->nops; i++)
        fprintf(out, i ? ",%lld" : "%lld", of(t, i));
    fputc(']', out);
}

static void put_trace(FILE *out, const struct trace *t)
{
    static const char letters[] = {[TRACE_MALLOC] = 'a',
                                   [TRACE_CALLOC] = 'c',
                                   [TRACE_MEMALIGN] = 'm',
                                   [TRACE_REALLOC] = 'r',
                                   [TRACE_FREE] = 'f'};
    fputs("{\"name\":", out);
    put_string(out, t->name);
    fputs(",\"path\":", out);
    put_string(out, t->path);
    fprintf(out, ",\"ops\":%zu,\"threads\":%u,\"kinds\":\"", t->nops,
            t->nthreads);
    for (size_t i = 0; i < t->nops; i++)
        fputc(letters[t->ops[i].kind], out);
    fputc('"', out);
    put_column(out, "ids", t, op_id);
    put_column(out, "sizes", t, op_size);
    put_column(out, "by", t, op_thread);
    put_column(out, "lines", t, op_line);
    fputc('}', out);
}

/* ---- allocators ---------------------------------------------------------- */

static void put_frames(FILE *out, FILE *frames)
{
    char *line = NULL;
    size_t room = 0;
    const char *comma = "";
    rewind(frames);
    for (ssize_t n; (n = getline(&line, &room, frames)) > 0; comma = ",\n") {
        if (line[n - 1] != '\n')
            break; /* it ended amid a frame */
        line[n - 1] = '\0';
        fprintf(out, "%s%s", comma, line);
    }
    free(line);
}

static void put_fault(FILE *out, const struct scene_shared *shared)
{
    int kind = atomic_load_explicit(&shared->fault.kind, memory_order_acquire);
    if (kind == FAULT_NONE) {
        fputs("null", out);
        return;
    }
    fputs("{\"kind\":", out);
    put_string(out, fault_name(kind));
    fputs(",\"text\":", out);
    put_string(out, shared->fault.text);
    fprintf(out, ",\"op\":%zu,\"marks\":[", atomic_load(&shared->op));
    for (unsigned i = 0; i < shared->nmarks; i++) {
        const struct scene_piece *p = &shared->marks[i];
        fprintf(out, "%s[%lld,%zu,%u]", i ? "," : "",
                (long long)(p->at - shared->base), p->size, p->id);
    }
    fputs("]}", out);
}

static void put_heap(FILE *out, const struct scene_heap *h)
{
    fputs("{\"allocator\":", out);
    put_string(out, h->a->name);
    fputs(",\"summary\":", out);
    put_string(out, h->a->summary);
    fprintf(out, ",\"tells\":%s,\"base\":%llu,\"fault\":",
            h->a->walk ? "true" : "false", (unsigned long long)h->shared->base);
    put_fault(out, h->shared);
    fputs(",\"frames\":[\n", out);
    put_frames(out, h->frames);
    fputs("]}", out);
}

void scene_page(FILE *out, const char *command, const struct trace *t,
                const struct scene_heap *heaps, unsigned n)
{
    const char *here = strstr(scene_page_html, DATA_HERE);
    fwrite(scene_page_html, 1, (size_t)(here - scene_page_html), out);
    fputs("{\"format\":\"mdriver-watch 1\",\"command\":", out);
    put_string(out, command);
    fputs(",\"trace\":", out);
    put_trace(out, t);
    fputs(",\"heaps\":[", out);
    for (unsigned i = 0; i < n; i++) {
        fputs(i ? "," : "", out);
        put_heap(out, &heaps[i]);
    }
    fputs("]}", out);
    fputs(here + strlen(DATA_HERE), out);
}
