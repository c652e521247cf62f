/* test_window.c - where the heap's window is, and how large, in address spaces
 * of all sizes that Linux has: Sv39 of RISC-V and small ones of Arm, and those
 * of 47 bits; and in smaller ones.
 */
#include "memwindow.h"

#include "tests/run_tests.h"

#include <stdlib.h>

#define GIB ((size_t)1 << 30)

/* Bits of user addresses, and GiB that the heap has there. */
static const struct space {
    unsigned bits;
    size_t gib;
} spaces[] = {{33, 4},  {34, 8},   {36, 32},   {38, 64},
              {39, 64}, {42, 256}, {44, 1024}, {47, 8192}};
enum { NSPACES = sizeof spaces / sizeof *spaces };

/* The space ends there: no mapping goes beyond. */
static uintptr_t space_end = UINTPTR_MAX;

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t off)
{
    if ((uintptr_t)at > space_end - size) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, off);
}

/* As if the stack were at the top of a space of so many bits. */
static void ck_space(const struct space *space)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t end = (uintptr_t)1 << space->bits, places[16];
    space_end = end;
    for (int i = 0; i < 16; i++) {
        const char *near = (char *)end - (size_t)(i + 1) * 0x1235000;
        struct window window = window_find(near, page);
        ck_assert_uint_eq(window.size, space->gib * GIB);
        ck_assert_uint_le(window.at + window_bytes(window.size), end);
        ck_assert(!window_holds(window, near));
        window_undo(window, page);
        places[i] = window.at;
    }
    space_end = UINTPTR_MAX;
    for (int i = 1; i < 16; i++) /* not always the same */
        ck_assert(WINDOW_TRIES == 0 || places[i] != places[0]);
}

START_TEST(a_window_lies_inside)
{
    for (int i = 0; i < NSPACES; i++)
        ck_space(&spaces[i]);
}
END_TEST

/* What is in the way is left alone. */
START_TEST(two_windows_do_not_meet)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const char *near = (char *)((uintptr_t)1 << 47) - 0x1235000;
    struct window first = window_find(near, page);
    struct window second = window_find(near, page);
    ck_assert(first.size && second.size);
    ck_assert_uint_ne(first.at, second.at);
    window_undo(first, page);
    window_undo(second, page);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_window_lies_inside, two_windows_do_not_meet,
                                  NULL};
    return run_tests("window", NULL, tests);
}
