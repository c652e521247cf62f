#!/usr/bin/env python3
"""course_submissions.py - a class to grade: good ones, broken ones, cheats.

    tests/course_submissions.py DIR    writes NAME.c for all of them

The broken ones and most cheats are those of tests/faulty, each as a file of its
own: its headers are written into it, and its table is called mm_mine. Others
are docs/examples/mine.c with a few lines more, and a table made of a trace.
"""
import math
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOOD = {"implicit": "course/lessons/2.c", "merging": "course/lessons/3.c",
        "lists": "course/lessons/4.c", "locked": "course/lessons/6.c",
        "example": "docs/examples/mine.c",
        "arenas": "course/solutions/6.c"}
INCLUDE = re.compile(r'^#include "(tests/faulty/[^"]+)"\n', re.M)


def inlined(path, seen):
    """A file's text, with what it includes of tests/faulty in it, once."""
    def text_of(match):
        name = match.group(1)
        if name in seen:
            return ""
        seen.add(name)
        return inlined(ROOT / name, seen)
    return INCLUDE.sub(text_of, path.read_text(encoding="utf-8"))


def tables():
    """{table: file} of tests/faulty/list.h."""
    listed = re.findall(r"X\(((?:faulty|cheat)_\w+)\)",
                        (ROOT / "tests/faulty/list.h").read_text())
    files = sorted((ROOT / "tests/faulty").glob("*.c"))
    found = {}
    for table in listed:
        for path in files:
            if re.search(rf"\b{table}\b", path.read_text()):
                found[table] = path
                break
    return found


# {name: (what malloc(777) does first, lines before all else)}
MADE = {
    "cheat-libc-malloc": ("return malloc(size);", "#include <stdlib.h>"),
    "cheat-dlsym": ('void *(*f)(size_t) = dlsym(RTLD_DEFAULT, "malloc");'
                    " return f(size);", "#include <dlfcn.h>"),
    "cheat-exits": ("exit(0);", "#include <stdlib.h>"),
    "cheat-at-exit": ("static int n; if (!n++) atexit(forge);",
                      "#include <stdio.h>\n#include <stdlib.h>\n"
                      'static void forge(void) { puts("SCORES"); }'),
    "cheat-prints-only": ('puts("SCORES"); fflush(stdout);',
                          "#include <stdio.h>"),
    "cheat-results": ('int fd = open("grades.csv", O_WRONLY | O_CREAT, 0666);'
                      ' if (fd >= 0) write(fd, "100", 3);',
                      "#include <fcntl.h>\n#include <unistd.h>"),
    "cheat-sleeps": ("sleep(9);", "#include <unistd.h>"),
    "cheat-threads": ("pthread_t t; pthread_create(&t, NULL, run, NULL);",
                      "#include <pthread.h>\n#include <unistd.h>\n"
                      "static void *run(void *p) { pause(); return p; }"),
}
SCORES = ('{\\"scores\\": {\\"correctness\\": 30, \\"utilization\\": 50, '
          '\\"throughput\\": 20}}')


def made(statement, lines):
    text = (ROOT / "docs/examples/mine.c").read_text()
    start = re.search(r"^static void \*mine_malloc\(.*\n\{\n", text, re.M)
    text = (f"{lines}\n{text[:start.end()]}    if (size == 777) {{ {statement} "
            f"}}\n{text[start.end():]}")
    if "sleep" in statement:     # else once more with several threads
        text = text.replace("    .init",
                            "    .single_threaded = true,\n    .init")
    return text.replace("SCORES", SCORES)


def exits_in_init():
    text = (ROOT / "docs/examples/mine.c").read_text()
    return "#include <unistd.h>\n" + text.replace("return mem_init();",
                                                  "_exit(0);")


TABLE = """#include "memlib.h"
#include "mm.h"
#include <string.h>
struct head { size_t size, room; };
static const unsigned sizes[] = {%s};
#define N (sizeof sizes / sizeof *sizes)
static char *base;
static size_t places[N], next;
static int start(void)
{
    size_t at = 0;
    for (size_t i = 0; i < N; i++) {
        places[i] = at + 4096;
        at += (sizes[i] + 4096 + 4095) / 4096 * 4096;
    }
    return mem_init() || !(base = mem_sbrk(at + 4096)) ? -1 : 0;
}
static void *get(size_t size)
{
    size_t i = next++ %% N;
    struct head *h = (struct head *)(base + places[i]);
    h[-1] = (struct head){size, sizes[i]};
    return h;
}
static void *get_zeros(size_t n, size_t size)
{
    return memset(get(n * size), 0, n * size);
}
static void *get_aligned(size_t align, size_t size)
{
    (void)align;
    return get(size);
}
static void keep(void *p) { (void)p; }
static void *more(void *p, size_t size)
{
    size_t old = p ? ((struct head *)p)[-1].size : 0;
    void *q = size ? get(size) : NULL;
    return p && q ? memcpy(q, p, old < size ? old : size) : q;
}
static size_t usable(const void *p)
{
    return ((const struct head *)p)[-1].room;
}
const struct mm_allocator mm_table = {.single_threaded = true, .init = start,
    .fini = mem_fini, .malloc = get, .free = keep, .realloc = more,
    .calloc = get_zeros, .memalign = get_aligned, .usable_size = usable};
"""


def made_of(ops):
    """What malloc is asked for in a trace that is known, one by one: each
    request has its place before it comes."""
    sizes = [math.prod(map(int, op.split()[2:])) if op[0] == "c" else
             int(op.split()[-1]) for op in ops if op[0] != "f"]
    return TABLE % ", ".join(map(str, sizes))


def write(directory, known=()):
    """known: the operations of the trace that the table is made of."""
    for name, what in MADE.items():
        (directory / f"{name}.c").write_text(made(*what))
    (directory / "cheat-exits-in-init.c").write_text(exits_in_init())
    (directory / "cheat-table.c").write_text(made_of(known))
    for name, path in GOOD.items():
        (directory / f"{name}.c").write_text((ROOT / path).read_text())
    for table, path in tables().items():
        name = table.replace("_", "-").replace("faulty-", "broken-")
        (directory / f"{name}.c").write_text(
            f"#define {table} mm_mine\n" + inlined(path, set()))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
