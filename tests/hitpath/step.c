/* step.c - makes single calls of malloc and free, and prints the address of
 * every instruction on the way, for scripts/hitpath.py.
 *
 *   LD_PRELOAD=./libmm-arena.so build/tests/hitpath/step SIZE...
 *   base 0x7f0000000000          where the library lies that malloc comes from
 *   malloc 24 0x7f0000001230 ...
 *   free 24 0x7f0000001450 ...
 *
 * The processor does it: with its trap flag set it raises SIGTRAP after each
 * instruction. Another thread lives meanwhile, since allocators may leave out
 * their locks in a process that has one only; and many blocks of each size were
 * made before, and half of them freed: each call is one that a cache can serve,
 * of a size that has earned what the allocator has for busy ones. */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unistd.h>

enum { MOST = 100000, WARM_BYTES = 128 << 10, WARM = WARM_BYTES / 8 };

static uintptr_t way[MOST]; /* addresses, in order */
static volatile size_t length;

static void on_step(int number, siginfo_t *info, void *context)
{
    const ucontext_t *at = context;
    (void)number;
    (void)info;
    if (length < MOST)
        way[length++] = (uintptr_t)at->uc_mcontext.gregs[REG_RIP];
}

/* The trap flag is bit 8; what lies below the stack's end is in use. */
#define SET_FLAGS(operation)                                                   \
    __asm__ volatile("lea -128(%%rsp), %%rsp\n\t"                              \
                     "pushfq\n\t" operation " (%%rsp)\n\t"                     \
                     "popfq\n\t"                                               \
                     "lea 128(%%rsp), %%rsp" ::                                \
                         : "memory", "cc")

static void *step_malloc(size_t size)
{
    length = 0;
    SET_FLAGS("orq $0x100,");
    void *p = malloc(size);
    SET_FLAGS("andq $~0x100,");
    return p;
}

static void step_free(void *p)
{
    length = 0;
    SET_FLAGS("orq $0x100,");
    free(p);
    SET_FLAGS("andq $~0x100,");
}

static void print_way(const char *function, size_t size)
{
    printf("%s %zu", function, size);
    for (size_t i = 0; i < length; i++)
        printf(" %#lx", way[i]);
    puts("");
}

static void step_both(size_t size)
{
    static void *blocks[WARM];
    size_t n = WARM_BYTES / (size < 8 ? 8 : size) + 1;
    n = n > WARM ? WARM : n;
    for (size_t i = 0; i < n; i++)
        blocks[i] = malloc(size);
    for (size_t i = 0; i < n / 2; i++)
        free(blocks[i]);
    free(malloc(size));
    void *p = step_malloc(size);
    print_way("malloc", size);
    step_free(p);
    print_way("free", size);
}

static void *live(void *unused)
{
    for (;;)
        pause();
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t other;
    Dl_info library;
    struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
    if (sigaction(SIGTRAP, &action, NULL) ||
        pthread_create(&other, NULL, live, NULL) ||
        !dladdr(dlsym(RTLD_DEFAULT, "malloc"), &library)) {
        perror("step");
        return 1;
    }
    printf("base %p\n", library.dli_fbase);
    for (int i = 1; i < argc; i++)
        step_both(strtoul(argv[i], NULL, 0));
    return 0;
}
