/* list.h - the allocators of build/tests/mdriver-faulty, in place of mm.h's:
 * a good one stands first, and libc, after all the faulty ones, last. */
#define MM_ALLOCATORS(X)                                                       \
    X(faulty_good)                                                             \
    X(faulty_null)                                                             \
    X(faulty_misaligned)                                                       \
    X(faulty_memalign)                                                         \
    X(faulty_outside)                                                          \
    X(faulty_overlap)                                                          \
    X(faulty_shared)                                                           \
    X(faulty_dirty_calloc)                                                     \
    X(faulty_realloc_loses)                                                    \
    X(faulty_free_corrupts)                                                    \
    X(faulty_usable_small)                                                     \
    X(faulty_usable_large)                                                     \
    X(faulty_hang)                                                             \
    X(faulty_crash)                                                            \
    X(faulty_quits)                                                            \
    X(faulty_check)                                                            \
    X(faulty_late_crash)                                                       \
    X(faulty_late_null)                                                        \
    X(faulty_late_exit)                                                        \
    X(faulty_late_hang)                                                        \
    X(faulty_keeps)                                                            \
    X(faulty_slow)                                                             \
    X(faulty_races)                                                            \
    X(faulty_single)                                                           \
    X(cheat_libc)                                                              \
    X(cheat_stats)                                                             \
    X(cheat_mmap)                                                              \
    X(cheat_unmap)                                                             \
    X(cheat_unasked)                                                           \
    X(cheat_one_block)                                                         \
    X(cheat_lazy_realloc)                                                      \
    X(cheat_never_frees)                                                       \
    X(cheat_prints)                                                            \
    X(cheat_kills)                                                             \
    X(cheat_opens)                                                             \
    X(cheat_traces)                                                            \
    X(cheat_forks)                                                             \
    X(cheat_closes)                                                            \
    X(mm_null)                                                                 \
    X(mm_libc)
