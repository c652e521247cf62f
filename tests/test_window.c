/* test_window.c - where the heap's window is, in address spaces of all sizes
 * that Linux has: Sv39 of RISC-V and small ones of Arm, and those of 47 bits.
 */
#include "memwindow.h"

#include "tests/run_tests.h"

#include <stdlib.h>

static const unsigned spaces[] = {38, 39, 42, 47}; /* bits of user addresses */
enum { NSPACES = sizeof spaces / sizeof *spaces };

/* As if the stack were at the top of a space of so many bits. */
static void ck_space(unsigned bits)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t end = (uintptr_t)1 << bits, places[16];
    for (int i = 0; i < 16; i++) {
        const char *near = (char *)end - (size_t)(i + 1) * 0x1235000;
        uintptr_t window = window_find(near, page);
        ck_assert_uint_ne(window, 0);
        ck_assert_uint_le(window + WINDOW, end);
        ck_assert(!window_holds(window, near));
        window_undo(window, page);
        places[i] = window;
    }
    for (int i = 1; i < 16; i++) /* not always the same */
        ck_assert(WINDOW_TRIES == 0 || places[i] != places[0]);
}

START_TEST(a_window_lies_inside)
{
    for (int i = 0; i < NSPACES; i++)
        ck_space(spaces[i]);
}
END_TEST

/* What is in the way is left alone. */
START_TEST(two_windows_do_not_meet)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const char *near = (char *)((uintptr_t)1 << 47) - 0x1235000;
    uintptr_t first = window_find(near, page);
    uintptr_t second = window_find(near, page);
    ck_assert(first && second);
    ck_assert_uint_ne(first, second);
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
