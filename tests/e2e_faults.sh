#!/bin/bash
# e2e_faults.sh - each mistake of tests/faults ends in SIGABRT, with one line on
# stderr that says what and where. Caches look at less than the engine does:
# what only the engine sees is tried with the stage that is little more than it.
#
#   ONLY    of the allocators that are listed here; default: all
#   RUNNER  what runs another machine's programs (tests/arch.sh)
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
FAULTS=${B:-build}/tests/faults
STAGES="global per-thread arena arena-favorite lockfree"
POLICIES="fit-list fit-tree fit-tlsf" # global, with another one
ABORTED=134 # 128 + SIGABRT

# dies_as NAME TEXT COMMAND...: of the pointer that the command told.
dies_as() {
    local name=$1 text=$2 where said status
    shift 2
    where=$("$@" 2>"$SCRATCH/said")
    status=$?
    said=$(grep -v '^qemu: uncaught target signal' "$SCRATCH/said")
    if [[ $status -ne $ABORTED ]]; then
        not_ok "$name" "exit status $status: $where $said"
    elif [[ $said != "mm: $text: $where" ]]; then
        not_ok "$name" "said '$said', expected 'mm: $text: $where'"
    else
        ok "$name"
    fi
}

# dies PROGRAM TEXT [STAGES]: in these; and in their libraries, which hold no
# sanitizer. There malloc is the library's, so its block is not a stranger.
dies() {
    local stage
    if [[ -n ${SAN-} && $1 == double_free_gone ]]; then
        ok "$1 # SKIP no sanitizer starts under a limit of addresses"
        return
    elif [[ -n ${RUNNER-} && $1 == double_free_gone ]]; then
        ok "$1 # SKIP no limit of addresses holds under qemu-user"
        return
    fi
    for stage in ${3:-global}; do
        [[ " ${ONLY-$stage} " == *" $stage "* ]] || continue
        dies_as "$1 dies ($stage)" "$2" "${runner[@]}" "$FAULTS/$1" "$stage"
        [[ -n ${SAN-} || $1 == free_libc ]] ||
            dies_as "$1 dies (libmm-$stage.so)" "$2" preloaded "$stage" \
                "$FAULTS/$1" preloaded
    done
}

unknown="double free, or a pointer that malloc never returned"
overwritten="the block's header was overwritten, or malloc never returned the\
 pointer"
no_owner="the block's header was overwritten"
WITH_OWNERS="per-thread arena arena-favorite lockfree"
DESIGNS="buddy buddy-plain bucket bucket-inbox bucket-global fit-cas"

dies double_free_slab "double free of a small block" \
    "$STAGES"
dies double_free_header "$unknown" "$STAGES"
dies double_free_merged "$unknown" "$STAGES"
dies double_free_annexed "$unknown" "$STAGES"
dies double_free_after_slide "$unknown" "$STAGES"
dies double_free_gone \
    "the block is free, and its memory went back to the system" \
    "$STAGES $POLICIES"
dies double_free_huge "double free of a huge block" "$STAGES"
dies free_moved_huge "double free of a huge block" "$STAGES"
dies realloc_freed_huge "realloc of a huge block that is free" "$STAGES"
dies double_free_huge "double free of a large block" "$DESIGNS"
dies free_moved_huge "double free of a large block" "$DESIGNS"
dies realloc_freed_huge "realloc of a large block that is free" "$DESIGNS"
dies free_inside_slab "pointer into the middle of a block" "$STAGES"
dies free_slab_itself "pointer into the middle of a block" "$STAGES"
dies free_unaligned "pointer into the middle of a block" "$STAGES"
dies free_inside_zeros "$unknown" "$STAGES"
dies free_inside_data "$overwritten"
dies free_inside_data "$no_owner" "$WITH_OWNERS"
dies free_beyond_heap "free of a pointer that malloc never returned" "$STAGES"
dies free_stack "free of a pointer that malloc never returned" "$STAGES"
dies free_libc "free of a pointer that malloc never returned" "$STAGES"
dies overwritten_header "$overwritten"
dies overwritten_header "$no_owner" "$WITH_OWNERS"
dies overwritten_with_zeros "$unknown" "$STAGES"
dies shortened_header "$overwritten"
dies realloc_wild "realloc of a pointer that malloc never returned" "$STAGES"
dies realloc_beyond_heap "realloc of a pointer that malloc never returned" \
    "$STAGES"
dies realloc_freed_slab "realloc of a small block that is free" "$STAGES"
dies realloc_freed_header "$unknown" "$STAGES"
dies usable_size_wild "size of a block that malloc never returned" "$STAGES"
dies realloc_inside_slab "pointer into the middle of a block" "$STAGES"
dies double_free_between "$unknown" "$STAGES $POLICIES"
dies double_free_between_slab "double free of a small block" "$STAGES $POLICIES"
dies double_free_much_later "$unknown" "$STAGES $POLICIES"
dies double_free_two_threads "$unknown" "$STAGES $POLICIES"
dies free_inside_small "$overwritten"
dies free_inside_small "$no_owner" "$WITH_OWNERS"
dies free_inside_looks_small "$overwritten" "$STAGES"
dies realloc_freed_small "$unknown" "$STAGES"
dies realloc_inside_looks_small "$overwritten" "$STAGES"

# Every program of the directory is in the list above.
listed=$(sed -n 's/^dies \([^ ]*\) .*/\1/p' "$0" | sort -u | wc -l)
expect "every program in tests/faults is run" \
    test "$listed" = "$(ls tests/faults/*.c | wc -l)"
finish
