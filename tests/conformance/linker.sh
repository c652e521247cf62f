# linker.sh - what concerns the dynamic linker, for tests/e2e_conformance.sh:
# libraries that are opened and closed, and the names that libc has.
#
# shellcheck shell=bash

# Builds the programs into $SCRATCH; a library that lies where only the plugin's
# RUNPATH leads.
build_opened() {
    local from=tests/conformance/opened cc=${CC:-gcc}
    mkdir "$SCRATCH/inner" &&
        $cc -shared -fPIC -o "$SCRATCH/inner/libinner.so" -x c /dev/null &&
        $cc -shared -fPIC -fno-builtin -D_GNU_SOURCE -o "$SCRATCH/plugin.so" \
            "$from/plugin.c" "-Wl,--enable-new-dtags,-rpath,\$ORIGIN/inner" &&
        $cc -fno-builtin -D_GNU_SOURCE -o "$SCRATCH/opener" "$from/opener.c" &&
        $cc -D_GNU_SOURCE -pthread -o "$SCRATCH/closer" "$from/closer.c"
}

opener() { # LIBRARY OPTION
    LD_PRELOAD=$PWD/$1 "$SCRATCH/opener" "$2" "$SCRATCH/plugin.so"
}
trades_with_opened() {
    opener "$1" --trade
}
opened_find_theirs() {
    opener "$1" --find
}

# Once, and only if it is asked for.
tells_of_deepbind() {
    local quiet told
    quiet=$(opener "$1" --trade 2>&1)
    told=$(LIBMM_DEBUG=1 opener "$1" --trade 2>&1 | grep -c 'RTLD_DEEPBIND')
    [[ -z $quiet && $told -eq 1 ]]
}

stays_when_closed() {
    "$SCRATCH/closer" "$PWD/$1"
}

# libc's names that sound like an allocator's, but those of its private parts.
WORDS='alloc|memalign|free|mallinfo|mallopt|mallwatch|morecore|mcheck|mprobe'
WORDS+='|mtrace|muntrace|tr_break|_hook|obstack'
libc_names() {
    nm -D --defined-only "$(${CC:-gcc} -print-file-name=libc.so.6)" |
        grep -v GLIBC_PRIVATE | awk '{ sub(/@.*/, "", $3); print $3 }' |
        grep -E "$WORDS" | LC_ALL=C sort -u
}

# Each is exported, or in the table of docs/conformance.md. Prints the others.
all_names_decided() {
    libc_names >"$SCRATCH/names" && [[ -s $SCRATCH/names ]] || return
    {
        nm -D --defined-only "$1" | awk '{ print $3 }'
        sed -n '/^## Names of libc/,/^## /s/`\([^`]*\)`/\n\1\n/gp' \
            docs/conformance.md
    } | LC_ALL=C sort -u >"$SCRATCH/decided"
    ! LC_ALL=C comm -23 "$SCRATCH/names" "$SCRATCH/decided" | grep .
}
