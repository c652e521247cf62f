/* check_1.c - is lesson 1 solved: heads and an implicit list? */
#include "course/checks/heap.h"

int main(void)
{
    const struct check checks[] = {LESSON_1};
    return check_all(checks, COUNT(checks));
}
