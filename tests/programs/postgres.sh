# postgres.sh - a PostgreSQL cluster under pgbench, and queries by many workers.
# soak; needs: initdb pg_ctl pgbench psql
set -u
bin=$(dirname "$(find /usr/lib/postgresql -name initdb | sort | tail -n 1)")
export PATH=$bin:$PATH PGHOST=$PWD PGUSER=lab PGDATABASE=postgres
export PGOPTIONS='-c max_parallel_workers_per_gather=3 -c jit=off'
as=()
if ((EUID == 0)); then # it refuses to be root
    as=(setpriv --reuid=65534 --clear-groups)
    export HOME=$PWD
fi
"${as[@]}" initdb -D data -U lab --locale=C.UTF-8 -A trust >initdb.log 2>&1 ||
    { cat initdb.log; exit 1; }
"${as[@]}" pg_ctl -D data -w -l "$PWD/server.log" -o "-k '$PWD' -h '' \
    -c fsync=off -c parallel_setup_cost=0 -c parallel_tuple_cost=0 \
    -c min_parallel_table_scan_size=0" start >/dev/null
trap '"${as[@]}" pg_ctl -D data -m immediate stop >/dev/null 2>&1' EXIT
pgbench -i -s 3 -q >init.log 2>&1
for kind in simple extended prepared; do
    pgbench -c 8 -j 2 -t $((200 * SOAK)) -M $kind --random-seed=7 -n 2>&1 |
        grep -E 'actually processed|failed'
done
psql -At <<'END'
select sum(abalance), count(*) from pgbench_accounts;
select sum(bbalance) = (select sum(abalance) from pgbench_accounts),
    (select count(*) from pgbench_history) from pgbench_branches;
select md5(string_agg(aid::text, ',' order by aid % 977, aid)),
    count(distinct aid % 1009) from pgbench_accounts;
create table words as select i, md5(i::text) as word
    from generate_series(1, 200000) i;
create index on words(word);
select count(*), max(a.word) from words a join words b on a.word = b.word
    where a.i % 3 = 0;
select md5(json_agg(s)::text), count(*) from (select left(word, 2) x,
    array_agg(i order by word) from words group by 1 order by 1) s;
vacuum analyze words;
END
"${as[@]}" pg_ctl -D data -m fast stop | tail -n 1
grep -E 'PANIC|FATAL|signal|terminated' server.log |
    grep -vE 'the database system is|administrator command' |
    cut -d ' ' -f 4-
:
