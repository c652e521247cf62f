#!/bin/bash
# cpu_name.sh - the processor's name, as results have it (mdriver names it the
# same way): x86 and RISC-V say it, Arm has a maker's and a core's number.
set -euo pipefail
# said KEY: what /proc/cpuinfo says of the first processor
said() {
    sed -n "s/^$1[[:blank:]]*: //p" /proc/cpuinfo | head -n 1
}
name=$(said 'model name')
name=${name:-$(said uarch)}
part=$(said 'CPU part')
[[ -n $name || -z $part ]] ||
    name="CPU implementer $(said 'CPU implementer'), part $part"
echo "${name:-unknown processor}"
