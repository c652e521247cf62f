/* sums.c - memmapped.h: how much is mapped, and the most that ever was. Two
 * threads map and unmap, a third maps. */
#include "checked.h"

#include "memmapped.h"

static void *map_and_unmap(void *unused)
{
    mapped_add(0, 3);
    mapped_add(3, 0);
    return unused;
}

static void *map(void *unused)
{
    mapped_add(0, 2);
    return unused;
}

int main(void)
{
    body *const bodies[] = {map_and_unmap, map};
    run_all(bodies, 2);
    /* Of bytes 5 if the second was added between the other's two. */
    size_t most = sum_get(&mapped_bytes.most);
    size_t regions = sum_get(&mapped_regions.most);
    assert(sum_get(&mapped_bytes.now) == 2 && (most == 3 || most == 5));
    assert(sum_get(&mapped_regions.now) == 1);
    assert(regions == 1 || regions == 2);
    return 0;
}
