# node.sh - worker threads with zlib, and objects for the garbage collector.
# soak; needs: node
set -eu
for _ in 1 2 3 4 5; do
    node "$ROOT/scripts/workloads/workers.js"
done
cat >objects.js <<'END'
const crypto = require('crypto');
let live = new Map(), digest = crypto.createHash('md5');
for (let i = 0; i < 400000; i++) {
    live.set(i % 20000, { name: 'n' + i, data: Buffer.alloc(i * 7919 % 3000) });
    if (i % 1000 === 0)
        digest.update(JSON.stringify([...live.values()].slice(0, 50)));
}
console.log(live.size, digest.digest('hex'));
END
node objects.js
