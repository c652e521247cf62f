/* family.c - to be recorded: each function of the malloc family, once or so.
 *
 * Every size is one that nobody else asks for: by it the test finds the
 * block. The comments are what the trace must say of it, in this order. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *volatile sink; /* or the compiler drops what is not used */

static void *keep(void *p)
{
    return sink = p;
}

/* What fails is not in the trace. */
static int refused(void *p)
{
    volatile size_t huge = PTRDIFF_MAX;
    if (malloc(huge) || errno != ENOMEM)
        return 3;
    if (realloc(p, huge))
        return 4;
    return reallocarray(p, huge, 16) || calloc(huge, 16) ? 5 : 0;
}

int main(void)
{
    void *p = keep(malloc(100001));       /* a 0 100001 */
    p = keep(realloc(p, 100002));         /* r 0 100002 */
    free(p);                              /* f 0 */
    p = keep(calloc(7, 100003));          /* c 1 7 100003 */
    free(p);                              /* f 1 */
    p = keep(realloc(NULL, 100004));      /* a 2 100004 */
    p = keep(reallocarray(p, 5, 100005)); /* r 2 500025 */
    sink = realloc(p, 0);                 /* f 2 */
    p = keep(memalign(4096, 100006));     /* m 3 4096 100006 */
    free(p);                              /* f 3 */
    p = keep(aligned_alloc(64, 100032));  /* m 4 64 100032 */
    free(p);                              /* f 4 */
    if (posix_memalign(&p, 256, 100007))  /* m 5 256 100007 */
        return 1;
    keep(p);
    if (posix_memalign((void **)&sink, 3, 100008) != EINVAL) /* nothing */
        return 2;
    free(p);                         /* f 5 */
    p = keep(valloc(100009));        /* m 6 page 100009 */
    void *q = keep(pvalloc(200001)); /* m 7 page 200704 */
    free(p);                         /* f 6 */
    free(q);                         /* f 7 */
    free(NULL);                      /* f -1 */

    p = keep(malloc(100010)); /* a 8 100010 */
    int failure = refused(p);
    if (failure)
        return failure;
    p = keep(realloc(p, 100011)); /* r 8 100011 */
    errno = 77;
    free(p); /* f 8 */
    if (errno != 77)
        return 6;
    keep(strdup("x"));
    sink = malloc(100012); /* a 9 100012: never freed */
    return 0;
}
