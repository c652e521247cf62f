#!/bin/bash
# e2e_page.sh - the allocators where the system's pages have 16 or 64 KiB, as on
# some machines of Arm: tests/page/page.so pretends so. Unit tests of what maps
# and gives back, the contract of each kind of library, mistakes, the main job;
# PAGE_SOAK=1 (make page-test): all unit tests and libraries, all rounds of the
# contract, and the same for both sizes. Otherwise 16 KiB have what rounds to
# pages itself; what only stands on that is tried with the larger ones.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
B=${B:-build}
UNITS="memlib memlib_fork memlib_jump memlib_maps memlib_side heap_purge
heap_align heap_resize slab usage merge huge buddy bucket fit_cas_threads mm
mm_realloc arena lfshard lflist designs_large"
UNITS_OF_16K="memlib memlib_maps memlib_side heap_purge heap_align slab huge
buddy bucket mm arena"
LIBRARIES="arena lockfree buddy bucket"
FAULTS="double_free_slab double_free_header double_free_huge free_inside_slab
free_unaligned overwritten_header"

# Its own figures are of small pages: faults and locked memory are the kernel's.
# test_lf_steps needs no memory to speak of, and minutes.
soak_units() {
    local path
    for path in "$B"/tests/test_*[a-z0-9]; do
        [[ -x $path && $path != */test_lf_steps ]] && echo "${path##*/test_}"
    done
}
if [[ -z ${PAGE_SOAK-} ]]; then
    export CONFORM_FEW=1
else
    UNITS=$(soak_units) UNITS_OF_16K=$UNITS
    LIBRARIES=$(echo libmm-*.so)
    LIBRARIES=${LIBRARIES//libmm-/} LIBRARIES=${LIBRARIES//.so/}
fi

programs_for() {
    echo blocks errors resize frees tell forks hooks
    case $1 in
    buddy* | bucket* | fit-cas) ;;
    *) echo stages limits ;;
    esac
}

# paged BYTES [LIBRARY] COMMAND...
paged() {
    local page=$1 library=''
    shift
    if [[ $1 == libmm-* ]]; then
        library=$PWD/$1
        shift
    fi
    env FAKE_PAGE="$page" LD_PRELOAD="$PWD/$B/tests/page/page.so $library" "$@"
}

for wrong in 5000 8192 131072 16384x ''; do
    try paged "$wrong" getconf PAGESIZE
    expect_output "a page of '$wrong' bytes is refused" 2 \
        'FAKE_PAGE is no page size; expected 4096, 16384 or 65536'
done
# By both names: three mappings each begin at a page, and end at one.
cat >"$SCRATCH/map.c" <<'END'
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
int main(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    int bad = 0;
    for (int i = 0; i < 6; i++) {
        char *p = (i % 2 ? mmap64 : mmap)(NULL, 1, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        bad += p == MAP_FAILED || (uintptr_t)p % page;
        p[page - 1] = 1;
    }
    bad += mmap64(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                  4096) == MAP_FAILED ? page == 4096 : page != 4096;
    printf("%lu: %d bad\n", (unsigned long)page, bad);
}
END
gcc -D_GNU_SOURCE -o "$SCRATCH/map" "$SCRATCH/map.c"
for page in 4096 16384 65536; do
    try paged $page "$SCRATCH/map"
    expect_output "mmap and mmap64 map pages of $page bytes" 0 "^$page: 0 bad"
done
for page in 16384 65536; do
    try paged $page getconf PAGESIZE
    expect_output "pages have $page bytes here" 0 "^$page\$"
    units=$UNITS
    ((page > 16384)) || units=$UNITS_OF_16K
    for unit in $units; do
        try paged $page "$B/tests/test_$unit"
        expect_output "test_$unit, pages of $page bytes" 0 \
            '^100%: Checks: [1-9]'
    done
    [[ $page == 65536 || -n ${PAGE_SOAK-} ]] || continue
    for library in $LIBRARIES; do
        for program in $(programs_for "$library"); do
            try paged $page "libmm-$library.so" \
                "$B/tests/conformance/$program"
            expect_output "$library keeps the contract of $program, pages of \
$page bytes" 0 '^ok'
        done
    done
    for fault in $FAULTS; do
        try paged $page libmm-lockfree.so "$B/tests/faults/$fault" preloaded
        expect_output "$fault dies, pages of $page bytes" 134 '^mm: '
    done
    try paged $page "$MDRIVER" -f traces/gen-realloc.trace.zst \
        -f traces/gen-server-mt.trace.zst -n 4 -r 1 \
        -a global,arena,lockfree,buddy,bucket
    expect_output "the main job, pages of $page bytes" 0 '^ *lockfree'
done
finish
