#!/usr/bin/env python3
"""libmm_top.py - what a process that runs with libmm has, live.

    libmm-top [-d SECONDS] [-n TIMES] [--json] PID

Totals, the arenas (a thread has its own) and the sizes of blocks, as top shows
processes; --json: one line a look for a collector, in the form of MM_STATS,
once unless -n or -d says otherwise. Ctrl-C ends it.

It reads the process's counts through /proc/PID/mem, which needs the rights of a
debugger: the same user, or root. The process is not stopped and does nothing
for it; where its threads work meanwhile, a figure may be some operations old.
mm/engine/view.h says how it finds them, docs/operator.md what they mean.
"""
import argparse
import json
import os
import shutil
import struct
import sys
import time

MAGIC = b"libmm view 1".ljust(32, b"\0") + struct.pack("<Q", 0x7c3fe1b59a0d2846)
WORD = struct.Struct("<32sQ")
SCAN_MOST = 64 << 20         # bytes of one mapping that are searched
SPARE_PAGES = 0xffff         # of a spare: its pages; above: where it is
ALIGN = 16
PARTS = ("live", "cached", "sent", "free", "purged", "spare", "untouched",
         "records", "other")
COLUMNS = ("mapped", "live", "cached", "sent", "free", "purged")


class Failed(Exception):
    """Told in one line."""


class Gone(Failed):
    """The process has ended."""


class Memory:
    """Another process's, read as it is at the moment."""

    def __init__(self, pid):
        self.pid = pid
        try:
            self.file = open(f"/proc/{pid}/mem", "rb", buffering=0)
        except FileNotFoundError:
            raise Failed(f"there is no process {pid}") from None
        except PermissionError:
            raise Failed(f"process {pid} is another user's, or protected: run "
                         "this as its user, or as root") from None

    def bytes(self, at, n):
        try:
            found = os.pread(self.file.fileno(), n, at)
        except OSError as error:
            raise Failed(f"cannot read {n} bytes at {at:#x} of process "
                         f"{self.pid}: {error.strerror}") from None
        if not found:
            raise Gone(f"process {self.pid} has ended")
        return found

    def word(self, at):
        return struct.unpack("<Q", self.bytes(at, 8))[0]

    def text(self, at):
        return self.bytes(at, 32).split(b"\0")[0].decode()


def mappings(pid):
    """(start, end, file) of what libmm's constants may lie in."""
    found = []
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8",
                  errors="replace") as lines:
            for line in lines:
                place, rights, _, _, inode, *name = line.split(None, 5)
                start, end = (int(n, 16) for n in place.split("-"))
                if rights[0] == "r" and inode != "0" and "x" not in rights:
                    found.append((start, end, "".join(name).strip()))
    except OSError as error:
        raise Failed(f"process {pid}: {error.strerror}") from None
    return sorted(found, key=lambda m: "libmm" not in os.path.basename(m[2]))


def tables(memory):
    """All that begin like a table of mm/engine/view.h."""
    for start, end, _ in mappings(memory.pid):
        if end - start > SCAN_MOST:
            continue
        try:
            data = memory.bytes(start, end - start)
        except Failed:
            continue
        at = data.find(MAGIC)
        while at >= 0:
            yield read_words(memory, start + at + WORD.size)
            at = data.find(MAGIC, at + 1)


def find_view(memory):
    """The table: name -> number. Where two parts of a library meet in a page of
    its file, that page is mapped twice: once with addresses as the file has
    them, which lead nowhere."""
    for view in tables(memory):
        try:
            memory.word(memory.word(view["name"]))
            return view
        except (Failed, KeyError):
            continue
    try:
        with open(f"/proc/{memory.pid}/comm", encoding="utf-8",
                  errors="replace") as comm:
            name = shown(comm.read().strip())
    except OSError:
        raise Failed(f"there is no process {memory.pid}") from None
    raise Failed(f"process {memory.pid} ({name}) has no libmm, or one of "
                 "another version: start it with LD_PRELOAD=/path/libmm.so")


