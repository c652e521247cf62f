/* check_2.c - is lesson 2 solved: coalescing? */
#include "course/checks/heap.h"

int main(void)
{
    const struct check checks[] = {LESSON_2};
    return check_all(checks, COUNT(checks));
}
