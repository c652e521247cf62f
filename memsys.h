/* memsys.h - memory's system calls, and what may happen inside them.
 *
 * A library loaded before ours may have mmap, munmap, mremap and madvise of its
 * own: caches of registered memory (MPI, UCX) and profilers want to know which
 * pages come and go. So these calls go through the C library's names. But what
 * such a hook does may allocate, and so come back here, on the same thread. The
 * calls of that inner allocation go to the kernel itself: it would not end
 * otherwise.
 *
 * Nothing here changes errno unless it fails. */
#ifndef MEMSYS_H
#define MEMSYS_H

#include "memlib.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0 /* a hint then */
#endif

/* This thread is inside one of the calls below: in a hook, or in a handler of
 * a signal. Volatile, as the C library declares its functions to be leaves: to
 * the compiler nothing of this file is called from inside them. */
static __thread volatile bool in_call;

static inline void call_begin(void)
{
    in_call = true;
    mem_gate = false;
}

static inline void call_end(void)
{
    in_call = false;
}

static inline void *sys_mmap(void *at, size_t size, int protection, int flags)
{
    flags |= MAP_PRIVATE | MAP_ANONYMOUS;
    if (in_call)
        return (void *)syscall(SYS_mmap, at, size, protection, flags, -1, 0);
    call_begin();
    void *p = mmap(at, size, protection, flags, -1, 0);
    call_end();
    return p;
}

/* membarrier(2): all threads pass a fence; or the process says first that it
 * will ask for that. Its header is not every C library's. */
static inline bool sys_barrier(bool first)
{
    enum { EXPEDITED = 8, REGISTER_EXPEDITED = 16 };
    return syscall(SYS_membarrier, first ? REGISTER_EXPEDITED : EXPEDITED, 0,
                   0) == 0;
}

/* Is there a limit of addresses? */
static inline bool sys_is_limited(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

/* Names of mappings, in /proc/PID/smaps: [anon:NAME]. */
#define NAME_HEAP "libmm: heap"
#define NAME_RECORDS "libmm: records"
#define NAME_BLOCK "libmm: block"

/* Linux 5.17 has them, if it was built so. errno is kept. */
static inline bool sys_names(void *p, size_t size, const char *name)
{
    int saved = errno;
    bool named = prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, size, name) == 0;
    errno = saved;
    return named;
}

/* Name what was just mapped, if that is wanted, and works. */
static inline void sys_name(void *p, size_t size, const char *name)
{
    if (atomic_load_explicit(&mem_options.names, memory_order_relaxed))
        sys_names(p, size, name);
}

/* Does the kernel look at advice at all? qemu-user (7.2) takes any, and does
 * nothing then. For the kernel only: no hook should see advice that is none. */
static inline bool sys_heeds_advice(void *p, size_t size)
{
    int saved = errno;
    bool heeds = syscall(SYS_madvise, p, size, -1) != 0;
    errno = saved;
    return heeds;
}

static inline int sys_munmap(void *p, size_t size)
{
    if (in_call)
        return (int)syscall(SYS_munmap, p, size);
    call_begin();
    int failed = munmap(p, size);
    call_end();
    return failed;
}

#if defined __SANITIZE_THREAD__
/* ThreadSanitizer forgets what was done at an address when mmap gives it anew,
 * but knows nothing of mremap: so mmap chooses the place here. */
static inline void *move_pages(void *p, size_t old_size, size_t new_size)
{
    void *at =
        mmap(NULL, new_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return at;
    void *q = mremap(p, old_size, new_size, MREMAP_MAYMOVE | MREMAP_FIXED, at);
    if (q == MAP_FAILED)
        munmap(at, new_size);
    return q;
}
#else
static inline void *move_pages(void *p, size_t old_size, size_t new_size)
{
    return mremap(p, old_size, new_size, MREMAP_MAYMOVE);
}
#endif

/* The pages may move. */
static inline void *sys_mremap(void *p, size_t old_size, size_t new_size)
{
    if (in_call)
        return (void *)syscall(SYS_mremap, p, old_size, new_size,
                               MREMAP_MAYMOVE);
    call_begin();
    void *q = move_pages(p, old_size, new_size);
    call_end();
    return q;
}

static inline int sys_madvise(void *p, size_t size, int advice)
{
    if (in_call)
        return (int)syscall(SYS_madvise, p, size, advice);
    call_begin();
    int failed = madvise(p, size, advice);
    call_end();
    return failed;
}

static inline void sys_zero(void *p, size_t size)
{
    if (size && sys_madvise(p, size, MADV_DONTNEED) != 0)
        memset(p, 0, size); /* pages locked into memory stay */
}

#endif
