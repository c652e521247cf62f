#!/bin/bash
# e2e_huge.sh - huge pages: a large dense heap has them, others have none, and
# memory goes back as it does without.
#
# What the allocator asks for shows in the mappings' flags, in any mode of the
# kernel's. What comes of it is looked at where a program that asks for huge
# pages gets them.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

build() {
    gcc -O2 -Wall -pthread "${@:3}" -o "$SCRATCH/$1" "$2"
}
expect "the programs build" build heap tests/huge/heap.c
expect "the programs build" build can tests/huge/can.c
expect "the programs build" build burst tests/decay/burst.c
expect "the programs build" build always.so tests/huge/always.c -shared -fPIC

why=$("$SCRATCH/can")
can=$?
if ((can == 2)) || [[ $(getconf PAGESIZE) -ne 4096 ]]; then
    ok "all # SKIP ${why:-huge pages are larger than these programs} "
    finish
fi

# look ARGUMENTS OF heap...: sets resident, huge, may, mappings
look() {
    read -r resident huge may mappings < <(
        LD_PRELOAD=${hooks:+$hooks:}$PWD/${library:-libmm.so} \
            "$SCRATCH/heap" "$@")
    echo "$*: $resident KiB resident, $huge huge, $may may be," \
        "$mappings mappings"
    [[ -n $mappings ]]
}

# came MIB: so much is in huge pages; or may be, if none is to be had
came() {
    ((may >= $1 << 10)) && ((can != 0 || huge >= $1 << 10))
}

few_huge() {
    ((huge <= ${1:-0} << 10 && may <= ${1:-0} << 10))
}

large() {
    look 200 1000 1000 && came 110 && ((mappings < 100))
}

small() {
    look 40 1000 1000 && few_huge
}

# Blocks that are mappings of their own: written whole; by realloc; hardly
# touched, and shorter than 64 MiB.
mapped() {
    look 320 80000000 80000000 && came 290 && look 300 10000000 10000000 grow &&
        came 200 && look 300 10000000 4000 && few_huge &&
        MM_HUGE=0 look 320 80000000 80000000 && few_huge &&
        MM_HUGE=0 look 300 10000000 10000000 grow && few_huge
}

# Blocks from 4 MiB on, if they come and go; else their first pages may be all
# that is written (mapped).
turns() {
    look 160 5000000 5000000 && few_huge &&
        look 160 5000000 5000000 turn && came 20
}

# Without MM_HUGE=0 the same has some (large): the test can fail.
off() {
    MM_HUGE=0 look 200 1000 1000 && few_huge
}

off_by_mallopt() {
    MALLOPT_HUGE=0 look 200 1000 1000 && few_huge &&
        MM_HUGE=0 MALLOPT_HUGE=1 look 200 1000 1000 && came 110
}

# The first bytes of large blocks: a huge page each would be most of it.
sparse() {
    look 300 1000000 4000 && few_huge && ((resident < 20 << 10))
}

# always.so works; it has asked for what is no part of the heap, too.
always() {
    local hooks=$SCRATCH/always.so
    ! "$SCRATCH/can" unasked && LD_PRELOAD=$hooks "$SCRATCH/can" unasked &&
        look 40 1000 1000 && few_huge 8 && MM_HUGE=0 look 200 1000 1000 &&
        few_huge 8 && look 200 1000 1000 && came 110
}

# within PERCENT A B: A is at most so much more than B
within() {
    (($2 * 100 <= $3 * (100 + $1)))
}

no_larger() {
    local without
    MM_HUGE=0 look "$@" && without=$resident && look "$@" &&
        within 2 "$resident" "$without"
}

# Single blocks of a few KiB, one or two in each, are not worth a huge page (how
# many there are differs by where the heap is); half of one is, and what goes
# back then goes for good.
scattered() {
    local before
    look 200 3000 3000 && before=$huge && look 200 3000 3000 scatter &&
        ((huge > before - (10 << 10))) && came 110
}

runs() {
    local before before_may
    look 200 3000 3000 && before=$resident before_may=$may &&
        look 200 3000 3000 run &&
        ((before - resident > 7 << 10 && may < before_may && may > 90 << 10))
}

goes_back() {
    look 200 1000 1000 all && ((resident < 20 << 10))
}

decays() {
    MM_DECAY=200 LD_PRELOAD=$PWD/libmm.so "$SCRATCH/burst" small 0 sleep \
        calls 3000
}

child_has_all() {
    look 200 1000 1000 fork && ((resident > 200 << 10))
}

# As much is to be had under a limit of addresses.
limited() {
    local with without
    with=$(ulimit -v 400000 && LD_PRELOAD=$PWD/libmm.so \
        "$SCRATCH/heap" 0 1000 0 limit)
    without=$(ulimit -v 400000 && MM_HUGE=0 LD_PRELOAD=$PWD/libmm.so \
        "$SCRATCH/heap" 0 1000 0 limit)
    echo "$with MiB, $without without"
    ((with > 300 && without - with <= 1))
}

for library in libmm.so libmm-arena.so; do
    ((can == 0)) || ok "$library: huge pages come # SKIP $why"
    expect "$library: a large heap has huge pages" large
    expect "$library: a small one has none" small
    expect "$library: MM_HUGE=0: none" off
    expect "$library: mallopt sets it, too" off_by_mallopt
    expect "$library: a block of 64 MiB has some, or one that grows" mapped
    expect "$library: blocks of some MiB that come and go have some" turns
    expect "$library: blocks that are hardly touched: none" sparse
    expect "$library: in the kernel's mode always: the same" always
    expect "$library: 300 MB need no more memory with them" \
        no_larger 300 1000 1000
    expect "$library: ... nor do larger blocks" no_larger 300 100000 100000
    expect "$library: ... nor one that grows" no_larger 300 10000000 0 grow
    expect "$library: a few KiB go back from none" scattered
    expect "$library: half of one goes back" runs
done
library=libmm.so
expect "all of them go back" goes_back
expect "what was freed goes back by itself" decays
expect "a child of fork has them, and writes" child_has_all
expect "a limit of addresses is reached as late" limited
finish
