"""orders.py - every acquire, release and fence of the lock-free code, as it
stands in the source, and each weakened: the mutants that no list by hand can
forget.

    matrix.py --docs    writes into docs/lock-free.md which row finds each

An operation is a call of an atomic function that names an order other than
relaxed, in one of SOURCES. A weakening changes one order of one operation:

    inbox_push_remote/acquire             the load, to relaxed
    inbox_close_owner/acq_rel>acquire     no longer a release
    NAME/failing-acquire                  what a lost compare-and-swap sees

A new one belongs to a row of the matrix, whose driver finds it, or into
UNCAUGHT, with the reason; `unaccounted` tells the others. What has no order at
all is told by clang, where that is installed.
"""
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ["mm/lockfree/*.h", "mm/front/*.h", "mm/engine/*.h", "mm/*.h",
           "mm/arena/*.h", "mm/per_thread/*.h", "mm/global/*.h", "mm/fit/*.h",
           "mm.c", "mem*.h", "memlib.c", "preload*.[ch]", "designs/*.[ch]"]
# Functions of these have names that others have, too: ROOM.NAME.
ROOMS = {"mm/arena": ["shard_make", "state_set"],
         "mm/per_thread": ["shard_make", "shard_at", "shard_count"]}
WEAKER = {"acquire": ["relaxed"], "release": ["relaxed"],
          "acq_rel": ["acquire", "release"], "seq_cst": ["acq_rel"]}
PART = {"load": "acquire", "store": "release"}    # of acq_rel, what these have

# Weakenings that no driver finds, or can: each with the reason.
COMPILER = ("it holds back the compiler, for the thread's own handlers; "
            "test_lf_steps and test_lf_signals")
SWAPPED = ("the swaps alone are enough under RC11 and IMM, which have no "
           "cycle of program order and reads; C17 itself asks for the order")
ALL = ("not checked: fit-cas's list has too many executions; "
       "test_fit_cas_threads and TSan")
UNCAUGHT = {
    "inbox_open_owner/acquire": SWAPPED,
    "inbox_is_closed_remote/release": SWAPPED,
    "owner_set_first/acq_rel>release": SWAPPED,
    "owner_is_missing/release": SWAPPED,
    **dict.fromkeys(["word_load/seq_cst", "word_cas/seq_cst",
                     "sentinel_of/seq_cst", "sentinel_set/seq_cst"], ALL),
    "arena.state_set/release":
        "who decides by it looks again under the shard's lock, or asks the "
        "inbox itself",
    "enter/signal": COMPILER,
    "leave/signal": COMPILER,
    "full_fence/fetch_add-seq_cst":
        "for ThreadSanitizer only; fence_by_rmw shows that it is no fence",
}

BETWEEN = r"(?:\s|/\*.*?\*/)+"    # words
COMMENT = re.compile(r"/\*.*?\*/", re.S)
FUNCTION = re.compile(r"^[a-z][^;{}]*?\b(\w+)\([^;{}]*\)\n\{.*?^\}",
                      re.M | re.S)
CALL = re.compile(r"\b(atomic_\w+|__atomic_\w+)\(")
ORDER = re.compile(r"\b(?:memory_order_|__ATOMIC_)"
                   r"(acquire|release|acq_rel|seq_cst|relaxed)\b", re.I)


@dataclass(frozen=True)
class Weakening:
    name: str
    path: str
    function: str
    before: str    # the operation, as it is written
    after: str

    def edit(self):
        """As matrix.py's mutants: what is changed in which function."""
        words = map(re.escape, self.before.split())
        return self.function, BETWEEN.join(words), self.after, self.path


