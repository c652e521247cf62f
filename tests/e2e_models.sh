#!/bin/bash
# e2e_models.sh - spin walks through all states of the models of what threads
# share without a lock (tests/models/), and finds each planted mutant.
#
#   safe MODEL            no assertion fails, no state is a dead end
#   progress MODEL        no cycle: nobody spins until another takes a step
#   caught MODEL MUTANT   an assertion fails
#   waits MODEL MUTANT    there is a cycle
cd "$(dirname "$0")/.." || exit 2
. tests/lib.sh
if ! command -v spin >/dev/null; then
    ok "models # SKIP no spin here: scripts/setup.sh --ci installs it"
    finish
fi
models=$PWD/tests/models

# verify MODEL FLAG OPTION [MUTANT]: the verifier's words in $out.
verify() {
    local model=$1 flag=$2 option=$3 mutant=${4-} dir opt=-O2
    [[ -z $mutant ]] || opt=-O0    # soon found: compiling takes longer
    dir=$(mktemp -d -p "$SCRATCH")
    try bash -ec "cd '$dir'
        spin ${mutant:+-D$mutant} -a '$models/$model.pml'
        gcc -w $opt -D$flag -DNOFAIR -DCOLLAPSE -DMEMLIM=2000 -o pan pan.c
        ./pan $option -m10000"
}

# All states were seen: no search was cut short by depth or memory.
safe() {
    verify "$1" SAFETY ''
    expect_whole "$1: safe in every state"
}

progress() {
    verify "$1" NP -l
    expect_whole "$1: nobody waits in any state"
}

expect_whole() {
    if grep -Eq 'max search depth too small|out of memory|not completed' \
            <<<"$out"; then
        out="the search was cut short"
    fi
    expect_output "$1" 0 'errors: 0$'
}

caught() {
    verify "$1" SAFETY '' "$2"
    expect_output "$1: $2 is caught" 0 'assertion violated'
}

waits() {
    verify "$1" NP -l "$2"
    expect_output "$1: $2 is caught" 0 'non-progress cycle \(at'
}

for model in inbox stack merge steal move; do
    safe $model
    progress $model
done
for mutant in PLAIN_PUSH PLAIN_TAKE NO_CLOSED; do
    caught inbox $mutant
done
for mutant in NO_TAG PLAIN_POP PLAIN_PUSH; do
    caught stack $mutant
done
for mutant in NO_CLOSED NO_RECHECK SERVES_EARLY NO_MERGED STATE_LATE \
        OWNER_EARLY; do
    caught merge $mutant
done
for mutant in NO_BARRIER NO_CLAIM NO_LOOK PLAIN_CLAIM; do
    caught steal $mutant
done
for mutant in OWNED_FIRST MADE_OWNED; do
    caught move $mutant
done
for model in inbox stack steal move; do
    waits $model WAITS
done
waits merge CLOSE_FIRST
finish
