/* opener.c - opens the library that its argument names, in all ways, and hands
 * blocks to and fro. Exit status 0: all was well. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* @return NULL, after a line: it cannot be opened, or lacks the function */
static void *function_of(void *library, const char *name)
{
    void *f = library ? dlsym(library, name) : NULL;
    if (!f)
        printf("%s: %s\n", name, dlerror());
    return f;
}

static int trade(void *library)
{
    void *(*take)(size_t) =
        (void *(*)(size_t))function_of(library, "plugin_take");
    void (*give)(void *) =
        (void (*)(void *))function_of(library, "plugin_give_back");
    if (!take || !give)
        return 1;
    for (size_t size = 1; size < 1 << 20; size = size * 2 + 7) {
        give(memset(malloc(size), 'x', size));
        free(memset(take(size), 'y', size));
    }
    return dlclose(library);
}

static int find_inner(const char *path, const char *name, int mode)
{
    void *library = dlopen(path, RTLD_NOW);
    int (*finds)(int) = (int (*)(int))function_of(library, name);
    if (!finds)
        return 1;
    if (!finds(mode))
        printf("%s, mode %#x: %s\n", name, (unsigned)mode, dlerror());
    else
        return dlclose(library);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    const int deep = RTLD_NOW | RTLD_DEEPBIND;
    const char *plugin = argv[2];
    if (strcmp(argv[1], "--trade") == 0)
        return trade(dlopen(plugin, RTLD_NOW)) || trade(dlopen(plugin, deep)) ||
               trade(dlmopen(LM_ID_BASE, plugin, deep));
    return find_inner(plugin, "plugin_finds_inner", RTLD_NOW) ||
           find_inner(plugin, "plugin_finds_inner", deep) ||
           find_inner(plugin, "plugin_finds_inner_in_space", RTLD_NOW) ||
           find_inner(plugin, "plugin_finds_inner_in_space", deep);
}
