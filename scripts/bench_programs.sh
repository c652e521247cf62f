# bench_programs.sh - the real programs that bench.sh runs under each allocator.
#
#   . scripts/bench_programs.sh
#   program_names              one name a line
#   program_threads NAME       how many threads it has
#   program_lacks NAME         the Debian package, if it is not installed
#   program_prepare NAME DIR   makes its input in DIR
#   program_command NAME       sets `command`; it is run in DIR
#
# Inputs are those of the recorded traces (scripts/workloads), made larger so
# that a run takes a good part of a second, and this project's own sources.
# Each prints the same whatever allocator it has.
#
# shellcheck shell=bash disable=SC2034 # command is the caller's
program_names() {
    printf '%s\n' python3 python3-threads perl sqlite3 cc1 lua jq node
}

program_threads() {
    case $1 in
    python3-threads) echo 5 ;;
    node) echo 4 ;;
    *) echo 1 ;;
    esac
}

# executable, package
program_needs() {
    case $1 in
    python3*) echo /usr/bin/python3 python3 ;;
    perl) echo /usr/bin/perl perl ;;
    sqlite3) echo /usr/bin/sqlite3 sqlite3 ;;
    cc1) echo /usr/bin/gcc gcc ;;
    lua) echo /usr/bin/lua5.4 lua5.4 ;;
    jq) echo /usr/bin/jq jq ;;
    node) echo /usr/bin/node nodejs ;;
    esac
}

program_lacks() {
    local executable package
    read -r executable package < <(program_needs "$1")
    [[ -x $executable ]] || echo "$package"
}

# larger FILE SED-EXPRESSION >DIR/FILE
larger() {
    sed "$2" "scripts/workloads/$1" >"$dir/$1"
    ! cmp -s "$dir/$1" "scripts/workloads/$1" || {
        echo "bench_programs.sh: $1 is not what it was: '$2' finds nothing" >&2
        return 1
    }
}

program_prepare() {
    local name=$1 dir=$2 source
    case $name in
    python3) larger documents.py 's/range(450)/range(9000)/' ;;
    python3-threads) larger queue_workers.py 's/range(500)/range(12000)/' ;;
    perl) larger hash.pl 's/1 \.\. 20000/1 .. 500000/' ;;
    sqlite3) larger tables.sql 's/4000)/40000)/; s/12000)/120000)/' ;;
    cc1)
        for source in driver/check/oracle driver/report/report_json \
                driver/run/child memlib; do
            gcc -E -I. -D_GNU_SOURCE "$source.c" \
                -o "$dir/$(basename "$source").i"
        done ;;
    lua) larger objects.lua 's/1, 5000/1, 200000/' ;;
    jq)
        /usr/bin/python3 -c 'import json; print(json.dumps(
            [{"a": i, "b": {"c": str(i) * (i % 9)}} for i in range(60000)]))' \
            >"$dir/in.json" ;;
    node) cp scripts/workloads/workers.js "$dir" ;;
    esac
}

program_command() {
    case $1 in
    python3) command=(env PYTHONMALLOC=malloc /usr/bin/python3 documents.py) ;;
    python3-threads)
        command=(env PYTHONMALLOC=malloc /usr/bin/python3 queue_workers.py) ;;
    perl) command=(/usr/bin/perl hash.pl) ;;
    sqlite3) command=(/usr/bin/sqlite3 :memory: '.read tables.sql') ;;
    cc1)    # the largest of these processes is the peak
        # shellcheck disable=SC2016
        command=(sh -c 'for f in *.i; do
            "$0" -quiet -O2 "$f" -o -; done'
            "$(gcc -print-prog-name=cc1)") ;;
    lua) command=(/usr/bin/lua5.4 objects.lua) ;;
    jq)
        command=(/usr/bin/jq -c
            'map(select(.a % 3 == 0) | .b.c) | sort | group_by(length)'
            in.json) ;;
    node) command=(/usr/bin/node workers.js) ;;
    esac
}