def read_words(memory, at):
    """Up to the one without a name; they may lie in several mappings. Without
    that one they are no table, but the first part of one: nothing."""
    words = {}
    try:
        while True:
            name, value = WORD.unpack(memory.bytes(at, WORD.size))
            name = name.rstrip(b"\0").decode()
            if not name:
                return words
            words[name] = value
            at += WORD.size
    except (Failed, ValueError, struct.error):
        return {}


class Pages:
    """Records of pages, read some at a time and kept for one look."""
    MANY = 128

    def __init__(self, memory, view):
        self.memory, self.view = memory, view
        self.start = memory.word(view["mem_range"] + view["mem_range.pages"])
        self.size = view["sizeof mem_page"]
        self.known = {}

    def get(self, index):
        """(tag, room, listed, next)"""
        first = index - index % self.MANY
        if first not in self.known:
            self.known[first] = self.memory.bytes(
                self.start + first * self.size, self.MANY * self.size)
        data, at = self.known[first], (index - first) * self.size
        view = self.view
        return (struct.unpack_from("<I", data, at + view["mem_page.tag"])[0],
                struct.unpack_from("<H", data, at + view["mem_page.room"])[0],
                data[at + view["mem_page.listed"]],
                struct.unpack_from("<I", data, at + view["mem_page.next"])[0])


