#!/bin/bash
# e2e_model_check.sh - the lock-free headers, and mutants of them, under GenMC,
# which walks through all executions that C's memory model allows: the small
# matrix of tests/models/c/matrix.py. Without the checker: a skip.
#
# Before, with or without it: is an order seen that no driver covers, a word
# that the table of docs/lock-free.md does not name, and one without an order?
cd "$(dirname "$0")/.." || exit 2
. tests/lib.sh

tree=$SCRATCH/tree
orders() {
    GENMC=$SCRATCH/none "$tree/tests/models/c/matrix.py"
}
# plant FILE TEXT: at the end of the header
plant() {
    rm -rf "$tree" && mkdir -p "$tree/tests/models" "$tree/scripts" "$tree/docs"
    cp -r mm mm.[ch] mem*.[ch] config.h count.h hint.h preload*.[ch] "$tree"
    cp -r designs "$tree"
    cp -r tests/models/c "$tree/tests/models"
    cp scripts/marks.py "$tree/scripts" && cp docs/lock-free.md "$tree/docs"
    sed -i "\$s|.*|$2\n&|" "$tree/$1"
}
plant mm/front/inbox.h ''
try orders
expect_output "orders, words and tables agree" 0 '^ok - orders: [1-9]'
plant mm/front/inbox.h 'static inline void *inbox_new(struct inbox *in)\n{\n\
    return atomic_load_explicit(\&in->chain, memory_order_acquire);\n}\n'
try orders
expect_output "an order that no driver covers is told" 1 \
    'inbox.h: inbox_new/acquire is in no row of the matrix'
plant mm/front/inbox.h 'static _Atomic int inbox_words;\n'
try orders
expect_output "a word that no table names is told" 1 \
    'does not name inbox_words of inbox.h'
plant mm/arena/shard.h 'static _Atomic int arena_words;\n'
try orders
expect_output "nor one of a stage with locks" 1 \
    'does not name arena_words of shard.h'
plant mm/per_thread/shard.h 'static inline void words_new(void)\n{\n\
    atomic_store_explicit(\&registry.nshards, 0, memory_order_release);\n}\n'
try orders
expect_output "an order of theirs is told, too" 1 \
    'per_thread/shard.h: words_new/release is in no row of the matrix'
plant designs/tally.h 'static inline void tally_new(_Atomic int *words)\n{\n\
    atomic_store_explicit(words, 0, memory_order_release);\n}\n'
try orders
expect_output "and one of a design" 1 \
    'designs/tally.h: tally_new/release is in no row of the matrix'
plant mm/util.h 'static inline int plain(int *words)\n{\n\
    return __atomic_load_n(\&words->plain_word, __ATOMIC_RELAXED);\n}\n'
try orders
expect_output "nor a plain one that is read by an atomic function" 1 \
    'does not name plain_word of util.h'
if command -v clang >/dev/null; then
    plant mm/front/inbox.h 'static inline void *inbox_new(struct inbox *in)\n\
{\n    return in->chain;\n}\n'
    try orders
    expect_output "an atomic word without an order is told" 1 \
        'mm/front/inbox.h:[0-9]+: implicit use of seq'
    for header in mm/arena/thread mm/per_thread/stage mm/lock mm/gate; do
        plant $header.h 'static inline int words_new(_Atomic int *words)\n{\n\
    return *words;\n}\n'
        try orders
        expect_output "also one of $header.h" 1 \
            "$header.h:[0-9]+: implicit use of seq"
    done
else
    echo "ok - an atomic word without an order # SKIP no clang here"
fi

try tests/models/c/matrix.py --help
expect_output "the matrix says what it takes" 0 '^ +tests/models/.* --all '
for wrong in --al '--only stek' '--show steal no_such'; do
    # shellcheck disable=SC2086 # its words
    try tests/models/c/matrix.py $wrong
    expect_output "and what it does not: $wrong" 2 '^matrix.py: found .*--help'
done

tests/models/c/matrix.py || lib_failed=1
finish
