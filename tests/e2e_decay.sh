#!/bin/bash
# e2e_decay.sh - memory goes back by itself after a burst, whoever freed what,
# with calls going on or by the library's own thread; and that thread is as good
# as not there.
#
# No limit in seconds: the programs look every 10 ms, so many times at most, and
# a process that is slow finds that as many periods have passed. Some 40 looks
# are needed.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
LOOKS=400

# The default is five times as long: small 0 sleep has that.
export MM_DECAY=200

build() {
    gcc -O2 -Wall -pthread -o "$SCRATCH/$1" "$2"
}
expect "the programs build" build burst tests/decay/burst.c
expect "the programs build" build thread tests/decay/thread.c

# goes_back LIBRARY ARGUMENTS OF burst...
goes_back() {
    local library=$1
    shift
    LD_PRELOAD=$PWD/$library "$SCRATCH/burst" "$@" "$LOOKS"
}

# The same is not to be had if nobody is to see to it: the test can fail. What
# has to stay though it may go is made before it may: a burst takes its time.
stays() {
    ! MM_DECAY=-1 LD_PRELOAD=$PWD/$1 "$SCRATCH/burst" small 8 sleep calls 50 &&
        ! MM_DECAY=1000000 LD_PRELOAD=$PWD/$1 "$SCRATCH/burst" \
            small 8 sleep calls 50 &&
        ! MM_DECAY=-1 LD_PRELOAD=$PWD/$1 "$SCRATCH/burst" \
            small 8 sleep asks 50 &&
        MM_DECAY=-1 MM_BACKGROUND=1 LD_PRELOAD=$PWD/$1 "$SCRATCH/burst" \
            small 8 sleep asks "$LOOKS"
}

jobs=("medium 0 sleep" "small 8 sleep" "large 8 sleep" "small 64 sleep"
    "large 64 sleep" "small 8 end" "large 8 others" "small 8 others")
for library in libmm.so libmm-arena.so; do
    LOOKS=2000 MM_DECAY=1000 expect \
        "$library: small 0 sleep: goes back, with calls going on" \
        goes_back $library small 0 sleep calls
    for job in "${jobs[@]}"; do
        # shellcheck disable=SC2086
        expect "$library: $job: goes back, with calls going on" \
            goes_back $library $job calls
        # shellcheck disable=SC2086
        MM_BACKGROUND=1 expect "$library: $job: goes back by the thread" \
            goes_back $library $job idle
    done
    expect "$library: without decay it stays" stays $library
    while IFS= read -r result; do
        case $result in
        "ok - "*) ok "$library: ${result#ok - }" ;;
        *) not_ok "$library: the library's own thread" "$result" ;;
        esac
    done < <(LD_PRELOAD=$PWD/$library MM_BACKGROUND=1 MM_DECAY=100 \
        "$SCRATCH/thread" 2>&1)
done
finish
