"""queue_workers.py - a main thread and four workers over two queues."""
import json
import queue
import threading

todo, done = queue.Queue(100), queue.Queue()


def work():
    while (text := todo.get()) is not None:
        order = json.loads(text)
        order["sum"] = sum(order["values"])
        done.put(json.dumps(order))


workers = [threading.Thread(target=work) for _ in range(4)]
for worker in workers:
    worker.start()
for i in range(500):
    todo.put(json.dumps({"id": i, "name": f"order {i}",
                         "values": [k * k for k in range(i % 24)]}))
for _ in workers:
    todo.put(None)
for worker in workers:
    worker.join()
print(sum(len(done.get()) for _ in range(done.qsize())))
