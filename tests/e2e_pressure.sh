#!/bin/bash
# e2e_pressure.sh - near its cgroup's limit of memory a process gives back at
# once what nobody uses (MM_BACKGROUND, MM_PRESSURE): a cgroup that is a
# directory of plain files, and a real one where one may be made.
#
# Memory would rest for half of MM_DECAY, 24 s; a period lasts 6 s: what goes
# within 20 s goes by the pressure, and what stays for 14 s has met it. Programs
# look every 10 ms, so many times at most; they run side by side: they sleep.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
export MM_DECAY=48000 MM_BACKGROUND=1
LOOKS=2000
gcc -O2 -Wall -pthread -o "$SCRATCH/burst" tests/decay/burst.c

# cgroup NAME CURRENT HIGH MAX STALLED
cgroup() {
    mkdir -p "$SCRATCH/$1"
    echo "$2" >"$SCRATCH/$1/memory.current"
    echo "$3" >"$SCRATCH/$1/memory.high"
    echo "$4" >"$SCRATCH/$1/memory.max"
    echo "some avg10=$5 avg60=0.00 avg300=0.00 total=1" \
        >"$SCRATCH/$1/memory.pressure"
}

# goes_back LIBRARY CGROUP [NAME=VALUE]
goes_back() {
    env MM_CGROUP="$SCRATCH/$2" ${3:+"$3"} LD_PRELOAD="$PWD/$1" \
        "$SCRATCH/burst" small 8 sleep idle "$LOOKS"
}
stays() {
    local LOOKS=1400
    ! goes_back "$@"
}

# side NAME COMMAND...: as expect, at the side; sides waits for all
side() {
    {
        expect "$@"
        exit "$lib_failed"
    } &
}
sides() {
    local pid
    for pid in $(jobs -p); do
        wait "$pid" || lib_failed=1
    done
}

cgroup far 800 1000 max 0.00
cgroup near 950 1000 max 0.00
cgroup max 950 max 1000 0.00
cgroup stalls 800 1000 max 12.34
cgroup unlimited 950 max max 99.00
cgroup near/below 1 max max 0.00
cgroup nothing '' '' '' ''
side "libmm.so: near memory.high" goes_back libmm.so near
side "libmm-arena.so: near memory.high" goes_back libmm-arena.so near
side "near memory.max" goes_back libmm.so max
side "some wait for memory" goes_back libmm.so stalls
side "a cgroup above it is near" goes_back libmm.so near/below
side "MM_PRESSURE=75: from there on" goes_back libmm.so far MM_PRESSURE=75
sides
side "libmm.so: far from it" stays libmm.so far
side "libmm-arena.so: far from it" stays libmm-arena.so far
side "without a limit there is none to be near" stays libmm.so unlimited
side "a cgroup of which nothing is known" stays libmm.so nothing
side "MM_PRESSURE=0: never" stays libmm.so near MM_PRESSURE=0
side "without the thread nobody looks" stays libmm.so near MM_BACKGROUND=0
sides

# The limit is four times what stays. Files of the cgroup's are as root of its
# hierarchy sees them.
real=$(findmnt -t cgroup2 -no TARGET | head -n 1)/libmm-test-$$
makes_cgroup() {
    [[ $EUID -eq 0 ]] && mkdir "$real" 2>/dev/null &&
        echo 384M >"$real/memory.high"
}
in_cgroup() {
    MM_CGROUP=$real LD_PRELOAD=$PWD/libmm.so bash -c '
        echo $$ >"$0/cgroup.procs" && exec "$@"' "$real" \
        "$SCRATCH/burst" small 8 sleep idle $LOOKS
}
if makes_cgroup 2>/dev/null; then
    expect "a real cgroup" in_cgroup
else
    ok "a real cgroup # SKIP needs root, and cgroup2's memory controller"
fi
rmdir "$real" 2>/dev/null
finish