def blanked(text):
    """Without comments, every character at its place."""
    return COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def operation(text, start):
    """The call that begins there, to its last parenthesis."""
    depth = 0
    for at in range(text.index("(", start), len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return text[start:at + 1]
    raise SystemExit(f"orders.py: no end of {text[start:start + 60]}")


def weakenings_of(path, function, op, several):
    """Of one operation; several: others of its function have such orders."""
    room = str(Path(path).parent)
    twin = function in ROOMS.get(room, [])
    name = f"{Path(room).name}." * twin + function + "/"
    kind = CALL.match(op).group(1)
    if several:
        kind_said = re.sub(r"^_*atomic_|_explicit$|_n$", "", kind)
        name += re.sub("compare_exchange.*", "cas", kind_said) + "-"
    if "signal_fence" in kind:
        yield Weakening(function + "/signal", path, function, op, "((void)0)")
        return
    orders = list(ORDER.finditer(op))
    for n, order in enumerate(orders):
        failing = "failing-" if n else ""
        said = order.group(1).lower()
        for weaker in WEAKER.get(said, []):
            if said == "seq_cst":
                weaker = PART.get(re.sub("^_*atomic_|_.*", "", kind), weaker)
            to = f">{weaker}" if len(WEAKER[said]) > 1 else ""
            first, last = order.span(1)
            word = weaker.upper() if order.group(1).isupper() else weaker
            yield Weakening(f"{name}{failing}{said}{to}", path, function, op,
                            op[:first] + word + op[last:])


def of_file(path):
    text = blanked((ROOT / path).read_text(encoding="utf-8"))
    seen = set()
    for function in FUNCTION.finditer(text):
        seen.update(range(*function.span()))
        body = function.group()
        ops = [operation(body, call.start()) for call in CALL.finditer(body)]
        ops = [op for op in ops
               if any(o.group(1).lower() in WEAKER for o in ORDER.finditer(op))]
        for op in dict.fromkeys(ops):
            kinds = [CALL.match(o).group(1) for o in ops]
            several = len(ops) > 1 and "atomic_signal_fence" not in kinds
            yield from weakenings_of(path, function.group(1), op, several)
    for order in ORDER.finditer(text):
        if order.start() not in seen and order.group(1).lower() in WEAKER:
            line = text.count("\n", 0, order.start()) + 1
            raise SystemExit(f"orders.py: {path}:{line}: an order outside of "
                             "functions as matrix.py knows them")


def weakenings():
    """By name, in the order of the source; a second operation of the same kind
    in one function is NAME#2."""
    found = {}
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            for w in of_file(str(path.relative_to(ROOT))):
                w = replace(w, name=w.name + "#2" * (w.name in found))
                if found.setdefault(w.name, w) is not w:
                    raise SystemExit(f"orders.py: two operations of {w.path} "
                                     f"are both called {w.name}")
    return found


def expanded(found, word):
    """The weakenings that a word of a row stands for: one by its name, or
    those of a function."""
    return [name for name in found
            if name == word or name.split("/")[0] == word and
            name not in UNCAUGHT]


def unaccounted(found, caught):
    """What is neither caught nor has a reason, and reasons of nothing."""
    for name, w in found.items():
        if name not in caught and name not in UNCAUGHT:
            yield (f"{w.path}: {name} is in no row of the matrix, and has no "
                   "reason in orders.py")
    for name in UNCAUGHT:
        if name not in found or name in caught:
            yield f"orders.py: {name} has a reason that it does not need"


def without_order():
    """Atomic words that are used as plain ones: seq_cst, and nobody says so."""
    if not shutil.which("clang"):
        return []
    told = []
    files = [["memlib.c"], *([str(path.relative_to(ROOT))] for path in
                             sorted(ROOT.glob("designs/*.c")))]
    for stage in sorted(ROOT.glob("mm/*/stage.h")):
        flags = [f'-DMM_STAGE="{stage.relative_to(ROOT)}"',
                 '-DMM_FIT="mm/engine/fit_list.h"', '-DMM_SOURCE="mm.c"',
                 f"-DMM_ALLOCATOR=mm_{stage.parent.name}"]
        files += [["mm.c", *flags], ["preload.c", *flags]]
    for args in files:
        done = subprocess.run(
            ["clang", "-fsyntax-only", "-std=gnu11", "-D_GNU_SOURCE", "-I.",
             "-Wno-everything", "-Watomic-implicit-seq-cst", *args],
            cwd=ROOT, capture_output=True, text=True, check=False)
        told += re.findall(r"^(\S+:\d+):\d+: (?:warning|error): (.*)",
                           done.stderr, re.M)
    return sorted({f"{place}: {what}" for place, what in told})


# ---- the tables of docs/lock-free.md -----------------------------------------

DECLARED = re.compile(r"""(?:^|[;{])\s*
    (?:static\ |__thread\ |_Alignas\(\w+\)\ )*
    ((?:[\w *()]*_Atomic\b(?:\([^()]*\))? | (?:mark|level_word|hole_word)\b)
     [^;{}=()*]*) (?:=[^;{}]*)? ;""", re.M | re.X)


# A plain word that is read and written by the compiler's own functions.
PLAIN = re.compile(r"\b__atomic_\w+\(\s*&(?:[\w()]+(?:->|\.))*(\w+)")


def words():
    """What threads share by an atomic type or function: (file, name)."""
    found = []
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            text = blanked(path.read_text(encoding="utf-8"))
            found += [(path.name, n) for n in PLAIN.findall(text)]
            text = re.sub(r"\btypedef\b[^;]*;", "", FUNCTION.sub("", text))
            for declaration in DECLARED.finditer(text):
                said = re.sub(r"_Atomic\([^)]*\)|\[[^]]*\]", " ",
                              declaration.group(1))
                for part in said.split(","):
                    name = re.findall(r"\w+", part)[-1:]
                    found += [(path.name, n) for n in name]
    return found


def by_function(found, rows):
    """Of the table: a line for each function and order."""
    lines = {}
    for name, w in found.items():
        order = name.split("/")[1].split(">")[0].replace("#2", "")
        by = rows.get(name, [UNCAUGHT.get(name, "-")])
        by = [f"`{b}`" for b in by] if name in rows else by
        at = lines.setdefault((w.function, w.path, order), [])
        at += [b for b in by if b not in at]
    yield "| function | file | order | weaker, it is found by |"
    yield "|--|--|--|--|"
    for (function, path, order), by in lines.items():
        yield f"| `{function}` | `{path}` | {order} | {', '.join(by)} |"


def unsaid(document):
    """Words that the table of checkers does not name in its first column."""
    part = document.split("### Which checker covers which word")[1]
    named = set()
    for line in part.split("\n###")[0].splitlines():
        for said in re.findall(r"`([^`]*)`", line.split("|")[1:2][0]
                               if line.startswith("|") else ""):
            named |= set(re.findall(r"\w+", said))
    for path, name in dict.fromkeys(words()):
        if name not in named:
            yield (f"docs/lock-free.md: the table of checkers does not name "
                   f"{name} of {path}")
