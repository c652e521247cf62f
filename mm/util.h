/* util.h - alignment, bits, contracts, and the two ways to report.
 *
 * Used by every file of the allocator; knows nothing of any of them. It never
 * allocates and uses no stdio: it runs while the heap is broken. */
#ifndef MM_UTIL_H
#define MM_UTIL_H

#include "hint.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALIGN ((size_t)16) /* bytes: every payload and every block size */

/* Requests above this fail: a difference of pointers must fit ptrdiff_t. */
#define MAX_REQUEST ((size_t)PTRDIFF_MAX)

/* 1 in a debug build (make DEBUG=1): contracts cost time. Always compiled. */
#ifndef MM_DEBUG
#define MM_DEBUG 0
#endif

#define cold_noinline __attribute__((noinline, cold))
/* From here the compiler knows nothing of what p is. */
#define hide(p) __asm__("" : "+r"(p))

static always_inline size_t round_up(size_t n, size_t align)
{
    return (n + align - 1) & ~(align - 1);
}

static always_inline size_t round_down(size_t n, size_t align)
{
    return n & ~(align - 1);
}

static always_inline size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static always_inline size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* floor(log2(n)); n > 0 */
static always_inline unsigned log2_floor(size_t n)
{
    return 63 - (unsigned)__builtin_clzl(n);
}

static inline void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

/* No handler of this thread runs until signals_restore. @return for that */
static inline uint64_t signals_block(void)
{
    uint64_t all = ~(uint64_t)0, before = 0;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, &before, sizeof all);
    return before;
}

static inline void signals_restore(uint64_t before)
{
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
}

/* A line being put together without stdio, for mm_die and the checks. */
struct line {
    char text[240];
    size_t len;
};

static inline void line_str(struct line *l, const char *s)
{
    while (*s && l->len < sizeof l->text - 1)
        l->text[l->len++] = *s++;
}

/* Of a long s its beginning: room stays for what comes behind it. */
static inline void line_str_most(struct line *l, const char *s, size_t most)
{
    size_t n = 0;
    while (s[n] && n < most && l->len < sizeof l->text - 1)
        l->text[l->len++] = s[n++];
    line_str(l, s[n] ? "..." : "");
}

static inline void line_num(struct line *l, uint64_t n, unsigned base)
{
    char digits[24];
    unsigned i = sizeof digits - 1;
    digits[i] = '\0';
    do {
        digits[--i] = "0123456789abcdef"[n % base];
        n /= base;
    } while (n && i);
    line_str(l, base == 16 ? "0x" : "");
    line_str(l, digits + i);
}

/* One write, so that lines of several threads do not mix; and not by the C
 * library's, where a thread may be cancelled. */
static inline void line_write(struct line *l)
{
    l->text[l->len++] = '\n';
    syscall(SYS_write, STDERR_FILENO, l->text, l->len);
}

/* Where it is defined and true, damage ends the process with this status, not
 * by a signal: no core dump, no handler (preload_options.h). */
#define DIE_STATUS 134
extern __attribute__((weak, visibility("hidden"))) bool mm_die_quietly;

/* The heap or the caller is broken: say what and where, then abort. */
static cold_noinline _Noreturn void mm_die(const char *what, const void *where)
{
    struct line l = {.len = 0};
    line_str(&l, "mm: ");
    line_str(&l, what);
    line_str(&l, ": ");
    line_num(&l, (uintptr_t)where, 16);
    line_write(&l);
    if (&mm_die_quietly && __atomic_load_n(&mm_die_quietly, __ATOMIC_RELAXED))
        syscall(SYS_exit_group, DIE_STATUS);
    abort();
}

/* One broken invariant: "mm_check: H3 free blocks are merged: at 0x...: what
 * value".
 * @return 1 if it is broken, else 0: checks add these up. */
static inline size_t broken(bool is_broken, const char *invariant,
                            const void *where, const char *what, size_t value)
{
    if (likely(!is_broken))
        return 0;
    struct line l = {.len = 0};
    line_str(&l, "mm_check: ");
    line_str(&l, invariant);
    line_str(&l, ": at ");
    line_num(&l, (uintptr_t)where, 16);
    line_str(&l, ": ");
    line_str(&l, what);
    line_str(&l, " ");
    line_num(&l, value, 10);
    line_write(&l);
    return 1;
}

/* A contract between functions of the allocator, paid for in debug builds. */
static always_inline void dbg_requires(bool holds, const char *what,
                                       const void *where)
{
    if (MM_DEBUG && unlikely(!holds))
        mm_die(what, where);
}

#endif
