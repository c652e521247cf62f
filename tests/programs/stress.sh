# stress.sh - stress-ng's malloc stressor: threads, contents, sizes to 64 MiB.
# ci; needs: stress-ng
set -u
stress() {
    stress-ng --malloc 2 "$@" --verify --timeout 300 >log 2>&1
    echo "ended with $?"
    sed -n 's/.*\(dispatching hogs: .*\)/\1/p' log
    grep -iE 'fail|error|killed|abort|unrecognized' log || true
}
stress --malloc-bytes 64M --malloc-pthreads 3 --malloc-touch --malloc-max 100 \
    --malloc-ops $((500 * SOAK))
stress --malloc-bytes 1M --malloc-max 4000 --malloc-zerofree \
    --malloc-ops $((60000 * SOAK))
stress --malloc-bytes 2000 --malloc-max 60000 --malloc-pthreads 4 \
    --malloc-ops $((50000 * SOAK))
