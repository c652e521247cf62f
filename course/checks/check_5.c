/* check_5.c - is lesson 5 solved: one lock? */
#include "course/checks/threads.h"

int main(void)
{
    const struct check checks[] = {LESSON_5};
    return check_all(checks, COUNT(checks));
}
