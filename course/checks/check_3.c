/* check_3.c - is lesson 3 solved: segregated fits? */
#include "course/checks/speed.h"

int main(void)
{
    const struct check checks[] = {LESSON_3};
    return check_all(checks, COUNT(checks));
}
