#!/bin/bash
# e2e_preload.sh - small jobs of real programs print the same under every
# libmm-NAME.so as without; tests/programs has the larger ones, for libmm.so.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

python_works() {
    python3 - <<'END'
import json, sqlite3, threading
table = {str(i): list(range(i % 50)) for i in range(5000)}
text = json.dumps(table)
assert json.loads(text) == table
sums = {}
def work(k):
    sums[k] = sum(map(len, [bytes(j % 700) for j in range(20000)]))
threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
for t in threads: t.start()
for t in threads: t.join()
db = sqlite3.connect(":memory:")
db.execute("create table t(a, b)")
rows = ((i, str(i) * 9) for i in range(9999))
db.executemany("insert into t values(?, ?)", rows)
print(len(text), sorted(sums.items()))
print(db.execute("select sum(a), max(length(b)) from t").fetchall())
END
}

sqlite_joins() {
    sqlite3 :memory: 'create table t(a integer primary key, b);
        with recursive n(i) as (select 1 union all select i + 1 from n
            where i < 20000)
        insert into t select i, hex(i * i) || printf("%.*c", i % 90, "x")
            from n;
        create index by_b on t(b);
        select count(*), sum(length(x.b)), max(y.b) from t x join t y
            on y.a = x.a * 7 % 20001;
        update t set b = b || b where a % 3 = 0;
        delete from t where a % 5 = 0;
        select count(*), sum(length(b)), min(b) from t group by a % 4;
        pragma integrity_check'
}

# Children of a process with threads allocate, and end.
python_forks() {
    python3 - <<'END'
import multiprocessing, threading
def square(n): return sum(len(bytes(n)) for _ in range(1000))
def churn():
    while not done.is_set(): [bytes(n % 999) for n in range(999)]
done = threading.Event()
threads = [threading.Thread(target=churn) for _ in range(3)]
for t in threads: t.start()
with multiprocessing.get_context("fork").Pool(4) as pool:
    print(pool.map(square, range(40)))
done.set()
for t in threads: t.join()
END
}

perl_hashes() {
    # shellcheck disable=SC2016
    perl -e 'my %h; $h{$_ % 1000} .= "x$_" for 1 .. 200000;
             print length(join "", map { $h{$_} } sort keys %h), "\n"'
}

compiler_compiles() {
    gcc -O2 -g -I. -D_GNU_SOURCE -S -o - memlib.c
}

sort_sorts() {
    seq 200000 | sort -R --random-source=Makefile |
        sort --parallel=4 -S 8M | md5sum
}

export -f python_works python_forks sqlite_joins perl_hashes compiler_compiles \
    sort_sorts

# The designs: those with threads and children, and sqlite3.
runs_under() { # PROGRAM NAME
    [[ $1 == python_* || $1 == sqlite_* ||
        $2 == global || $2 == arena* || $2 == lockfree* ]]
}

for program in python_works python_forks sqlite_joins perl_hashes \
    compiler_compiles sort_sorts; do
    want=$(bash -c "$program" 2>&1)
    for library in ./libmm-*.so; do
        name=${library#./libmm-} name=${name%.so}
        runs_under "$program" "$name" || continue
        [[ $(readlink "$library") != libmm-* ]] || continue # another's name
        got=$(LD_PRELOAD=$PWD/$library bash -c "$program" 2>&1)
        status=$?
        if [[ $status -eq 0 && $got == "$want" ]]; then
            ok "$program under $name"
        else
            not_ok "$program under $name" \
                "exit status $status, printed: $(head -c 300 <<<"$got")"
        fi
    done
done
finish
