/* closer.c - opens the libmm that its argument names, allocates with it in two
 * threads, closes it, and only then do the threads end. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_barrier_t allocated, closed;
static void *(*its_malloc)(size_t);
static void (*its_free)(void *);

static void *use(void *unused)
{
    for (size_t size = 1; size < 100000; size = size * 2 + 1)
        its_free(its_malloc(size));
    pthread_barrier_wait(&allocated);
    pthread_barrier_wait(&closed);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (!library) {
        printf("%s\n", argc == 2 ? dlerror() : "usage: closer LIBRARY");
        return 2;
    }
    its_malloc = (void *(*)(size_t))dlsym(library, "malloc");
    its_free = (void (*)(void *))dlsym(library, "free");
    pthread_barrier_init(&allocated, NULL, 3);
    pthread_barrier_init(&closed, NULL, 3);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, use, NULL))
            return 3;
    pthread_barrier_wait(&allocated);
    if (dlclose(library))
        return 4;
    pthread_barrier_wait(&closed);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
