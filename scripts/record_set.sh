#!/usr/bin/env bash
# record_set.sh - records the traces of real programs that traces/ ships.
#
#   scripts/record_set.sh [NAME...]     all, or some, into ./traces
#   scripts/record_set.sh --list
#
# Each function makes one trace, by a program that has to be installed. Another
# machine and another day give another trace of the same kind, so this is
# no part of `make traces`.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
inputs=$root/scripts/workloads
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
max_ops=300000

# record NAME COMMENT program argument...
skip=()
record()
{
    local out=$work/rec-$1.trace.zst comment=$2
    shift 2
    "$root/scripts/record.sh" -o "$out" -n $max_ops ${skip[@]+"${skip[@]}"} \
        -c "$comment" -- "$@" >/dev/null 2>"$work/err"
    grep ' operations of ' "$work/err"
}

# serve NAME COMMENT server argument... : in the background, $server to wait for
serve()
{
    record "$@" &
    server=$!
    sleep 6
}

# ---- one thread -------------------------------------------------------------

compiler()
{
    gcc -E -I"$root" -D_GNU_SOURCE "$root/driver/check/oracle.c" -o oracle.i
    record gcc-cc1 'GCC 12 compiles 6,000 preprocessed lines' \
        "$(gcc -print-prog-name=cc1)" -quiet -O2 oracle.i -o oracle.s
}

cxx()
{
    clang++ -E "$inputs/words.cc" -o words.ii
    record clang-cxx 'clang 14 parses and checks C++ with templates' \
        clang++ -fsyntax-only -x c++-cpp-output words.ii
}

python()
{
    PYTHONMALLOC=malloc record python-json \
        'Python 3.11, all objects by malloc (PYTHONMALLOC=malloc)' \
        /usr/bin/python3 documents.py
}

perl() { record perl-hash 'Perl 5.36' /usr/bin/perl hash.pl; }
lua() { record lua-objects 'Lua 5.4' lua5.4 objects.lua; }

sqlite()
{
    record sqlite3-tables 'SQLite 3.40, in memory' \
        sqlite3 :memory: '.read tables.sql'
}

jq()
{
    /usr/bin/python3 -c 'import json; print(json.dumps(
        [{"a": i, "b": {"c": str(i) * (i % 9)}}
         for i in range(4000)]))' >in.json
    local filter='map(select(.a % 3 == 0) | .b.c) | sort | group_by(length)'
    record jq-filter 'jq 1.6' /usr/bin/jq -c "$filter" in.json
}

# ---- several threads --------------------------------------------------------

threads()
{
    PYTHONMALLOC=malloc record python-threads-mt \
        'Python 3.11, 4 workers over queues (PYTHONMALLOC=malloc)' \
        /usr/bin/python3 queue_workers.py
}

node()
{
    skip=(-s 900000)
    record node-workers-mt 'Node.js 20 and V8, 3 workers, after its start' \
        "$(command -v node)" workers.js
    skip=()
}

redis()
{
    serve redis-mt 'Redis 7, I/O threads, lazy free; under redis-benchmark' \
        redis-server --port 7391 --io-threads 2 --io-threads-do-reads yes \
        --save '' --lazyfree-lazy-user-del yes --lazyfree-lazy-eviction yes \
        --maxmemory 4mb --maxmemory-policy allkeys-lru
    redis-benchmark -p 7391 -q -n 1000 -c 20 -d 200 -r 20000 \
        -t set,get,lpush,lpop,hset,zadd,mset >/dev/null
    redis-cli -p 7391 flushall async >/dev/null
    redis-cli -p 7391 shutdown nosave
    wait "$server"
    server=
}

mariadb()
{
    local at=$work/db
    mkdir "$at" && chmod 755 "$work" && chown mysql "$at"
    mariadb-install-db --no-defaults --user=mysql --datadir="$at" \
        --skip-test-db >/dev/null 2>&1
    serve mariadb-mt 'MariaDB 10.11 under mysqlslap, 8 clients, 3 rounds' \
        mariadbd --no-defaults --user=mysql --datadir="$at" --socket="$at/s" \
        --skip-networking --performance-schema=0 --query-cache-size=0 \
        --innodb-buffer-pool-size=16M --innodb-log-file-size=8M \
        --innodb-log-buffer-size=2M --innodb-flush-log-at-trx-commit=0 \
        --key-buffer-size=1M --aria-pagecache-buffer-size=1M
    mysqlslap --no-defaults --socket="$at/s" -u root --concurrency=8 \
        --iterations=3 --auto-generate-sql --number-of-queries=3000 \
        --auto-generate-sql-load-type=mixed \
        --auto-generate-sql-add-autoincrement >/dev/null
    mariadb-admin --no-defaults --socket="$at/s" -u root shutdown
    wait "$server"
    server=
}

pigz()
{
    tar -C /usr/lib -cf in.tar gcc python3
    record pigz-mt 'pigz 2.6 compresses a tar file in 64 KiB blocks' \
        /usr/bin/pigz -p 4 -b 64 -1 -c in.tar
}

pbzip2()
{
    head -c 60000000 "$(gcc -print-prog-name=cc1)" | cat - - >in.bin
    record pbzip2-mt 'pbzip2 1.1 compresses a program in 200 kB blocks' \
        /usr/bin/pbzip2 -p4 -b2 -1 -c in.bin
}

povray()
{
    record povray-mt 'POV-Ray 3.7 renders 300 spheres with 4 threads' \
        /usr/bin/povray +Iscene.pov +Onull.png +W320 +H240 +WT4 -D -GA
}

ffmpeg()
{
    record ffmpeg-x264-mt 'FFmpeg 5.1 and x264, 4 threads, 12 s of video' \
        /usr/bin/ffmpeg -nostdin -loglevel error -threads 4 -f lavfi \
        -i testsrc2=size=640x360:rate=25:duration=12 \
        -c:v libx264 -preset veryfast -threads 4 -f null -
}

git()
{
    /usr/bin/git clone -q --bare "$root" repo
    record git-log 'git 2.39 walks its history with statistics' \
        /usr/bin/git -C repo log --stat -p
}

java()
{
    javac -d . "$inputs/Groups.java"
    record java-mt 'OpenJDK 17: the JVM itself, not the Java heap' \
        java -Xmx64m Groups
}

all="compiler cxx python perl lua sqlite jq git \
threads node redis mariadb pigz pbzip2 povray ffmpeg java"

if [ "${1-}" = --list ]; then
    echo "$all" | tr ' ' '\n'
    exit
fi
cd "$work"
cp "$inputs"/* .
for name in ${*:-$all}; do
    "$name"
    # Of a program that starts others, the one with the most operations.
    largest=$(ls -S rec-*.zst | head -1)
    mv "$largest" "$root/traces/$(echo "$largest" | sed 's/\.[0-9]*\././')"
    rm -f rec-*.zst
done
