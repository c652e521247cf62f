/* writer.c - slots, chunks, and what thread end and fork do to them.
 *
 *   thread ──writer_mine──► slot 3 ──next──► chunk 17 of the log (mapped)
 *
 * Invariants
 *   W1 a slot has one holder; a thread that ends passes its slot on, chunk and
 *      all, so thread numbers stay as low as the threads that live at once
 *   W2 everything that ties this process to its log lies in one mapping that
 *      the kernel wipes in a forked child (MADV_WIPEONFORK): the first event
 *      of the child finds an empty slot, comes here, and opens a log of its
 *      own. That needs no fork handler and covers raw clone too. A vfork child
 *      shares its parent's memory, and rightly writes into the parent's log */
#include "record/writer.h"

#include "record/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_SLOTS 32768 /* threads at once */

enum state { NEW, STARTING, RECORDING, OFF };

/* W2: all zero in a new process and in a forked child. */
struct writer {
    _Atomic int state;
    _Atomic uint64_t nchunks;
    struct log_header *head;
    struct writer_slot slots[MAX_SLOTS];
};

static pthread_key_t key;
static struct writer *writer;
_Atomic uint64_t writer_seq;
__thread struct writer_slot *writer_mine;
static __thread struct writer_slot *borrowed; /* past the destructor */
static __thread int ending;                   /* destructor rounds had */

extern char **environ;

/* ---- start and stop ---------------------------------------------------- */

/* L5: nothing after this moment counts, whoever still has room to write. */
static void stop(struct writer *w, enum stop_reason why)
{
    int err = errno;
    uint64_t seq = atomic_fetch_add(&writer_seq, 1) + 1, old = 0;
    while (!atomic_compare_exchange_weak(&w->head->stop_seq, &old, seq))
        if (old != 0 && old < seq)
            break;
    uint32_t none = STOP_NONE;
    if (atomic_compare_exchange_strong(&w->head->stop_reason, &none, why)) {
        w->head->stop_errno = (uint32_t)err;
        logfile_say(why == STOP_DISK
                        ? "recording ends here, the log cannot grow"
                        : "recording ends here, too many threads",
                    err);
    }
    atomic_store(&w->state, OFF);
}

static void read_command(struct log_header *h)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline",
                          O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    long n = syscall(SYS_read, fd, h->command, sizeof h->command - 1);
    h->command_size = n > 0 ? (uint32_t)n : 0;
    syscall(SYS_close, fd);
}

static bool start_log(struct writer *w)
{
    char parent[LOG_NAME_MAX]; /* or empty */
    memcpy(parent, logfile_name, sizeof parent);
    if (logfile_create() < 0) {
        logfile_say("cannot make this log, the process is not recorded", errno);
        return false;
    }
    w->head = logfile_map(0, LOG_HEADER_SIZE);
    if (!w->head) {
        logfile_say("cannot fill this log, the process is not recorded", errno);
        return false;
    }
    w->head->pid = (uint64_t)getpid();
    read_command(w->head);
    if (parent[0]) {
        memcpy(w->head->parent, parent, sizeof parent);
        w->head->parent_seq = atomic_load(&writer_seq);
        atomic_store(&writer_seq, 0);
    }
    memcpy(w->head->magic, LOG_MAGIC, sizeof w->head->magic);
    return true;
}

static void thread_ends(void *slot);

/* Once per program image. @return false: not now, or never. */
static bool start_image(void)
{
    if (!environ)
        return false; /* still in the loader */
    const char *dir = getenv("MMRECORD");
    struct writer *w = mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (w == MAP_FAILED)
        return false;
    if (!dir || !logfile_set_dir(dir) ||
        pthread_key_create(&key, thread_ends) != 0) {
        atomic_store(&w->state, OFF);
    } else if (madvise(w, sizeof *w, MADV_WIPEONFORK) < 0) {
        logfile_say("this needs Linux 4.14 or later", errno);
        atomic_store(&w->state, OFF);
    }
    writer = w;
    return true;
}

void writer_start(void)
{
    if (!writer && !start_image())
        return;
    int was = NEW;
    if (!atomic_compare_exchange_strong(&writer->state, &was, STARTING)) {
        while (atomic_load(&writer->state) == STARTING)
            sched_yield();
        return;
    }
    writer_mine = NULL; /* the forking thread still has its parent's */
    atomic_store(&writer->state, start_log(writer) ? RECORDING : OFF);
}

/* ---- slots and chunks --------------------------------------------------- */

static struct writer_slot *slot_take(struct writer *w)
{
    for (int i = 0; i < MAX_SLOTS; i++) {
        int unused = 0;
        if (!atomic_load_explicit(&w->slots[i].used, memory_order_relaxed) &&
            atomic_compare_exchange_strong(&w->slots[i].used, &unused, 1))
            return &w->slots[i]; /* pairs with the release in slot_give */
    }
    return NULL;
}

static void slot_give(struct writer_slot *s)
{
    atomic_store_explicit(&s->used, 0, memory_order_release);
}

/* A thread may still free after its destructors ran, so the slot is kept to
 * the last round, and borrowed for one event at a time after that. */
static void thread_ends(void *slot)
{
    if (++ending < PTHREAD_DESTRUCTOR_ITERATIONS) {
        pthread_setspecific(key, slot);
    } else if (writer_mine) {
        slot_give(writer_mine);
        writer_mine = NULL;
    }
}

void writer_done(void)
{
    if (borrowed)
        slot_give(borrowed);
    borrowed = NULL;
}

static bool chunk_next(struct writer *w, struct writer_slot *s)
{
    if (s->end)
        munmap(s->end - LOG_CHUNK_EVENTS - 1, LOG_CHUNK_SIZE);
    s->next = s->end = NULL;
    uint64_t n = atomic_fetch_add(&w->nchunks, 1);
    struct chunk_head *c =
        logfile_map(LOG_HEADER_SIZE + n * LOG_CHUNK_SIZE, LOG_CHUNK_SIZE);
    if (!c)
        return false;
    c->thread_plus_1 = (uint64_t)(s - w->slots) + 1;
    s->next = (struct event *)(c + 1);
    s->end = s->next + LOG_CHUNK_EVENTS;
    return true;
}

/* @return a slot with room, held by this thread or borrowed by it. */
static struct writer_slot *slot_with_room(struct writer *w)
{
    struct writer_slot *s = writer_mine ? writer_mine : slot_take(w);
    if (!s) {
        stop(w, STOP_THREADS);
        return NULL;
    }
    if (ending >= PTHREAD_DESTRUCTOR_ITERATIONS) {
        borrowed = s;
    } else if (!writer_mine) {
        writer_mine = s;
        pthread_setspecific(key, s);
    }
    if (s->next == s->end && !chunk_next(w, s)) {
        stop(w, STOP_DISK);
        return NULL;
    }
    return s;
}

struct event *writer_space(void)
{
    int err = errno;
    struct event *e = NULL;
    writer_start();
    if (writer && atomic_load(&writer->state) == RECORDING) {
        struct writer_slot *s = slot_with_room(writer);
        if (s)
            e = s->next++;
        else
            writer_done();
    }
    errno = err;
    return e;
}
