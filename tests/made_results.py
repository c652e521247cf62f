#!/usr/bin/env python3
"""made_results.py - writes result files of made-up figures, for tests.

    tests/made_results.py DIR
"""
import sys
from pathlib import Path

COLUMNS = (
    "threads,same,round,allocator,trace,copy,first_thread,lanes,status,ops,"
    "secs,secs_best,spread,runs,vs_libc,speedup,round_threads,round_ops,"
    "round_secs,round_secs_best,round_spread,round_vs_libc,round_speedup,"
    "payload_peak,heap_peak,utilization,touched_peak,resident_peak,"
    "resident_ratio").split(",")
LATENCY = [f"{call}_{what}" for call in ("malloc", "free")
           for what in ("p50_ns", "p99_ns", "p999_ns", "p9999_ns")]
PEERS = ["jemalloc", "tcmalloc", "mimalloc", "snmalloc", "rpmalloc",
         "an-allocator-with-a-long-name", "another-with-a-long-name"]
FIRST = ("# command: ./mdriver made up; date: {}; machine: Nothing, "
         "2 processors, Linux\n")


def line(threads, number, allocator, trace, factor):
    """A round of one trace; factor: speed against libc."""
    figures = {
        "threads": threads, "same": 0, "round": number, "allocator": allocator,
        "trace": f'"{trace}"', "copy": 0, "first_thread": 0, "lanes": 1,
        "status": "valid", "ops": 1000, "secs": 0.001 / factor, "runs": 5,
        "vs_libc": factor, "round_threads": threads, "round_ops": 1000,
        "round_secs": 0.001 / factor, "round_vs_libc": factor,
        "round_speedup": min(threads, 2) * 0.9, "utilization": factor / 5,
        "resident_ratio": 1 + 1 / factor}
    figures |= {name: 10 ** (i % 4 + 1) / factor
                for i, name in enumerate(LATENCY)}
    return ",".join(str(figures.get(c, "")) for c in COLUMNS + LATENCY)


def measured(faulty=False):
    lines = [",".join(COLUMNS + LATENCY)]
    for threads in (1, 2, 4):
        for number, trace in enumerate(("one", "two"), 1):
            for allocator, factor in (("fast", 4), ("libc", 1), ("slow", 0.5)):
                lines.append(line(threads, number, allocator, trace, factor))
    if faulty:
        lines.append(line(1, 3, "fast", "broken", 4).replace("valid",
                                                            "overlap"))
    return "\n".join(lines) + "\n"


def bench():
    """As bench.sh writes: a line is a round of its own."""
    lines = ["threads,trace,allocator,status,copies,lanes,ops,secs,vs_libc,"
             "speedup,utilization,resident_ratio,samples," + ",".join(LATENCY)]
    for threads in (1, 2, 4):
        for trace in ("one", "two"):
            for allocator in PEERS:
                lines.append(f"{threads},{trace},{allocator},valid,1,1,1000,"
                             f"0.0005,2,{threads},,3,0.0005,"
                             + ",".join("70" for _ in LATENCY))
    return "\n".join(lines) + "\n"


def own():
    """As bench.sh writes of rounds in which each thread has its own trace."""
    lines = ["threads,round,traces,allocator,status,ops,secs,vs_libc,speedup,"
             "utilization,resident_ratio,samples"]
    for allocator, factor in (("fast", 4), ("libc", 1), ("slow", 0.5)):
        lines.append(f"4,1,one two,{allocator},valid,2000,{0.002 / factor},"
                     f"{factor * 2 if factor != 1 else 1},1.5,0.9,1.5,0.001")
    return "\n".join(lines) + "\n"


def programs(threads):
    """As bench.sh writes of programs; `leaky` has a fault in the second."""
    lines = ["threads,program,allocator,status,ops,secs,secs_best,spread,runs,"
             "vs_libc,speedup,cpu_secs,resident_peak,samples"]
    for program in ("first", "second"):
        for n in threads:
            for allocator, factor in (("libc", 1), ("fast", 4), ("leaky", 2)):
                valid = allocator != "leaky" or program != "second"
                lines.append(
                    f"{n},{program},{allocator},valid,9,{1 / factor},,,1,"
                    f"{factor},1,1,{int(8e6 * factor)},1" if valid else
                    f"{n},{program},{allocator},crash,9,,,,,,,,,")
    return "\n".join(lines) + "\n"


def instructions():
    return ("trace,allocator,status,ops,instructions,per_op,loop_per_op\n"
            "one,fast,valid,10,100,10.00,3.00\n"
            "two,fast,valid,10,200,20.00,3.00\n"
            "three,fast,valid,10,900,90.00,3.00\n"
            "three,slow,exit,,,,\n")


def instructions_of(machine, per_op):
    return ("trace,allocator,status,ops,instructions,per_op,loop_per_op,"
            "machine\n"
            f"one,fast,valid,10,{10 * per_op},{per_op}.00,3.00,{machine}\n"
            f"two,fast,valid,10,{40 * per_op},{4 * per_op}.00,3.00,{machine}\n")


def heap_map():
    rows = ["allocator,trace,ops,kind,payload,usable,heap,bookkeeping,span,"
            "row0,row1"]
    for allocator in ("fast", "libc"):
        for ops in range(10, 60, 10):
            where = f'{allocator},"one",{ops}'
            rows.append(f"{where},live,{ops * 100},0,6000,0,8192,"
                        f"{ops},{ops if ops > 20 else ''}")
            rows.append(f"{where},metadata,{ops * 100},0,6000,0,8192,"
                        f"10,{10 if ops > 20 else ''}")
    return "\n".join(rows) + "\n"


def traces():
    return ("trace,measure,from,to,count\n"
            "one,frees,0,0,10\none,cross_frees,0,0,4\none,size,16,32,10\n"
            "one,lifetime,2,4,10\ntwo,frees,0,0,5\ntwo,cross_frees,0,0,0\n"
            "two,size,0,1,1\ntwo,size,64,128,9\ntwo,lifetime,1,2,5\n")


def heap_bytes():
    return ("allocator,trace,ops,heap,asked,headers,rounding,slabs,cached,sent,"
            "free,own,untold,records\n"
            "fast,one,10,2097152,1048576,0,0,524288,0,0,524288,0,0,2097\n"
            "fast,two,10,1048576,1048576,0,0,0,0,0,0,0,0,0\n")


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name, date, text in (("matrix", "2026-01-02", measured(faulty=True)),
                             ("bench", "2026-01-02", bench()),
                             ("own", "2026-01-02", own()),
                             ("stress", "2026-01-02", programs((1, 4))),
                             ("programs", "2026-01-02", programs((1,))),
                             ("instructions", "2026-01-02",
                              instructions()),
                             ("heapmap", "2026-01-03", heap_map()),
                             ("trace_stats", "2026-01-04", traces()),
                             ("bytes", "2026-01-05", heap_bytes())):
        (out / f"{name}.csv").write_text(FIRST.format(date) + text)
    for machine, per_op in (("aarch64", 12), ("riscv64", 15)):
        first = FIRST.format("2026-01-06").replace(
            "Nothing, 2 processors, Linux",
            f"{machine} by qemu-{machine} version 7, gcc 12")
        (out / f"instructions-{machine}.csv").write_text(
            first + instructions_of(machine, per_op))


if __name__ == "__main__":
    main()
