#!/bin/bash
# e2e_install.sh - make install: programs find, link and run with libmm.
#
# alone: it builds in the tree
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES B SAN
export CC=gcc

make_there() {
    make -s "$@" DESTDIR="$SCRATCH/root" PREFIX=/opt/mm
}
try make_there install
there=$SCRATCH/root/opt/mm
for file in lib/libmm.so lib/libmm.a lib/pkgconfig/libmm.pc \
    share/man/man3/libmm.3 bin/libmm-top; do
    expect "make install brings $file" test -f "$there/$file" -a \
        ! -L "$there/$file"
done

# Fills and frees memory; says whose malloc it uses, and how much it counted.
cat >"$SCRATCH/program.c" <<'END'
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
    size_t before = mallinfo2().uordblks;
    char *p = memset(malloc(1000000), 'x', 1000000);
    size_t with = mallinfo2().uordblks;
    p = realloc(p, 2000000);
    printf("%d %d %zu\n", with - before >= 1000000 && with - before < 1010000,
           mallopt(M_ARENA_MAX, 1), strspn(p, "x"));
    free(p);
    free(aligned_alloc(4096, 100));
    malloc_stats();
    return 0;
}
END
says_ours() {
    local said
    said=$("$@" 2>"$SCRATCH/stats") || return
    [[ $said == "1 0 1000000" ]] &&
        grep -q '^max system bytes = ' "$SCRATCH/stats"
}

flags() {
    PKG_CONFIG_PATH=$there/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$SCRATCH/root \
        pkg-config "$@" libmm
}
links() {
    # shellcheck disable=SC2046 # the words of the flags
    gcc -fno-builtin -o "$SCRATCH/linked" "$SCRATCH/program.c" $(flags --libs)
}
expect "pkg-config says how to link" links
needed=$(objdump -p "$SCRATCH/linked" | grep -c 'NEEDED *libmm\.so$')
expect "what is linked needs libmm.so" test "$needed" = 1
expect "a linked program runs with it" says_ours env \
    LD_LIBRARY_PATH="$there/lib" "$SCRATCH/linked"

links_static() {
    gcc -static -fno-builtin -o "$SCRATCH/static" "$SCRATCH/program.c" \
        "$there/lib/libmm.a" -pthread
}
expect "libmm.a links statically" links_static
expect "a static program runs with it" says_ours "$SCRATCH/static"
shown=$(nm -g --defined-only "$there/lib/libmm.a" | grep -cE ' (mm|mem)_')
expect "libmm.a shows none of its own names" test "$shown" = 0

# C++, threads and a static executable together.
cat >"$SCRATCH/program.cc" <<'END'
#include <cstdio>
#include <map>
#include <malloc.h>
#include <string>
#include <thread>
static void fill(std::map<int, std::string> *m)
{
    for (int i = 0; i < 10000; i++)
        (*m)[i % 3000] += "some more text";
}
int main()
{
    std::map<int, std::string> a, b;
    std::thread first(fill, &a), second(fill, &b);
    first.join();
    second.join();
    std::printf("%d %d\n", a == b, mallinfo2().uordblks > 6000 * 42);
}
END
links_cxx() {
    g++ -static -o "$SCRATCH/cxx" "$SCRATCH/program.cc" "$there/lib/libmm.a" \
        -pthread
}
expect "libmm.a links with a static C++ program" links_cxx
try "$SCRATCH/cxx"
expect_output "a static C++ program with threads runs with it" 0 '^1 1$'

reads() {
    man -l --warnings -E UTF-8 "$there/share/man/man3/libmm.3" >/dev/null \
        2>"$SCRATCH/warnings" && ! grep . "$SCRATCH/warnings"
}
if command -v man >/dev/null && command -v groff >/dev/null; then
    expect "the man page is well formed" reads
fi

top_says() {
    "$there/bin/libmm-top" $$ 2>&1 | grep -q "has no libmm"
}
expect "libmm-top runs from there" top_says

make_there uninstall
expect "make uninstall leaves nothing" \
    test -z "$(find "$SCRATCH/root" -type f)"
finish
