/* mm.h - what an allocator is to the lab, and the list of all of them.
 *
 * An allocator is one const struct mm_allocator. The driver, the tests and
 * the preload libraries know nothing else of it. docs/add-an-allocator.md
 * adds one step by step. */
#ifndef MM_H
#define MM_H

#include <stdbool.h>
#include <stddef.h>

/** What an allocator says of itself. All sizes in bytes; a figure that it
 * does not know is 0. */
struct mm_stats {
    size_t heap;      /* address space it uses now for blocks and headers */
    size_t heap_peak; /* the highest value of heap since init */
    size_t metadata;  /* bookkeeping kept outside the heap */
    size_t nmapped;   /* blocks in use that are mappings of their own */
    size_t mapped;    /* their bytes; heap has them, too */
};

/** How often a thread met others, or might have. A system call that makes it
 * wait for others in the kernel is not in it. */
struct mm_counts {
    size_t rmw;    /* atomic read-modify-writes, failed ones too */
    size_t shared; /* writes to cache lines that several threads write */
};

/* What a piece of the heap is to the allocator. */
enum mm_piece_kind {
    MM_PIECE_OWN,  /* bookkeeping */
    MM_PIECE_FREE, /* a free block */
    MM_PIECE_USED, /* any other block: the program's, or one in a cache */
    MM_PIECE_SENT, /* told before as used: it waits in an inbox */
};
#define MM_LIST_VICTIM (-1) /* the rest of the block that was split last */

/* A piece of the heap, as walk tells it. */
struct mm_piece {
    const void *at; /* its first byte; of one sent its payload */
    size_t size;    /* bytes, its header included */
    size_t head;    /* bytes of its header */
    enum mm_piece_kind kind;
    unsigned owner; /* the arena's number */
    long list;    /* of a free block: its list's smallest size in bytes; 0: not
                     known. In a slab: the size of its blocks */
    bool in_slab; /* it is a block of a slab */
};

/** Blocks of 16 i bytes, of element i. Those in caches are in use, too. */
struct mm_census_class {
    size_t slabs;          /* slabs of blocks of so many bytes */
    size_t used, free;     /* blocks of theirs in use, and not */
    size_t cached;         /* ... in caches */
    size_t headers;        /* blocks with headers in use */
    size_t headers_cached; /* ... in caches */
};
#define MM_CENSUS_CLASSES 66 /* larger blocks are in no class */

/** An arena. mapped == live + cached + sent + free + purged, all in bytes. */
struct mm_census_arena {
    unsigned id;
    int thread;        /* the system's id of its thread; 0: it has none, or the
                          stage does not know it */
    const char *state; /* "owned", "orphan" ... */
    size_t mapped;
    size_t live;   /* blocks in use, with their headers */
    size_t cached; /* that its thread keeps for its next malloc */
    size_t sent;   /* freed by others, about: its thread has not taken it in */
    size_t free;   /* that may be resident */
    size_t purged; /* that went back to the system */
    size_t uses;   /* how often its thread came to it; 0: not known */
};

/** What an allocator has, counted from outside. In bytes:
 * mapped == live + cached + sent + free + purged + spare + untouched + records
 *           + other */
struct mm_census {
    /* The caller's; each may be NULL. */
    void (*arena)(const struct mm_census_arena *a, void *arg); /* for each */
    void *arg;
    struct mm_census_class *classes;       /* MM_CENSUS_CLASSES: of all, */
    struct mm_census_class *arena_classes; /* ... and of the arena told */

    size_t mapped; /* from the system, for all that follows */
    size_t live, cached, sent, free, purged; /* of arenas, and huge blocks */
    size_t spare;     /* freed huge blocks that are kept */
    size_t untouched; /* mapped ahead of the heap's end */
    size_t records;   /* bookkeeping */
    size_t other;     /* between arenas, and lost */
    size_t arenas;    /* how many have memory */
    size_t nhuge,
        huge; /* live blocks that are mappings of their own: of live */
};

/** One allocator. All functions but init and fini may be called by many
 * threads at once, unless single_threaded is set.
 *
 * malloc, free, realloc, calloc, memalign, usable_size have the contract of
 * ISO C and POSIX: 16-byte alignment, NULL and errno == ENOMEM on failure,
 * malloc(0) returns a unique block, free(NULL) does nothing. memalign takes
 * any power of two. */
