#!/bin/bash
# e2e_cpu_name.sh - scripts/cpu_name.sh: the processor's name, of what
# /proc/cpuinfo says on x86, Arm and RISC-V.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

# named WANT LINE...: the file has these lines, for each of two processors
named() {
    local want=$1
    shift
    printf '%s\n' "$@" '' "$@" '' >"$SCRATCH/cpuinfo"
    try scripts/cpu_name.sh "$SCRATCH/cpuinfo"
    expect_output "$want" 0 "^$want\$"
    expect "and nothing else" test "$(wc -l <<<"$out")" = 1
}
tab=$'\t'
named "AMD EPYC 9R14" "processor$tab: 0" "vendor_id$tab: AuthenticAMD" \
    "model$tab$tab: 17" "model name$tab: AMD EPYC 9R14" "stepping$tab: 1"
named "CPU implementer 0x41, part 0xd0c" "processor$tab: 0" \
    "BogoMIPS$tab: 243.75" "Features$tab: fp asimd atomics" \
    "CPU implementer$tab: 0x41" "CPU architecture: 8" "CPU variant$tab: 0x3" \
    "CPU part$tab: 0xd0c" "CPU revision$tab: 1"
named "Cortex-A72" "processor$tab: 0" "model name$tab: Cortex-A72" \
    "CPU implementer$tab: 0x41" "CPU part$tab: 0xd08"
named "sifive,u74-mc" "processor$tab: 0" "hart$tab$tab: 1" \
    "isa$tab$tab: rv64imafdc" "mmu$tab$tab: sv39" "uarch$tab$tab: sifive,u74-mc"
named "unknown processor" "processor$tab: 0" "hart$tab$tab: 1" \
    "isa$tab$tab: rv64imafdc"

try scripts/cpu_name.sh
expect_output "without a file: this machine's" 0 '.'
try scripts/cpu_name.sh "$SCRATCH/none"
expect_output "a file that is not there is named" 2 \
    '^cpu_name.sh: cannot read .*/none$'
finish
