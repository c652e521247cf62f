/* times.c - malloc before main, after it, in threads' destructors, after fork.
 */
#include "conform.h"

#include <dlfcn.h>
#include <pthread.h>

static char *before_main;
static pthread_key_t key;
static int destroyed;

__attribute__((constructor(101))) static void early(void)
{
    before_main = memset(malloc(1000), 'x', 1000);
}

/* Some of each kind, used. */
static void use_all(void)
{
    for (size_t m = 0; m < NMAKERS; m++)
        for (size_t size = 0; size < 300000; size = size * 3 + 1) {
            void *p = makers[m].make(size);
            demand(p);
            memset(p, 'x', size);
            free(realloc(p, size + 1));
        }
}

static void constructors_may_allocate(void)
{
    demand(filled(before_main, 1000, 'x'));
    demand((before_main = realloc(before_main, 100000)) != NULL);
    demand(filled(before_main, 1000, 'x'));
    free(before_main);
}

/* Called again as long as it sets the key: after all other destructors. */
static void destroy(void *old)
{
    free(old);
    use_all();
    if (++destroyed % 4)
        pthread_setspecific(key, malloc(100));
}

static void *set_key(void *unused)
{
    demand(pthread_setspecific(key, malloc(100)) == 0);
    return unused;
}

static void destructors_may_allocate(void)
{
    pthread_t thread;
    demand(pthread_key_create(&key, destroy) == 0);
    const int n = rounds(50, 10);
    for (int i = 0; i < n; i++) {
        demand(pthread_create(&thread, NULL, set_key, NULL) == 0);
        demand(pthread_join(thread, NULL) == 0);
    }
    demand(destroyed == n * 4);
}

static void atexit_may_allocate(void)
{
    atexit(use_all);
    exit(0);
}

static void *load(void *unused)
{
    demand(!dlopen("no such library", RTLD_NOW) && dlerror());
    demand(!dlsym(RTLD_DEFAULT, "no such function") && dlerror());
    void *library = dlopen("libm.so.6", RTLD_NOW);
    demand(library && dlclose(library) == 0);
    return unused;
}

static pthread_barrier_t loaded;
static void *library_of_cxx;

/* Its thread-local variables are made at their first use. */
static void *use_its_tls(void *unused)
{
    pthread_barrier_wait(&loaded);
    void *(*get)(void);
    *(void **)&get = dlsym(library_of_cxx, "__cxa_get_globals");
    demand(get && get());
    return unused;
}

/* Threads that were there before the library was. */
static void tls_may_allocate(void)
{
    pthread_t threads[8];
    pthread_barrier_init(&loaded, NULL, 9);
    for (int i = 0; i < 8; i++)
        demand(pthread_create(&threads[i], NULL, use_its_tls, NULL) == 0);
    demand((library_of_cxx = dlopen("libstdc++.so.6", RTLD_NOW)) != NULL);
    pthread_barrier_wait(&loaded);
    for (int i = 0; i < 8; i++)
        demand(pthread_join(threads[i], NULL) == 0);
}

static void the_linker_may_allocate(void)
{
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        demand(pthread_create(&threads[i], NULL, load, NULL) == 0);
    for (int i = 0; i < 8; i++)
        demand(pthread_join(threads[i], NULL) == 0);
    if (GLIBC) /* a library of C++'s for it is there */
        tls_may_allocate();
}

static int stop;

static void *churn(void *unused)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        use_all();
    return unused;
}

/* Children of a process whose other threads are busy in malloc. */
static void children_may_allocate(void)
{
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        demand(pthread_create(&threads[i], NULL, churn, NULL) == 0);
    for (int left = rounds(40, 10); left > 0; left--) {
        int status = -1;
        pid_t child = fork();
        demand(child >= 0);
        if (child == 0) {
            use_all();
            the_linker_may_allocate();
            _exit(0);
        }
        demand(waitpid(child, &status, 0) == child && status == 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 3; i++)
        demand(pthread_join(threads[i], NULL) == 0);
}

int main(void)
{
    contract("C24 constructors may allocate", constructors_may_allocate);
    contract("C25 threads' destructors may allocate", destructors_may_allocate);
    contract("C26 functions of atexit may allocate", atexit_may_allocate);
    contract("C27 the dynamic linker may allocate", the_linker_may_allocate);
    contract("C28 children of fork may allocate", children_may_allocate);
    return contracts_broken;
}
