/* hooks.c - mmap, munmap, mremap, madvise and mprotect that allocate
 * themselves, as those do that libraries of MPI, UCX and profilers put before
 * the C library's: malloc is called from inside its own system calls.
 *
 * What is made inside is freed outside, and the other way round. */
#include "conform.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define KEPT 5 /* blocks that a thread's hooks keep for a while */

static _Atomic size_t hooked; /* calls */
static __thread unsigned depth, turn;
static __thread char *kept[KEPT];
static __thread size_t kept_sizes[KEPT];

/* Blocks on their way in, and out: strings of PASSED bytes. */
static char *_Atomic passed_in, *_Atomic passed_out;
#define PASSED 100

static char *string_make(void)
{
    char *s = malloc(PASSED);
    demand(s);
    return memset(s, 'p', PASSED);
}

static void string_free(char *s, bool resize)
{
    if (!s)
        return;
    demand(malloc_usable_size(s) >= PASSED);
    if (resize)
        demand((s = realloc(s, 7 * KIB)));
    demand(filled(s, PASSED, 'p'));
    free(s);
}

/* ---- inside ------------------------------------------------------------ */

static void inside_resize(void)
{
    char *s = malloc(24);
    demand(s && aligned(s, 16));
    memset(s, 'r', 24);
    demand((s = realloc(s, 5000)));
    demand(filled(s, 24, 'r'));
    memset(s, 'r', 5000);
    demand((s = realloc(s, 10)));
    demand(filled(s, 10, 'r'));
    free(s);
}

static void inside_others(void)
{
    char *zeros = calloc(3, 111), *page = aligned_alloc(4096, 100), *none;
    demand(zeros && filled(zeros, 333, 0));
    memset(zeros, 'z', 333);
    demand(page && aligned(page, 4096));
    demand(malloc_usable_size(page) >= 100);
    memset(page, 'a', malloc_usable_size(page));
    free(zeros);
    free(page);
    demand((none = malloc(0)));
    demand(realloc(none, 0) == NULL);
    free(NULL);
}

static void inside_keep(void)
{
    unsigned i = turn++ % KEPT;
    if (kept[i])
        demand(filled(kept[i], kept_sizes[i], (unsigned char)i));
    free(kept[i]);
    kept_sizes[i] = turn % 64 == 0 ? 5 * MIB : turn % 17 * 40;
    demand((kept[i] = malloc(kept_sizes[i])));
    memset(kept[i], (int)i, kept_sizes[i]);
}

/* What allocates inside goes to the kernel itself. errno stays. */
static void hook(void)
{
    int saved = errno;
    if (depth > 1) /* to say what went wrong takes memory, too */
        return;
    demand(++depth == 1);
    hooked++;
    inside_resize();
    inside_others();
    inside_keep();
    string_free(atomic_exchange(&passed_in, NULL), turn % 2);
    string_free(atomic_exchange(&passed_out, string_make()), turn % 2);
    mallinfo2();
    malloc_trim(0);
    depth--;
    errno = saved;
}

/* ---- the hooks --------------------------------------------------------- */

void *mmap(void *at, size_t size, int protection, int flags, int file, off_t o)
{
    hook();
    return (void *)syscall(SYS_mmap, at, size, protection, flags, file, o);
}

int munmap(void *p, size_t size)
{
    hook();
    return (int)syscall(SYS_munmap, p, size);
}

void *mremap(void *p, size_t old_size, size_t size, int flags, ...)
{
    hook();
    va_list rest;
    va_start(rest, flags);
    void *at = flags & MREMAP_FIXED ? va_arg(rest, void *) : NULL;
    va_end(rest);
    return (void *)syscall(SYS_mremap, p, old_size, size, flags, at);
}

int madvise(void *p, size_t size, int advice)
{
    hook();
    int failed = (int)syscall(SYS_madvise, p, size, advice);
    if (!failed)
        hook(); /* one may do its work when all is done */
    return failed;
}

int mprotect(void *p, size_t size, int protection)
{
    hook();
    return (int)syscall(SYS_mprotect, p, size, protection);
}

/* ---- outside ----------------------------------------------------------- */

#define NBLOCKS 3000

static size_t block_size(size_t i)
{
    return i % 500 == 0 ? 200 * KIB : 10 + i * 7 % 700;
}

static void use_blocks(void)
{
    char **blocks = calloc(NBLOCKS, sizeof *blocks);
    demand(blocks);
    for (size_t i = 0; i < NBLOCKS; i++) {
        demand((blocks[i] = malloc(block_size(i))));
        memset(blocks[i], (int)(i % 256), block_size(i));
        if (i % 100 == 0)
            string_free(atomic_exchange(&passed_in, string_make()), i % 200);
        if (i % 100 == 50)
            string_free(atomic_exchange(&passed_out, NULL), i % 200 == 50);
    }
    for (size_t i = 0; i < NBLOCKS; i++) {
        demand(filled(blocks[i], block_size(i), (unsigned char)(i % 256)));
        free(blocks[i]);
    }
    free(blocks);
}

/* Blocks that are mappings of their own, or nearly all of the heap. */
static void use_large(void)
{
    char *p = NULL;
    for (size_t size = 300 * KIB; size < 12 * MIB; size = size * 2 + 1) {
        demand((p = realloc(p, size)));
        memset(p, 'l', size);
    }
    demand((p = realloc(p, 9 * MIB)) && filled(p, 9 * MIB, 'l'));
    demand((p = realloc(p, 100)) && filled(p, 100, 'l'));
    free(p);
    demand((p = calloc(1, 5 * MIB)) && filled(p, 5 * MIB, 0));
    free(p);
    demand((p = memalign(64 * KIB, MIB)) && aligned(p, 64 * KIB));
    free(p);
}

static void *use_all(void *unused)
{
    for (int left = rounds(4, 2); left > 0; left--) {
        use_blocks();
        use_large();
        malloc_trim(0);
    }
    for (unsigned i = 0; i < KEPT; i++) {
        char *p = kept[i];
        kept[i] = NULL; /* a hook of this free may keep another there */
        free(p);
    }
    return unused;
}

static void from_one_thread(void)
{
    size_t before = hooked;
    use_all(NULL);
    demand(hooked > before);
}

static void from_several_threads(void)
{
    enum { N = 4 };
    pthread_t threads[N];
    for (int i = 0; i < N; i++)
        demand(pthread_create(&threads[i], NULL, use_all, NULL) == 0);
    for (int i = 0; i < N; i++)
        demand(pthread_join(threads[i], NULL) == 0);
}

/* In a new program: the library starts inside of the first one. */
static void first_call(void)
{
    execl("/proc/self/exe", "hooks", "--first", NULL);
    demand(!"exec");
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc == 2) {
        free(malloc(10));
        demand(hooked);
        use_all(NULL);
        return 0;
    }
    contract("C68 mmap and the like may allocate when malloc calls them",
             from_one_thread);
    contract("C69 they may when the very first malloc calls them", first_call);
    contract("C70 they may in several threads", from_several_threads);
    return contracts_broken;
}
