# redis.sh - redis-server under redis-benchmark; snapshots by fork, reloaded.
# ci; needs: redis-server redis-benchmark redis-cli
set -u
redis-server --port 0 --unixsocket "$PWD/socket" --save '' --dir "$PWD" \
    --io-threads 2 --enable-debug-command yes --lazyfree-lazy-user-del yes \
    >server.log 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server' EXIT
cli() { redis-cli -s socket "$@"; }
for _ in $(seq 3000); do # five minutes, or until it has ended
    kill -0 $server || break
    [[ $(cli ping 2>/dev/null) == PONG ]] && break
    sleep 0.1
done
cli ping

redis-benchmark -s socket -n $((10000 * SOAK)) -c 20 -P 4 -r 3000 -d 300 -q \
    --threads 2 -t set,get,incr,lpush,rpush,lpop,sadd,hset,zadd,mset \
    2>&1 | tr '\r' '\n' | sed -n 's/: [0-9.]* requests per second.*//p' |
    grep -v '^ *$' | LC_ALL=C sort -u

cli flushall
cli eval 'for i = 1, tonumber(ARGV[1]) do
    redis.call("set", "s" .. i, string.rep("x", i % 700))
    redis.call("rpush", "l" .. i % 50, i, string.rep("y", i % 90))
    redis.call("hset", "h" .. i % 70, "f" .. i, i)
    redis.call("zadd", "z" .. i % 30, i * 7919 % 1000, "m" .. i)
    if i % 3 == 0 then redis.call("unlink", "s" .. i / 3) end
end return redis.call("dbsize")' 0 $((20000 * SOAK))
cli debug digest
cli debug reload
cli debug digest
cli bgsave
for _ in $(seq 3000); do
    kill -0 $server || break
    [[ $(cli info persistence) == *rdb_bgsave_in_progress:0* ]] && break
    sleep 0.1
done
cli info persistence | grep -E 'rdb_(last_bgsave_status|bgsave_in)'
cli memory purge
cli dbsize
cli shutdown nosave
wait $server
echo "redis-server ended with $?"
