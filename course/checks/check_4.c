/* check_4.c - is lesson 4 solved: slabs? */
#include "course/checks/slabs.h"

int main(void)
{
    const struct check checks[] = {LESSON_4};
    return check_all(checks, COUNT(checks));
}
