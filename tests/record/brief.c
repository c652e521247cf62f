/* brief.c - to be recorded: a thousand threads that live one after another.
 *
 * Each makes a block and frees it in a destructor of thread-local data, in the
 * last round of destructors: later than any library would do it. */
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#define THREADS 1000

static pthread_key_t key;
static __thread int rounds;

static void destroy(void *p)
{
    if (++rounds < PTHREAD_DESTRUCTOR_ITERATIONS)
        pthread_setspecific(key, p);
    else
        free(p);
}

static void *run(void *arg)
{
    pthread_setspecific(key, malloc(105));
    return arg;
}

int main(void)
{
    pthread_key_create(&key, destroy);
    for (int i = 0; i < THREADS; i++) {
        pthread_t id;
        if (pthread_create(&id, NULL, run, NULL) != 0)
            return 1;
        pthread_join(id, NULL);
    }
}
