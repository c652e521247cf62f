#!/bin/bash
# cpu_name.sh - the processor's name, as results have it (mdriver names it the
# same way): x86 and RISC-V say it, Arm has a maker's and a core's number.
#
#   scripts/cpu_name.sh [FILE]    of what FILE says (/proc/cpuinfo)
set -euo pipefail
cpuinfo=${1:-/proc/cpuinfo}
[[ -r $cpuinfo ]] || { echo "cpu_name.sh: cannot read $cpuinfo" >&2; exit 2; }
# said KEY: what it says of the first processor
said() {
    sed -n "s/^$1[[:blank:]]*: //p" "$cpuinfo" | head -n 1
}
name=$(said 'model name')
name=${name:-$(said uarch)}
part=$(said 'CPU part')
[[ -n $name || -z $part ]] ||
    name="CPU implementer $(said 'CPU implementer'), part $part"
echo "${name:-unknown processor}"
