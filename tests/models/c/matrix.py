#!/usr/bin/env python3
"""matrix.py - the shipped lock-free headers under GenMC, a checker that walks
through all executions that a memory model allows; and mutants of them, each of
which some driver must find.

    tests/models/c/matrix.py            the small matrix, minutes
    tests/models/c/matrix.py --all      all rows and models: make model-check
    tests/models/c/matrix.py --show DRIVER MUTANT [DEFINE...]
                                        the execution that breaks

TAP lines. GENMC is the checker (default: genmc). Without one: a skip.

A mutant is a change of one function, wherever that stands, so a header may
move; a change that finds nothing to change is an error. Drivers include the
headers of mm/front and mm/lockfree as they are, but for BASE; the engine is in
stub/.
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
GENMC = os.environ.get("GENMC", "genmc")
CPU_SECONDS = 300    # of one run; a row that needs more is too large
HEADERS = ["mm.h", "count.h", "mm/*.h", "mm/engine/block.h",
           "mm/engine/pagemap.h", "mm/engine/slab.h", "mm/front/*.h",
           "mm/lockfree/*.h", "mempart.h", "memside.h", "memwindow.h",
           "config.h"]
# What stands in no header of its own: (from, to) and the functions.
EXTRACTED = {
    (None, "extracted.h"): ["shard_enter_to_free", "free_aside", "free_slow"],
    ("mm/engine/arena.h", "extracted_arena.h"): [
        "die_free", "used_block", "payload_owner", "arena_usable"],
    ("mm/engine/merge.h", "extracted_merge.h"): [
        "slabs_splice", "slab_relabel"],
    ("mm/engine/usage.h", "extracted_usage.h"): ["arena_purge"],
    ("memlib.c", "extracted_grow.h"): [
        "fork_seen", "fork_look", "commit", "advance"],
    ("memlib.c", "extracted_later.h"): ["mem_later_take"],
    ("mm/front/huge.h", "extracted_spares.h"): [
        "spare_bytes", "spare_map", "spare_unmap", "spare_get", "spare_put",
        "spare_misfit", "spare_best", "spare_find"],
    ("mm/front/huge_table.h", "extracted_table.h"): ["child_at", "child_put"],
}

RELAXED, ACQUIRE = "memory_order_relaxed", "memory_order_acquire"
RELEASE, BOTH = "memory_order_release", "memory_order_acq_rel"
TO_RELAXED = f"{ACQUIRE}|{RELEASE}|{BOTH}", RELAXED

# (function, what it says, what it is to say), regular expressions.
BASE = [
    (None, r"#define MAX_SHARDS 65536", "#define MAX_SHARDS 8"),
    # There is no CAS of a thread-local word there; nor handlers that race.
    ("self_become", r"if \(!atomic_compare_exchange_strong_explicit\(.*?\)\)\n",
     "if (self() != from)\n"),
    ("self_become", r"(return false;\n)", r"\1    atomic_store_explicit("
     r"&self_thread, t, memory_order_relaxed);\n"),
    # One look is as good as a thousand.
    (None, r"#define MARK_LOOKS 1000", "#define MARK_LOOKS 1"),
    (None, r"#define JUMPS_KNOWN 256", "#define JUMPS_KNOWN 2"),
    (None, r"#define LEVEL_LOOKS 1000000", "#define LEVEL_LOOKS 1"),
    (None, r"#define OUTBOX_BLOCKS 32", "#define OUTBOX_BLOCKS 2"),
    (None, r"#define OUTBOX_SLOTS 16", "#define OUTBOX_SLOTS 1"),
    ("thread_note_id", r"\{.*\}", "{\n    (void)t;\n}"),
    # Where a handler may come (handler.c); elsewhere nothing.
    ("shard_enter", r"(    enter\(t\);\n)(.*?)(    struct shard \*s = .*?\n)",
     r"    handler_point();\n\1    handler_point();\n\2\3"
     r"    handler_point();\n"),
    ("self_move", r"(\n    threads_swap.*?\n)", r"\n    handler_point();\1"
     r"    handler_point();\n"),
    ("self_move", r"(state_set\(n, OWNED\);)", r"\1 handler_point();"),
    ("leave", r"(__atomic_store_n.*?;)",
     r"handler_point(); \1 handler_point();"),
    # Few classes, of two blocks: a page is carved at once.
    (None, r"#define SLAB_CLASSES 64", "#define SLAB_CLASSES 4"),
    (None, r"CLASS_16\(1\),.*?\};", "CLASS_4(1)};"),
    (None, r"#define CLASS_SLOTS\(c\).*?\n", "#define CLASS_SLOTS(c) 2\n"),
    (None, r"_Static_assert\(CLASS_SLOTS\(1\).*?;", ""),
    # Nor a symbol that may be absent.
    (None, r"extern __attribute__\(\(weak[^;]*?mm_die_quietly;",
     "static bool mm_die_quietly;"),
    # It knows no call that clears memory.
    ("batch_add", r"\*l = \(struct batch\)\{[^}]*\};",
     "l->to = to, l->first = NULL, l->last = p, l->blocks = l->bytes = 0;"),
]
MUTANTS = {
    # the inbox
    "push_relaxed": [("inbox_push_remote", RELEASE, RELAXED)],
    "closed_relaxed": [("inbox_push_remote", ACQUIRE, RELAXED)],
    "take_relaxed": [("inbox_take_owner", ACQUIRE, RELAXED)],
    "close_acquire": [("inbox_close_owner", BOTH, ACQUIRE)],
    "close_release": [("inbox_close_owner", BOTH, RELEASE)],
    # the stack
    "no_tag": [("tagged_next", r"return .*?;", "return index;")],
    "stack_push_relaxed": [("tagged_push", RELEASE, RELAXED)],
    "stack_pop_relaxed": [("tagged_pop", ACQUIRE, RELAXED)],
    # merging
    "owner_set_relaxed": [("owner_set", RELEASE, RELAXED)],
    "owner_of_relaxed": [("owner_at", ACQUIRE, RELAXED)],
    "close_first": [
        ("shard_merge", r"owner_set\(o->id, s\);", ""),
        ("shard_merge", r"(inbox_close_owner\(.*?\);)",
         r"\1 owner_set(o->id, s);")],
    "serves_early": [
        ("merged_release", r"arena_relabel\(.*?\);", ""),
        ("merged_release", r"(s->nmerged = 0;)",
         r"\1 arena_relabel(&s->arena, s->id);")],
    "no_second_look": [("free_block", r"owner == s", "1")],
    # records of pages
    "tag_written_plain": [
        ("page_set_tag", r"__atomic_store_n\(&page->tag, tag.*?\)",
         "page->tag = tag")],
    "tag_read_plain": [
        ("tag_read", r"__atomic_load_n\(&page->tag.*?\)", "page->tag")],
    "record_rewritten": [
        ("slab_relabel", r"(page_set_tag\()",
         r"page->inverse = page->inverse, \1")],
    # states and theft
    "state_set_relaxed": [("state_set", RELEASE, RELAXED)],
    "change_acquire": [("state_change", BOTH, ACQUIRE)],
    "change_release": [("state_change", f"{BOTH}, {ACQUIRE}",
                        f"{RELEASE}, {RELAXED}")],
    "state_get_relaxed": [("state_get", ACQUIRE, RELAXED)],
    "fence_by_rmw": [("full_fence", r"atomic_thread_fence\(",
                      "_Atomic int own = 0; "
                      "atomic_fetch_add_explicit(&own, 1, ")],
    "no_thief_fence": [("shard_steal", r"mem_range\.no_barrier \?.*?;",
                        "true;")],
    "no_owner_fence": [("shard_enter", r"full_fence\(\);", ";")],
    "no_look": [("shard_steal", r"fenced && __atomic_load_n\(.*?\);",
                 "fenced;")],
    "open_relaxed": [("shard_steal", "__ATOMIC_ACQUIRE", "__ATOMIC_RELAXED")],
    "leave_relaxed": [("leave", "__ATOMIC_RELEASE", "__ATOMIC_RELAXED")],
    "inside_fenceless": [
        ("shard_may_put", r"!mem_range\.no_barrier &&", "")],
    "inside_unasked": [
        ("shard_may_put", r"status_of\(state_get\(t->shard\)\) == OWNED", "1")],
    "no_membarrier": [("shard_steal", r"mem_barrier\(\)", "true")],
    # memlib's marks, its side blocks, and what waits there
    "committed_relaxed": [("part_committed", ACQUIRE, RELAXED)],
    "swap_relaxed": [("mark_swap", RELEASE, RELAXED)],
    "break_stored": [
        ("advance", r"if \(!mark_swap\(&part->brk, old, (.*?)\)\)\n.*?;",
         r"mark_set(&part->brk, \1);")],
    "fork_seen_relaxed": [("fork_seen", RELEASE, RELAXED)],
    "fork_look_relaxed": [("fork_look", ACQUIRE, RELAXED)],
    "side_no_count": [("sides_push", r"\(\(old >> 32\) \+ 1\)", "(old >> 32)"),
                      ("sides_pop", r"\(\(old >> 32\) \+ 1\)", "(old >> 32)")],
    "side_push_relaxed": [("sides_push", RELEASE, RELAXED)],
    "side_pop_relaxed": [("sides_pop", ACQUIRE, RELAXED)],
    "level_set_relaxed": [("level_set", RELEASE, RELAXED)],
    "level_get_relaxed": [("level_get", ACQUIRE, RELAXED)],
    # The checker knows one order for both ends of a compare-and-swap.
    "level_lost_relaxed": [("level_map_claimed", ACQUIRE, RELAXED)],
    "later_push_relaxed": [("later_push", RELEASE, RELAXED)],
    "later_take_relaxed": [("mem_later_take", ACQUIRE, RELAXED)],
    "fence_weak": [("full_fence", r"thread_fence\(memory_order_seq_cst",
                    f"thread_fence({BOTH}")],
    # a shard can be found; batches; handlers; children of fork
    "found_relaxed": [("shard_make", RELEASE, RELAXED)],
    "found_early": [("shard_at", ACQUIRE, RELAXED)],
    "batch_unlinked": [("batch_add", r"\*\(void \*\*\)p = l->first;",
                        "*(void **)p = NULL;")],
    "never_shut": [("enter", r"__atomic_store_n\(.*?\);", ";")],
    "shard_read_early": [
        ("shard_enter",
         r"(    handler_point\(\);\n    enter\(t\);.*?)"
         r"    struct shard \*s = t->shard;",
         r"    struct shard *s = t->shard;\n\1")],
    "child_robs_parent": [
        ("shard_steal", r"atomic_load_explicit\(&s->process, "
         r"memory_order_relaxed\) !=\s*process_number\(\)", "0")],
    "torn_inbox_kept": [
        ("self_inherit", r"inbox_open_owner\(&s->inbox\);", ";")],
    # large mappings: spares, nodes of their table
    "spare_relaxed": [("spare_put", BOTH, RELAXED)],
    "spare_acquire": [("spare_put", BOTH, ACQUIRE)],
    "spare_release": [("spare_put", BOTH, RELEASE)],
    "spare_find_relaxed": [("spare_find", ACQUIRE, RELAXED)],
    "node_put_relaxed": [("child_put", RELEASE, RELAXED)],
    "node_at_relaxed": [("child_at", ACQUIRE, RELAXED)],
    # what was broken once
    "owned_before_swap": [("self_move", r"shard_get\(\)", "shard_acquire()"),
                          ("self_move", r"state_set\(n, OWNED\);", "")],
    "exchanged_late": [
        ("shard_exchange", r"threads_swap\(s, o\);", ""),
        ("shard_exchange", r"(state_set\(o, OWNED\);)",
         r"\1 threads_swap(s, o);")],
    "made_owned": [("shard_make", r"SPARE", "OWNED")],
    "owner_too_early": [
        ("free_slow", r"(struct shard \*s = )",
         r"struct shard *owner = owner_of(p);\n    \1"),
        ("free_slow", r"free_block\(s, (.*?), p\);",
         r"if (owner == s) arena_put(&s->arena, p, page_tag(p)); "
         r"else outbox_add(\1, owner, p);")],
}

# Mutants that are races and no more: only rc11 knows what a race is.
RACES = {"tag_written_plain", "tag_read_plain", "record_rewritten"}

# driver, defines, the models of the small matrix ("": the whole one only, which
# has all models for each row), mutants that it must find.
ROWS = [
    ("inbox", "", "rc11 imm",
     "push_relaxed closed_relaxed take_relaxed close_acquire close_release"),
    ("inbox", "REOPENED", "rc11", ""),
    ("stack", "", "rc11 imm", "no_tag stack_push_relaxed stack_pop_relaxed"),
    ("stack", "THREE", "", ""),
    ("merge", "", "rc11",
     "owner_set_relaxed owner_of_relaxed close_first close_acquire "
     "serves_early no_second_look"),
    ("merge", "TAKEN_IN", "", "no_second_look"),
    ("merge", "ENDS", "", ""),
    ("merge", "SLAB", "rc11",
     "owner_of_relaxed no_second_look tag_written_plain tag_read_plain "
     "record_rewritten"),
    ("steal", "HEIR ENDS", "rc11",
     "change_acquire change_release state_get_relaxed no_look leave_relaxed"),
    ("steal", "TWICE", "imm", "fence_by_rmw no_thief_fence no_owner_fence "
     "no_look leave_relaxed open_relaxed"),
    ("steal", "INSIDE", "imm", "inside_fenceless"),
    ("steal", "INSIDE IPI=99", "", "no_membarrier"),
    ("steal", "INSIDE IPI=0", "rc11", "inside_unasked"),
    *[("steal", f"INSIDE IPI={point}", "", "") for point in range(1, 8)],
    ("steal", "TWICE IPI=99", "", "no_membarrier"),
    *[("steal", f"TWICE IPI={point}", "", "") for point in range(12)],
    ("move", "", "rc11", "owned_before_swap state_set_relaxed"),
    ("move", "RICH", "rc11", "exchanged_late"),
    ("fresh", "", "", "made_owned found_relaxed found_early"),
    ("free", "", "rc11", "owner_too_early"),
    ("free", "SLAB", "", "owner_too_early tag_read_plain"),
    ("marks", "", "rc11", "committed_relaxed swap_relaxed break_stored"),
    ("marks", "FOREIGN", "", ""),
    ("marks", "FORK", "", "fork_seen_relaxed fork_look_relaxed"),
    ("fence", "", "rc11 imm", "fence_by_rmw fence_weak"),
    ("fence", "IRIW", "", "fence_weak"),
    ("sides", "", "rc11 imm",
     "side_no_count side_push_relaxed side_pop_relaxed"),
    ("sides", "LATER", "rc11", "later_push_relaxed later_take_relaxed"),
    ("levels", "", "rc11",
     "level_set_relaxed level_get_relaxed level_lost_relaxed"),
    ("levels", "FROZEN", "rc11", ""),
    ("levels", "FOREIGN", "", ""),
    ("outbox", "", "rc11", "push_relaxed take_relaxed batch_unlinked"),
    ("handler", "HANDLER=0", "rc11", "shard_read_early"),
    ("handler", "HANDLER=3", "rc11", "never_shut"),
    *[("handler", f"HANDLER={point}", "", "") for point in range(9)
      if point not in (0, 3)],
    ("child", "STATE=OWNED", "rc11", "child_robs_parent torn_inbox_kept"),
    ("child", "STATE=CLAIMED", "rc11", "torn_inbox_kept"),
    ("child", "STATE=STOLEN", "", ""),
    ("spares", "", "rc11", "spare_relaxed spare_acquire spare_release "
     "spare_find_relaxed"),
    ("spares", "TABLE", "rc11", "node_put_relaxed node_at_relaxed"),
]


def function_pattern(name):
    return re.compile(rf"^[a-z][^;{{}}]*?\b{name}\([^;{{}}]*\)\n"
                      rf"\{{.*?^\}}", re.M | re.S)


def change(tree, name, before, after):
    """In the one function of this name; None: anywhere."""
    changed = 0
    for path in tree.rglob("*.h"):
        text = path.read_text()
        found = function_pattern(name).search(text) if name else None
        if name and not found:
            continue
        first, last = found.span() if found else (0, len(text))
        part, n = re.subn(before, after, text[first:last], flags=re.S)
        if n:
            path.write_text(text[:first] + part + text[last:])
            changed += n
    if not changed:
        sys.exit(f"matrix.py: no function {name} with /{before}/ in "
                 f"{' '.join(HEADERS)}: adapt BASE or MUTANTS to the headers")


def extract(tree, source, to, names):
    files = [ROOT / source] if source else sorted(tree.rglob("*.h"))
    text = "".join(p.read_text() for p in files)
    parts = [function_pattern(name).search(text) for name in names]
    if None in parts:
        sys.exit(f"matrix.py: no function {names[parts.index(None)]}: "
                 "adapt EXTRACTED to the headers")
    (tree / to).write_text("\n\n".join(p.group() for p in parts))


def make_tree(tree, mutant):
    """The headers, changed, and the stubs over them."""
    for pattern in HEADERS:
        for path in ROOT.glob(pattern):
            to = tree / path.relative_to(ROOT)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)
    for (source, to), names in EXTRACTED.items():
        extract(tree, source, to, names)
    page = re.search(r"^struct mem_page \{.*?^\};",
                     (ROOT / "memlib.h").read_text(), re.M | re.S)
    (tree / "extracted_page.h").write_text(page.group())
    for edit in BASE + MUTANTS.get(mutant, []):
        change(tree, *edit)
    shutil.copytree(HERE / "stub", tree, dirs_exist_ok=True)
    return tree


def run(tree, driver, defines, model, *options):
    """(verdict, output): ok, broken, or why there is none."""
    command = [GENMC, f"--{model}", "-disable-estimation",
               "-disable-mm-detector", *options, "--", "-w",
               *(f"-D{d}" for d in defines.split()),
               f"-I{tree}", f"-I{HERE}", str(HERE / f"{driver}.c")]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tree, check=False,
        preexec_fn=lambda: (os.nice(5), resource.setrlimit(
            resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))))
    out = done.stdout + done.stderr
    if "No errors were detected" in out:
        return "ok", out
    if re.search(r"^Error: ", out, re.M):
        return "broken", out
    return f"no verdict (exit status {done.returncode})", out


def said(out):
    """Of a run: how many executions, or which error."""
    error = re.search(r"^Error: (.*)", out, re.M)
    number = re.search(r"Number of complete executions.*?: (\d+)", out)
    return (error.group(1) if error
            else f"{number.group(1)} executions" if number else out[-300:])


def cases(whole):
    for driver, defines, models, mutants in ROWS:
        if whole:
            models = "rc11 imm"
        for model in models.split():
            for mutant in ["", *mutants.split()]:
                if model == "rc11" or mutant not in RACES:
                    yield driver, defines, model, mutant


def check(trees, case):
    driver, defines, model, mutant = case
    verdict, out = run(trees[mutant], driver, defines, model)
    name = " ".join(filter(None, (model, driver, defines)))
    name += f": {mutant} is caught" if mutant else ": no execution breaks"
    good = verdict == ("broken" if mutant else "ok")
    line = f"ok - {name}" if good else f"not ok - {name}: {verdict}"
    print(f"{line} ({said(out)})", flush=True)
    return good


def every_mutant_is_used(todo):
    unused = set(MUTANTS) - {c[3] for c in todo}
    if unused:
        print("not ok - no row for the mutants", *sorted(unused))
    return not unused


def main():
    args = sys.argv[1:]
    if not shutil.which(GENMC):
        print("ok - model checker # SKIP no genmc here: see docs/lock-free.md")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        if args[:1] == ["--show"]:
            tree = make_tree(Path(scratch), args[2])
            print(run(tree, args[1], " ".join(args[3:]), "rc11",
                      "-print-error-trace")[1])
            return 0
        todo = list(cases(args == ["--all"]))
        trees = {m: make_tree(Path(scratch) / (m or "shipped"), m)
                 for m in ["", *MUTANTS]}
        with ThreadPoolExecutor(2) as pool:
            good = list(pool.map(lambda c: check(trees, c), todo))
    return not (all(good) and (args != ["--all"] or every_mutant_is_used(todo)))


if __name__ == "__main__":
    sys.exit(main())
