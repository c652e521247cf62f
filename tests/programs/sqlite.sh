# sqlite.sh - tables, indexes, joins and groups; in memory, then in a file.
# ci; needs: sqlite3
set -eu
for i in $(seq "$SOAK"); do
    sqlite3 "$i.db" <"$ROOT/scripts/workloads/tables.sql" | md5sum
done
for database in :memory: file.db; do
    sqlite3 "$database" <"$ROOT/scripts/workloads/tables.sql" | md5sum
done
sqlite3 file.db 'pragma integrity_check; vacuum; reindex;
    select count(*), sum(length(note)), max(day) from sale;'
sqlite3 file.db .dump | md5sum
