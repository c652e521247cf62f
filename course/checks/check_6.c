/* check_6.c - is lesson 6 solved: arenas? */
#include "course/checks/threads.h"

int main(void)
{
    const struct check checks[] = {LESSON_6};
    return check_all(checks, COUNT(checks));
}
