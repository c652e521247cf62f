// workers.js - a main thread that hands buffers to three worker threads.
const { Worker, isMainThread, parentPort } = require('worker_threads');
const zlib = require('zlib');

if (!isMainThread) {
    parentPort.on('message', (job) => {
        if (job === null)
            return process.exit(0);
        const text = Buffer.from(job.data).toString('hex');
        const packed = zlib.deflateSync(text);
        parentPort.postMessage({ id: job.id, packed }, [packed.buffer]);
    });
} else {
    const workers = Array.from({ length: 3 }, () => new Worker(__filename));
    let sent = 0, got = 0, bytes = 0;
    const next = (worker) => {
        if (sent === 400)
            return worker.postMessage(null);
        const data = new Uint8Array(1000 + (sent * 7919) % 30000).fill(sent);
        worker.postMessage({ id: sent++, data }, [data.buffer]);
    };
    for (const worker of workers) {
        worker.on('message', (m) => {
            bytes += m.packed.length;
            got++;
            next(worker);
        });
        next(worker);
        next(worker);
    }
    process.on('exit', () => console.log(got, bytes));
}
