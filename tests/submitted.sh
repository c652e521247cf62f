# submitted.sh - for tests of files that are handed in: `. tests/submitted.sh`
# behind lib.sh.
#
#   made NAME STATEMENT [LINE...]  $SCRATCH/NAME.c is docs/examples/mine.c; its
#       malloc of 777 bytes does the statement first; the lines go before it
#
# shellcheck shell=bash
made() {
    printf '%s\n' "${@:3}" >"$SCRATCH/$1.c"
    awk -v what="${2//\\/\\\\}" '{ print }
        /^static void \*mine_malloc/ { inside = 1 }
        inside && /^{/ { print "    if (size == 777) {", what, "}"; inside = 0 }
        ' docs/examples/mine.c >>"$SCRATCH/$1.c"
}
