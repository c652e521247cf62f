# python.sh - Python's own test modules, all objects by malloc.
# ci; needs: python3.11 test_json
set -u
export PYTHONMALLOC=malloc PYTHONHASHSEED=0
cd "$(mktemp -d -p .)" || exit 1

# module NAME ARGUMENT...: what it tested, and what of it failed
module() {
    /usr/bin/python3 -m unittest "$@" 2>&1 |
        grep -E '^(Ran|OK|FAILED|FAIL:|ERROR:|Fatal|.*(Abort|Segm))' |
        sed 's/ in [0-9.]*s$//; s/^/'"$1"': /'
}

module test.test_json
if ((SOAK > 1)); then
    for name in test_threading test_multiprocessing_fork test_queue \
        test_pickle test_dict test_gc test_re test_unicode \
        test_threading_local test_sqlite3; do
        module "test.$name"
    done
else
    module test.test_threading -k ThreadTests -k LockTests -k BarrierTests \
        -k TimerTests -k ThreadingExceptionTests -k EventTests
    module test.test_multiprocessing_fork -k ThreadsTestPool \
        -k WithProcessesTestQueue -k WithProcessesTestSharedMemory \
        -k WithProcessesTestValue -k WithProcessesTestArray \
        -k WithManagerTestNamespace
fi
for script in documents queue_workers; do
    /usr/bin/python3 "$ROOT/scripts/workloads/$script.py"
done