struct mm_allocator {
    const char *name;     /* as in `mdriver -a name`: [a-z0-9-]+ */
    const char *summary;  /* one line for `mdriver --list` */
    bool single_threaded; /* true: never run with two threads */
    bool small_align; /* true: blocks below 16 bytes are 8-aligned only, as C
                         lets them be (the peers; none of ours) */

    /** Start with an empty heap. @return 0, or -1 with errno set. */
    int (*init)(void);
    /** Give every page back. No block may be used afterwards. */
    void (*fini)(void);

    void *(*malloc)(size_t size);
    void (*free)(void *p);
    void *(*realloc)(void *p, size_t size);
    void *(*calloc)(size_t n, size_t size);
    void *(*memalign)(size_t align, size_t size);
    size_t (*usable_size)(const void *p);

    /** Called by each thread before its first and after its last call.
     * Optional (NULL): an allocator must work without them. */
    int (*thread_init)(void);
    void (*thread_exit)(void);

    /** Count broken invariants, printing one line for each on stderr.
     * Optional. @pre quiescent: no thread is inside the allocator. */
    size_t (*check)(void);
    /** Is [p, p + size) inside the memory that blocks may come from?
     * Optional: NULL where the allocator cannot tell. */
    bool (*contains)(const void *p, size_t size);
    /** Fill *out. Any thread, any time; cheap enough for every operation. */
    void (*stats)(struct mm_stats *out);
    /** Bytes of blocks in use, with their headers; blocks that other threads
     * keep for their next malloc count too. Optional. Any thread, any time;
     * may look at every free block. */
    size_t (*used)(void);
    /** Count all of it without a lock, and without a stop of anyone: what
     * others do meanwhile may be half counted. Optional. Any thread, any time,
     * in a handler, too. */
    void (*census)(struct mm_census *c);
    /** Call each for every piece of the heap, in any order; those sent last.
     * Optional: for pictures (driver/report/scene.h). @pre quiescent */
    void (*walk)(void (*each)(const struct mm_piece *piece, void *arg),
                 void *arg);
    /** Give the pages of free blocks back to the system. Optional. Any thread,
     * any time. @return bytes given back */
    size_t (*trim)(void);
    /** A window of mem_options.decay_ms / 8 has passed: give back a part of
     * what nobody has used for a while. Optional. Any thread, any time.
     * @param short_of  memory is: all that was not used in this window
     * @return false: nothing has happened since the last time */
    bool (*decay)(bool short_of);
    /** What the calling thread has done so far. NULL: it is not counted; the
     * stages count if built by `make COUNT=1`. */
    void (*counts)(struct mm_counts *out);
};

/* The allocators that are linked into mdriver, in the order of `--list`.
 * One line here and one file that defines it: that is all that is needed.
 * (Only the tests' driver of faulty allocators comes with another list.) */
#ifndef MM_ALLOCATORS
#define MM_ALLOCATORS(X)                                                       \
    X(mm_global)     /* mm.c, mm/global/stage.h */                             \
    X(mm_per_thread) /* mm.c, mm/per_thread/stage.h */                         \
    X(mm_arena)      /* mm.c, mm/arena/stage.h, and a variant of it: */        \
    X(mm_arena_favorite)                                                       \
    X(mm_lockfree) /* mm.c, mm/lockfree/stage.h */                             \
    X(mm_fit_list) /* mm.c, mm/fit/stage.h: other policies in stage one */     \
    X(mm_fit_tree)                                                             \
    X(mm_fit_tlsf)                                                             \
    X(mm_fit_cas) /* designs/fit_cas.c */                                      \
    X(mm_buddy)   /* designs/buddy.c, and its other variant: */                \
    X(mm_buddy_plain)                                                          \
    X(mm_bucket) /* designs/bucket.c, and two more ways to the owner: */       \
    X(mm_bucket_inbox)                                                         \
    X(mm_bucket_global)                                                        \
    X(mm_libc) /* designs/libc.c */                                            \
    X(mm_null) /* designs/null.c */
/* Names of before that go on working on the command line. */
#define MM_ALIASES(X) X("arena-nocache", mm_per_thread)
#endif

#define MM_DECLARE(name) extern const struct mm_allocator name;
MM_ALLOCATORS(MM_DECLARE)
#undef MM_DECLARE

#endif