class Look:
    """All counts, at one moment; what mm/engine/census.h does."""

    def __init__(self, memory, view):
        self.memory, self.view = memory, view
        self.to_be_sent = 0
        self.classes = {}
        self.sums = dict.fromkeys(PARTS, 0)
        self.pages = Pages(memory, view)
        self.arenas = self.count_arenas() if "shards" in view else None

    def count_arenas(self):
        view, memory = self.view, self.memory
        self.kinds = self.slab_kinds()
        n = struct.unpack("<I", memory.bytes(view["nshards"], 4))[0]
        table = memory.bytes(view["shards"], 8 * n) if n else b""
        threads = self.all_threads()
        arenas = []
        for at, in struct.iter_unpack("<Q", table):
            arena = self.arena(len(arenas), at, threads) if at else None
            if arena:
                arenas.append(arena)
        return [a for a in arenas if a["mapped"]]

    def slab_kinds(self):
        """(pages, slots) of each class."""
        view = self.view
        size = view["sizeof slab_class"]
        data = self.memory.bytes(view["slab_classes"],
                                 size * (view["classes"] + 1))
        return [(data[i * size + view["slab_class.pages"]],
                 data[i * size + view["slab_class.slots"]])
                for i in range(view["classes"] + 1)]

    # ---- an arena --------------------------------------------------------

    def arena(self, number, at, threads):
        view = self.view
        data = self.memory.bytes(at, view["sizeof shard"])
        base = view["shard.arena"]

        def word(name):
            return struct.unpack_from("<Q", data, base + view[name])[0]

        live = word("arena.used") + self.slabs(data, base)
        for i, n in enumerate(struct.unpack_from(
                f"<{view['nlive']}I", data, base + view["arena.live"])):
            self.add(i * ALIGN, "headers", n)
        arena = {"id": number, "thread": 0, "state": "owned",
                 "mapped": word("arena.heap.size"), "uses": 0}
        cached, sent = 0, 0
        if "shard.users" in view and not struct.unpack_from(
                "<I", data, view["shard.users"])[0]:
            arena["state"] = "orphan"
        if "shard.state" in view:
            cached, sent = self.front(arena, at, data, threads)
        live = min(live, arena["mapped"])
        arena["cached"] = min(cached, live)
        arena["sent"] = min(sent, live - arena["cached"])
        rest = arena["mapped"] - live
        arena["live"] = live - arena["cached"] - arena["sent"]
        arena["purged"] = min(word("arena.heap.clean"), rest)
        arena["free"] = rest - arena["purged"]
        return arena

    def slabs(self, data, base):
        """Bytes of blocks that are out of the arena's slabs."""
        view, out = self.view, 0
        n = view["classes"] + 1
        first = struct.unpack_from(f"<{n}I", data,
                                   base + view["arena.slabs.first"])
        nslabs = struct.unpack_from(f"<{n}I", data,
                                    base + view["arena.slabs.nslabs"])
        for c in range(1, n):
            if not nslabs[c]:
                continue
            used = self.slabs_out(c, first[c], nslabs[c])
            self.add(c * ALIGN, "slabs", nslabs[c])
            self.add(c * ALIGN, "live", used)
            self.add(c * ALIGN, "free", nslabs[c] * self.kinds[c][1] - used)
            out += used * c * ALIGN
        return out

    def slabs_out(self, c, index, left):
        """A slab that is not listed is all out."""
        slots, used = self.kinds[c][1], 0
        while index and left:
            tag, room, listed, index = self.pages.get(index)
            if (tag & self.view["TAG_BYTES"]) // ALIGN != c or not listed:
                break                      # it has just left the list
            used += min(room, slots)
            left -= 1
        return used + left * slots

    def add(self, size, what, n):
        if n:
            kind = self.classes.setdefault(
                size, dict.fromkeys(("slabs", "live", "cached", "free",
                                     "headers", "headers_cached"), 0))
            kind[what] += n

    # ---- its threads -----------------------------------------------------

    def all_threads(self):
        """The arena stage's: shard -> its threads' structures."""
        view, found = self.view, {}
        at = self.memory.word(view["all_threads"]) if "all_threads" in view \
            else 0
        while at:
            data = self.memory.bytes(at, view["sizeof thread"])

            def word(name, data=data):
                return struct.unpack_from("<Q", data, view[name])[0]

            if word("thread.open"):
                found.setdefault(word("thread.shard"), []).append(data)
            at = word("thread.older")
        return found

    def front(self, arena, at, data, threads):
        """(bytes cached, bytes in the inbox)"""
        view = self.view
        state = struct.unpack_from("<Q", data, view["shard.state"])[0]
        names = view["status_names"] + 8 * (state & (1 << view["STATUS_BITS"])
                                            - 1)
        arena["state"] = self.memory.text(self.memory.word(names))
        arena["uses"] = struct.unpack_from("<I", data,
                                           view["shard.activity.uses"])[0]
        if "shard.thread" in view:
            thread = struct.unpack_from("<Q", data, view["shard.thread"])[0]
            mine = [self.memory.bytes(thread, view["sizeof thread"])]
        else:
            mine = threads.get(at, [])
        cached = sum(self.cache(thread) for thread in mine)
        for thread in mine:
            if arena["state"] in ("owned", "claimed", "stolen"):
                arena["thread"] = struct.unpack_from("<i", thread,
                                                     view["thread.tid"])[0]
        return cached, struct.unpack_from("<Q", data,
                                          view["shard.inbox_bytes"])[0]

    def cache(self, thread):
        view = self.view
        bytes_ = struct.unpack_from("<Q", thread, view["thread.cache.large"])[0]
        nbins, bins = view["nbins"], view["thread.cache.bins"]
        for i in range(1, nbins + view["small_bins"]):
            at = bins + ALIGN * i
            room = struct.unpack_from("<i", thread, at + view["bin.room"])[0]
            limit = struct.unpack_from("<i", thread, at + view["bin.limit"])[0]
            n = max(limit - room, 0)
            slab = i < nbins
            size = (i if slab else i - nbins + 2) * ALIGN
            bytes_ += n * size
            self.add(size, "cached" if slab else "headers_cached", n)
            self.add(size, "live" if slab else "headers", -n)
        for i in range(view["nbatches"]):
            at = view["thread.outbox.slots"] + i * view["sizeof batch"]
            if struct.unpack_from("<Q", thread, at + view["batch.to"])[0]:
                self.to_be_sent += struct.unpack_from(
                    "<I", thread, at + view["batch.bytes"])[0]
        return bytes_

    # ---- the sums --------------------------------------------------------

    def mem(self, name):
        view = self.view
        return self.memory.word(self.memory.word(view["mem_view"] +
                                                 view["mem_view." + name]))

    def page_records(self, committed):
        """They are mapped for a power of two of bytes."""
        view = self.view
        bytes_ = view["MEM_TAGGED"]
        while bytes_ < committed:
            bytes_ *= 2
        return bytes_ // view["MEM_GRAIN"] * view["sizeof mem_page"]

    def report(self):
        """As MM_STATS has it."""
        memory, view = self.memory, self.view
        name = memory.text(memory.word(view["name"]))
        told = {"libmm": name, "pid": memory.pid, "arenas": self.arenas or []}
        told["classes"] = [{"bytes": size, **kind}
                           for size, kind in sorted(self.classes.items())]
        heap = self.mem("brk") - self.mem("skipped")
        ahead = max(self.mem("committed") - self.mem("brk"), 0)
        records = (max(self.mem("records_committed"), self.mem("records_brk"))
                   - self.mem("records_skipped") +
                   self.page_records(self.mem("committed")))
        mapped = heap + ahead + self.mem("outside") + records
        if self.arenas is None:
            return told | {"mapped": mapped} | dict.fromkeys(PARTS) | {
                "records": records, "huge": None, "nhuge": None}
        sums = {part: sum(arena[part] for arena in self.arenas)
                for part in PARTS[:5]}
        sent = min(self.to_be_sent, sums["live"])
        sums["live"] -= sent
        sums["sent"] += sent
        huge = memory.word(view["huge.bytes"])
        spares = struct.unpack(f"<{view['nspares']}Q", memory.bytes(
            view["spares"], 8 * view["nspares"]))
        sums["live"] += huge
        sums["spare"] = sum((s & SPARE_PAGES) << 12 for s in spares if s >> 16)
        sums["untouched"], sums["records"] = ahead, records
        mapped = max(mapped, sum(sums.values()))
        sums["other"] = mapped - sum(sums.values())
        return told | {"mapped": mapped} | sums | {
            "huge": huge, "nhuge": memory.word(view["huge.blocks"])}


