/* plugin.c - a library that is opened: it takes and gives back blocks, and
 * opens a library that only it can find, as its RUNPATH is $ORIGIN/inner. */
#include <dlfcn.h>
#include <stdlib.h>

void *plugin_take(size_t size)
{
    return malloc(size);
}

void plugin_give_back(void *p)
{
    free(p);
}

int plugin_finds_inner(int mode)
{
    void *inner = dlopen("libinner.so", mode);
    return inner && dlclose(inner) == 0;
}

int plugin_finds_inner_in_space(int mode)
{
    void *inner = dlmopen(LM_ID_BASE, "libinner.so", mode);
    return inner && dlclose(inner) == 0;
}
