/* frees.c - free: errno, a system that refuses, C23's forms, fresh threads. */
#include "conform.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { N = 3000 };
static void *blocks[N];

static void make_blocks(void)
{
    for (size_t i = 0; i < N; i++) {
        size_t size = i % 25 == 0 ? MIB : i * 7 % 2000;
        demand((blocks[i] = makers[i % NMAKERS].make(size)) != NULL);
        memset(blocks[i], 'x', size);
    }
}

/* Every other one first, so that what is freed merges in all ways. */
static void free_blocks(void)
{
    for (int first = 0; first < 2; first++)
        for (int i = first; i < N; i += 2) {
            errno = 4711 + i;
            free(blocks[i]);
            demand(errno == 4711 + i);
        }
}

static void errno_is_kept(void)
{
    for (int left = rounds(3, 2); left > 0; left--) {
        make_blocks();
        free_blocks();
    }
    errno = 4711;
    free(NULL);
    demand(errno == 4711);
}

/* From now on the system refuses to take memory back. */
static void refuse_memory(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_munmap, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    demand(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    demand(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    demand(syscall(SYS_munmap, blocks, 0) == -1 && errno == EPERM);
}

static void errno_is_kept_when_the_system_refuses(void)
{
    make_blocks();
    refuse_memory();
    free_blocks();
    malloc_trim(0);
    errno_is_kept();
}

static void forms_free(void)
{
    limit_data(512 * MIB);
    for (int i = 0; i < 40000; i++) { /* 640 MB, if one of them did not */
        char *p = malloc(16000), *q = aligned_alloc(64, 16000);
        char *r = malloc(16000);
        demand(p && q && r);
        p[0] = q[0] = r[0] = 'x';
        free_sized(p, 16000);
        free_aligned_sized(q, 64, 16000);
        cfree(r);
    }
}

static void *free_nothing(void *unused)
{
    free_sized(NULL, 100);
    free_aligned_sized(NULL, 64, 100);
    cfree(NULL);
    free(NULL);
    return unused;
}

/* A thread whose first call is a free: of nothing, or of another's block. */
static void *free_the_blocks(void *unused)
{
    free_blocks();
    return unused;
}

static void in_fresh_thread(void *(*body)(void *))
{
    pthread_t thread;
    demand(pthread_create(&thread, NULL, body, NULL) == 0);
    demand(pthread_join(thread, NULL) == 0);
}

static void fresh_threads_free(void)
{
    in_fresh_thread(free_nothing);
    make_blocks();
    in_fresh_thread(free_the_blocks);
    make_blocks();
    free_blocks();
}

int main(void)
{
    contract("C16 free keeps errno", errno_is_kept);
    contract("C17 free keeps errno when munmap and madvise fail",
             errno_is_kept_when_the_system_refuses);
    contract("C18 free_sized, free_aligned_sized and cfree free", forms_free);
    contract("C19 a fresh thread may free: NULL, and what others made",
             fresh_threads_free);
    return contracts_broken;
}