# ---- the picture -------------------------------------------------------------

def size(n):
    """In at most six characters."""
    if n is None:
        return "?"
    for unit in "BKMGT":
        if abs(n) < 10000 or unit == "T":
            return f"{n:.0f}{unit}"
        n /= 1024
    return ""


def shown(name):
    """What may go to a terminal: anybody can name a thread."""
    return "".join(c if " " <= c <= "~" else "?" for c in name)


def thread_name(pid, tid):
    try:
        with open(f"/proc/{pid}/task/{tid}/comm", encoding="utf-8",
                  errors="replace") as file:
            return shown(file.read().strip())
    except OSError:
        return ""


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def picture(report, before, seconds, rows):
    """Lines: the sums, then what has most of arenas and sizes."""
    pid = report["pid"]
    lines = [f"libmm ({report['libmm']}), process {pid} "
             f"({thread_name(pid, pid)}): {size(report['mapped'])} mapped, "
             f"{size(resident(pid))} of the whole process resident",
             "  ".join(f"{part} {size(report[part])}" for part in PARTS),
             f"huge {size(report['huge'])} in {report['nhuge']} blocks of live",
             ""]
    uses = {a["id"]: a["uses"] for a in before["arenas"]} if before else {}
    lines.append(" arena   thread  name             state     " +
                 "".join(f"{c:>9}" for c in COLUMNS) + "  calls/s")
    arenas = sorted(report["arenas"], key=lambda a: -a["mapped"])
    space = max(rows - len(lines) - 3, 4)
    for arena in arenas[:space // 2]:
        rate = ""
        if arena["id"] in uses and seconds:
            more = (arena["uses"] - uses[arena["id"]]) % (1 << 32)
            rate = f"{more / seconds:.0f}"
        lines.append(f"{arena['id']:6} {arena['thread'] or '-':>8}  "
                     f"{thread_name(pid, arena['thread']):15.15}  "
                     f"{arena['state']:10.10}" +
                     "".join(f"{size(arena[c]):>9}" for c in COLUMNS) +
                     f"{rate:>9}")
    if len(arenas) > space // 2:
        lines.append(f"       ... {len(arenas) - space // 2} more")
    lines += ["", " bytes    slabs      live    cached      free"
              "   with headers    cached     bytes live"]
    classes = sorted(report["classes"], key=lambda k: -(
        k["live"] + k["headers"]) * k["bytes"])
    for kind in classes[:max(rows - len(lines), 2)]:
        lines.append(
            f"{kind['bytes']:6} {kind['slabs']:8} {kind['live']:9} "
            f"{kind['cached']:9} {kind['free']:9} {kind['headers']:14} "
            f"{kind['headers_cached']:9} "
            f"{size((kind['live'] + kind['headers']) * kind['bytes']):>14}")
    return lines


def look(memory, view):
    try:
        return Look(memory, view).report()
    except (KeyError, IndexError, ValueError, OverflowError, MemoryError,
            struct.error):
        memory.word(view["name"])    # or it ended in the midst of it
        raise Failed(f"process {memory.pid} has a libmm of another version: "
                     "use the libmm-top that came with it") from None


def watch(memory, view, options):
    before, then, looks = None, 0, 0
    terminal = sys.stdout.isatty() and not options.json
    while True:
        now = time.monotonic()
        report = look(memory, view)
        if options.json:
            print(json.dumps(report, separators=(",", ":")))
        else:
            screen = shutil.get_terminal_size((120, 40))
            lines = picture(report, before, now - then, screen.lines - 1)
            if terminal:
                lines = ["\033[H\033[2J" + lines[0]] + lines[1:screen.lines - 1]
            print("\n".join(line[:screen.columns + 8] for line in lines))
        sys.stdout.flush()
        before, then = report, now
        looks += 1
        if looks == options.times:
            return
        time.sleep(options.seconds)


def positive(text):
    number = float(text)
    if not 0.01 <= number <= 1e6:
        raise argparse.ArgumentTypeError(f"{text}: 0.01 to 1000000 seconds")
    return number


def not_negative(text):
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text}: 0, or how many looks")
    return number


def main():
    parser = argparse.ArgumentParser(
        prog="libmm-top", description=__doc__.split("\n\n")[2],
        epilog="docs/operator.md says what the figures mean")
    parser.add_argument("pid", type=int, metavar="PID")
    parser.add_argument("-d", dest="seconds", type=positive, metavar="SECONDS",
                        help="between two looks (1)")
    parser.add_argument("-n", dest="times", type=not_negative, metavar="TIMES",
                        help="looks; 0: until Ctrl-C")
    parser.add_argument("--json", action="store_true",
                        help="one line a look, as MM_STATS has it")
    options = parser.parse_args()
    if options.times is None:
        options.times = 1 if options.json and not options.seconds else 0
    options.seconds = options.seconds or 1
    try:
        memory = Memory(options.pid)
        watch(memory, find_view(memory), options)
    except (Gone, ProcessLookupError, FileNotFoundError):
        sys.exit(f"libmm-top: process {options.pid} has ended")
    except Failed as why:
        sys.exit(f"libmm-top: {why}")
    except (KeyboardInterrupt, BrokenPipeError):
        sys.stderr.close()    # nobody reads any more, or wants to
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(f"libmm-top: cannot write: {error.strerror}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
