#!/bin/bash
# e2e_conformance.sh - every libmm-*.so keeps every sentence of
# docs/conformance.md, and each sentence there is tested.
#
# The programs are tests/conformance/*: what they print as ok or not ok is
# passed on with the library's name. The library that libmm.so is does all
# rounds, the others a few, as most of the code is the same. CONFORM_SOAK=1
# (make conformance-test): all of each.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
. tests/conformance/linker.sh
PROGRAMS=${B:-build}/tests/conformance
: >"$SCRATCH/sentences"

# What the stages promise and designs need not: see docs/conformance.md.
programs_for() {
    echo blocks errors resize frees tell times forks hooks new
    case $1 in
    buddy* | bucket* | fit-cas) echo system ;;
    *) echo stages limits system ;;
    esac
}

# conforms LIBRARY NAME PROGRAM [OPTION]
conforms() {
    local status said
    LD_PRELOAD=$PWD/$1 "$PROGRAMS/$3" ${4-} >"$SCRATCH/said" 2>&1
    status=$?
    grep -E '^(ok|not ok|#)' "$SCRATCH/said" | sed "/^#/!s/\$/ ($2)/"
    grep -E '^ok' "$SCRATCH/said" >>"$SCRATCH/sentences"
    said=$(tail -n 1 "$SCRATCH/said" | head -c 300)
    [[ $status -eq 0 ]] ||
        not_ok "$3 ends well ($2)" "exit status $status, printed last: $said"
}

xml_is_well_formed() {
    LD_PRELOAD=$PWD/$1 "$PROGRAMS/tell" --xml | python3 -c '
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.stdin).getroot()
assert root.tag == "malloc" and root.get("version") == "1", root
sizes = {e.tag + " " + e.get("type"): int(e.get("size")) for e in root
         if e.tag != "heap"}
assert sizes["system max"] >= 1 << 20, sizes'
}

# The names that it takes from other libraries: the system, locks, abort,
# memcpy; nothing that allocates, no stdio but what malloc_info needs.
ALLOWED='^(_IO_list_(lock|unlock|resetlock)|_ITM_.*|__cxa_finalize
|__errno_location|__gmon_start__|__libc_single_threaded|__register_atfork|abort
|clock_gettime|dlsym|(__)?environ|fwrite|getauxval|getenv|getrlimit|madvise
|mem(cpy|move|set)|mmap|mremap|munmap|prctl
|pthread_attr_(init|destroy|setstacksize|setdetachstate)
|pthread_(create|sigmask)|pthread_key_create|pthread_key_delete
|pthread_set(cancelstate|specific)|secure_getenv|sigaction
|str(chr|rchr|cmp|cspn|ncmp|len|str)
|syscall|sysconf)$'
takes_little() {
    ! nm -D --undefined-only "$1" | awk '{ sub(/@.*/, "", $2); print $2 }' |
        grep -vE "${ALLOWED//$'\n'/}"
}

# Nothing but the family is seen from outside, and all of it.
FAMILY="__libc_calloc __libc_free __libc_mallinfo __libc_malloc __libc_mallopt
__libc_memalign __libc_pvalloc __libc_realloc __libc_valloc __register_atfork
aligned_alloc calloc cfree dlmopen dlopen free free_aligned_sized free_sized
mallinfo mallinfo2 malloc malloc_info malloc_stats malloc_trim
malloc_usable_size mallopt memalign posix_memalign pvalloc realloc reallocarray
valloc"
gives_the_family() {
    diff <(nm -D --defined-only "$1" | awk '{ print $3 }' | LC_ALL=C sort) \
        <(tr -s ' \n' '\n' <<<"$FAMILY")
}

# says TEXT COMMAND...: as expect, and the sentence counts as tested
says() {
    expect "$@"
    echo "ok - $1" >>"$SCRATCH/sentences"
}

expect "what is opened and closed builds" build_opened
for library in libmm-*.so; do
    [[ $(readlink "$library") != libmm-* ]] || continue # another's name
    unset CONFORM_FEW
    [[ $library -ef libmm.so || -n ${CONFORM_SOAK-} ]] || export CONFORM_FEW=1
    name=${library#libmm-} name=${name%.so}
    for program in $(programs_for "$name"); do
        conforms "$library" "$name" "$program"
    done
    case $name in # what gives back when a thread ends
    arena | arena-favorite | lockfree)
        conforms "$library" "$name" limits --by-itself ;;
    esac
    says "C42 what malloc_info writes is XML" xml_is_well_formed "$library"
    says "C43 no call of what may allocate, of locale, of stdio" \
        takes_little "$library"
    says "C44 exported are these functions and nothing else" \
        gives_the_family "$library"
    says "C51 each name of libc's that sounds like malloc's is decided on" \
        all_names_decided "$library"
    says "C52 a library opened with RTLD_DEEPBIND has this malloc" \
        trades_with_opened "$library"
    says "C53 what a library opens is looked for where its RUNPATH says" \
        opened_find_theirs "$library"
    says "C54 LIBMM_DEBUG=1 tells of RTLD_DEEPBIND, once" \
        tells_of_deepbind "$library"
    says "C55 dlclose unloads nothing: threads may still end" \
        stays_when_closed "$library"
done

same_sentences() {
    diff <(sed -n 's/^ok - //p' "$SCRATCH/sentences" | sort -u) \
        <(sed -n 's/^| \(C[0-9]*\) | \([^|]*[^ |]\) *|.*/\1 \2/p' \
            docs/conformance.md | sort -u)
}
expect "docs/conformance.md has the sentences that are tested" same_sentences
finish
