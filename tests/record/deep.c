/* deep.c - to be recorded: a library opened with RTLD_DEEPBIND makes and frees
 * a block of 123456 bytes; one that it makes is freed by the program. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static char text[123456];

int main(void)
{
    void *library = dlopen("libjansson.so.4", RTLD_NOW | RTLD_DEEPBIND);
    if (!library)
        return 1;
    void *(*make)(const char *) = dlsym(library, "json_string");
    void (*delete)(void *) = dlsym(library, "json_delete");
    char *(*dump)(void *, size_t) = dlsym(library, "json_dumps");
    memset(text, 'x', sizeof text - 1);
    void *string = make(text);
    free(dump(string, 0x200)); /* JSON_ENCODE_ANY */
    delete (string);
    return 0;
}
