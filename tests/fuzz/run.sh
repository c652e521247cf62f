#!/bin/bash
# run.sh - fuzzes the trace reader for a while; fails on a crash.
#
#   tests/fuzz/run.sh [SECONDS]     60 unless given; KEEP=1 keeps what is new
#
# Needs clang. ASan, UBSan and a limit on memory are on: a header that makes
# the reader allocate what its file cannot bear out is a failure too. An input
# that fails is left in tests/fuzz/crashes/; give its path to the program to
# see it again. With KEEP=1 inputs that reach new code join the corpus.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-60}
here=tests/fuzz
build=build-fuzz
corpus=$here/corpus
max_len=1024      # bytes of an input
memory_mb=160     # of one allocation: the largest zstd window, and some
rss_mb=1024       # of the process, sanitizers included

command -v clang >/dev/null || {
    echo "$0: clang not found; libFuzzer needs it: apt-get install clang" >&2
    exit 1
}
mkdir -p "$build" "$here/crashes"
clang -std=gnu11 -O1 -g -Wall -Wextra -Werror -I. -D_GNU_SOURCE \
    -DTRACE_MAX_TEXT='((size_t)1 << 20)' -fno-sanitize-recover=all \
    -fsanitize=fuzzer,address,undefined -fno-omit-frame-pointer \
    -o "$build/fuzz_trace" "$here/fuzz_trace.c" "$here/driver_mem_malloc.c" \
    driver/trace/trace.c driver/trace/trace_*.c -lzstd

found=$(mktemp -d)
trap 'rm -rf "$found"; rmdir "$here/crashes" 2>/dev/null || true' EXIT
fuzz() {
    "$build/fuzz_trace" -max_len=$max_len -timeout=60 -verbosity="${V:-0}" \
        -malloc_limit_mb=$memory_mb -rss_limit_mb=$rss_mb \
        -artifact_prefix="$here/crashes/" "$@"
}

echo "fuzz_trace: $(find "$corpus" -type f | wc -l) inputs, $seconds seconds"
fuzz -dict="$here/trace.dict" -max_total_time="$seconds" \
    -print_final_stats=1 "$found" "$corpus"
echo "fuzz_trace: $(find "$found" -type f | wc -l) inputs reach new code"
[[ -z ${KEEP-} ]] || fuzz -use_counters=0 -merge=1 "$corpus" "$found"
echo "1 passed, 0 failed"
