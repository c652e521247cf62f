/* preload_dlopen.c - dlopen without RTLD_DEEPBIND, and no handler of fork that
 * is registered beside a fork (mm/fork.h); a part of each libmm-NAME.so.
 *
 * A library that is opened with this flag looks its names up in itself and its
 * dependencies first: its free is libc's, and gets blocks of ours; php 8.2
 * opens its extensions so. Without the flag it finds what the program finds. It
 * loses what it asked for: where it and the program have a name in common, it
 * gets the program's. LIBMM_DEBUG=1 in the environment tells, once for a
 * process.
 *
 * The caller of dlopen decides where it looks ($ORIGIN, RUNPATH, the
 * namespace), and libc knows it by the return address: hence the tail calls,
 * which leave it. A namespace of its own (dlmopen) has a libc, and so a malloc,
 * of its own: there the flag does no harm, and stays.
 *
 * librecord.so has it, too: else it would miss what such a library does. It is
 * no part of libmm.a: a static program has no dlopen that comes next. Nor has
 * musl anything of this: neither the flag nor namespaces. */
#include "mm/util.h"

#include <dlfcn.h>
#include <stdatomic.h>

#ifdef RTLD_DEEPBIND

#define EXPORT __attribute__((visibility("default")))
#ifdef __clang__
#define TAIL_CALLS
#define TAIL_CALL __attribute__((musttail)) return
#else
#define TAIL_CALLS __attribute__((optimize("O2"))) /* also under -O0 */
#define TAIL_CALL return
#endif

typedef void *open_fn(const char *file, int mode);
typedef void *open_in_fn(Lmid_t space, const char *file, int mode);

static cold_noinline void tell_of_deepbind(const char *file)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    const char *debug = secure_getenv("LIBMM_DEBUG");
    if (!debug || !*debug || atomic_flag_test_and_set(&told))
        return;
    struct line l = {.len = 0};
    line_str(&l, "mm: dlopen without RTLD_DEEPBIND, so that the library's "
                 "malloc is this one: ");
    line_str(&l, file ? file : "the program");
    line_write(&l);
}

static int without_deepbind(const char *file, int mode)
{
    if (mode & RTLD_DEEPBIND)
        tell_of_deepbind(file);
    return mode & ~RTLD_DEEPBIND;
}

/* The function of this name that ours stands before. Looked up each time: that
 * is nothing beside what it then does. */
static void *next_function(const char *name)
{
    void *f = dlsym(RTLD_NEXT, name);
    if (!f)
        mm_die("the C library has no function that comes next", name);
    return f;
}

EXPORT TAIL_CALLS void *dlopen(const char *file, int mode)
{
    open_fn *next = (open_fn *)(uintptr_t)next_function("dlopen");
    mode = without_deepbind(file, mode);
    TAIL_CALL next(file, mode);
}

EXPORT TAIL_CALLS void *dlmopen(Lmid_t space, const char *file, int mode)
{
    open_in_fn *next = (open_in_fn *)(uintptr_t)next_function("dlmopen");
    if (space == LM_ID_BASE)
        mode = without_deepbind(file, mode);
    TAIL_CALL next(space, file, mode);
}

/* ---- handlers of fork ------------------------------------------------ */

/* preload.c's; the recorder has none. */
#define HIDDEN_WEAK __attribute__((weak, visibility("hidden")))
HIDDEN_WEAK bool preload_registers(void);
HIDDEN_WEAK void preload_registered(bool held);

/* What pthread_atfork calls, in glibc. */
typedef int register_fn(void (*prepare)(void), void (*parent)(void),
                        void (*child)(void), void *library);
register_fn __register_atfork;

EXPORT int __register_atfork(void (*prepare)(void), void (*parent)(void),
                             void (*child)(void), void *library)
{
    register_fn *next =
        (register_fn *)(uintptr_t)next_function("__register_atfork");
    bool held = preload_registers && preload_registers();
    int failed = next(prepare, parent, child, library);
    if (preload_registered)
        preload_registered(held);
    return failed;
}

#endif
