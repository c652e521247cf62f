#!/usr/bin/env python3
"""matrix.py - the shipped lock-free headers under GenMC, a checker that walks
through all executions that a memory model allows; and mutants of them, each of
which some driver must find.

    tests/models/c/matrix.py            the small matrix, minutes
    tests/models/c/matrix.py --all      all rows and models: make model-check
    tests/models/c/matrix.py --only DRIVER...    all of these drivers
    tests/models/c/matrix.py --show DRIVER MUTANT [DEFINE...]
                                        the execution that breaks
    tests/models/c/matrix.py --docs     writes which finds which weaker order

TAP lines. GENMC is the checker (default: genmc). Without one: a skip, but that
every order has a mutant here, or a reason, is looked at all the same.

A mutant is a change of one function, wherever that stands, so a header may
move; a change that finds nothing to change is an error. Those that weaken an
order come from the source itself (orders.py). Drivers include the headers of
mm/front and mm/lockfree as they are, but for BASE; the engine is in stub/.
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

import orders

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import marks    # noqa: E402

DOCUMENT = ROOT / "docs/lock-free.md"
GENMC = os.environ.get("GENMC", "genmc")
CPU_SECONDS = 300    # of one run; a row that needs more is too large
HEADERS = ["mm.h", "count.h", "mm/*.h", "mm/engine/block.h",
           "mm/engine/pagemap.h", "mm/engine/slab.h", "mm/front/*.h",
           "mm/lockfree/*.h", "memhole.h", "memmapped.h", "mempart.h",
           "memside.h", "memwindow.h", "config.h", "designs/fit_cas_list.h"]
# What stands in no header of its own: (from, to) and the functions.
EXTRACTED = {
    (None, "extracted.h"): ["shard_enter_to_free", "free_aside", "free_slow"],
    ("mm/lockfree/stage.h", "extracted_exit.h"): [
        "threads_give_up", "stage_thread_exit"],
    ("mm/engine/arena.h", "extracted_arena.h"): [
        "die_free", "used_block", "payload_owner", "arena_usable"],
    ("mm/engine/merge.h", "extracted_merge.h"): [
        "slabs_splice", "slab_relabel"],
    ("mm/engine/usage.h", "extracted_usage.h"): ["arena_purge"],
    ("mm/arena/registry.h", "extracted_made.h"): ["state_set", "shard_make"],
    ("mm/arena/thread.h", "extracted_threads.h"): ["thread_make"],
    ("mm/arena/stage.h", "extracted_census.h"): ["shard_census_threads"],
    ("mm/per_thread/shard.h", "extracted_per_thread_at.h"): [
        "shard_count", "shard_at"],
    ("mm/per_thread/stage.h", "extracted_per_thread.h"): ["shard_make"],
    ("memlib.c", "extracted_grow.h"): [
        "fork_seen", "fork_look", "commit", "advance"],
    ("memlib.c", "extracted_later.h"): ["mem_later_take"],
    ("mm/front/huge.h", "extracted_spares.h"): [
        "spare_bytes", "spare_map", "spare_unmap", "spare_get", "spare_put",
        "spare_misfit", "spare_best", "spare_find"],
    ("mm/front/huge_table.h", "extracted_table.h"): ["child_at", "child_put"],
    ("mm/front/huge_table.h", "extracted_words.h"): [
        "word_bytes", "huge_word", "word_in_use", "word_put", "huge_usable",
        "huge_freed", "word_take"],
    ("mm/front/decay.h", "extracted_decay.h"): ["shard_give", "decay_look"],
    ("memlib.c", "extracted_side_free.h"): ["mem_side_free"],
    ("memthp.h", "extracted_thp.h"): [
        "page_down", "thp_index", "thp_is_small", "thp_set_small", "thp_tell",
        "thp_advise_large", "thp_split", "thp_join"],
    ("preload_stats.h", "extracted_reports.h"): [
        "report_begin", "report_finish"],
}

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
    (None, r"#define LOOKS 100", "#define LOOKS 0"),
    # All threads' own words have one address there.
    ("lock_me", r"return .*?;", "return 2 * ((uintptr_t)pthread_self() + 1);"),
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
    (None, r"#define HOLES 64", "#define HOLES 2"),
    # It copies no struct by a pointer.
    ("hole_beside", r"\*h = hole_of\(word\);",
     "struct hole of = hole_of(word);\n        "
     "h->first = of.first, h->pages = of.pages, h->mapped = of.mapped;"),
    ("hole_beside", r"\*h = \(struct hole\)\{0\};",
     "h->first = h->pages = h->mapped = 0;"),
    ("hole_cut", r"h = \(struct hole\)\{h.first \+ n, h.pages - n, "
     r"h.mapped - n\};", "h.first += n, h.pages -= n, h.mapped -= n;"),
    ("hole_open", r"hole_set\(word, gone \? h : before\);",
     "if (gone) hole_set(word, h);\n    else hole_set(word, before);"),
    (None, r"#define TABLE_LOG2 12 ", "#define TABLE_LOG2 2 "),
    # It knows no call that clears memory.
    ("batch_add", r"\*batch = \(struct batch\)\{[^}]*\};",
     "batch->to = to, batch->first = NULL, batch->last = p,"
     "batch->blocks = batch->bytes = 0;"),
]
MUTANTS = {
    # the inbox
    # the stack
    "no_tag": [("tagged_next", r"return .*?;", "return index;")],
    "pool_no_tag": [("relink", r"\(\(old & ~MARK\) \+ TAG_STEP\)", "old")],
    # merging
    "close_first": [
        ("shard_merge", r"owner_set\(o->id, s\);", ""),
        ("shard_merge", r"(inbox_close_owner\(.*?\);)",
         r"\1 owner_set(o->id, s);")],
    "serves_early": [
        ("merged_release", r"arena_relabel\(.*?\);", ""),
        ("merged_release", r"(s->nmerged = 0;)",
         r"\1 arena_relabel(&s->arena, s->id);")],
    "no_second_look": [("free_block", r"owner == s", "1")],
    # a shard begins
    "opening_stored": [
        ("inbox_open_owner", r"atomic_exchange_explicit\((.*?),\s*"
         r"memory_order_acquire\)",
         r"atomic_store_explicit(\1, memory_order_release)")],
    "closed_unasked": [
        ("send_on", r"\|\|\s*!inbox_is_closed_remote\(.*?\)\)", ")")],
    "first_stored": [
        ("owner_set_first", r"atomic_exchange_explicit\((.*?),\s*"
         r"memory_order_acq_rel\)",
         r"atomic_store_explicit(\1, memory_order_release)")],
    "missing_unasked": [
        ("owner_of", r"owner_is_missing\(id\)", "1")],
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
    "state_change_unread": [
        ("state_change", r"done \? next : state_get\(s\)",
         "done ? next : *from")],
    "fence_by_rmw": [("full_fence", r"atomic_thread_fence\(",
                      "_Atomic int own = 0; "
                      "atomic_fetch_add_explicit(&own, 1, ")],
    "no_thief_fence": [("shard_steal", r"mem_range\.no_barrier \?.*?;",
                        "true;")],
    "no_owner_fence": [("shard_enter", r"full_fence\(\);", ";")],
    "no_look": [("shard_steal", r"fenced && __atomic_load_n\(.*?\);",
                 "fenced;")],
    "inside_fenceless": [
        ("shard_may_put", r"!mem_range\.no_barrier &&", "")],
    "claim_unread": [
        ("shard_steal", r"!state_change\(s, &state, CLAIMED\)",
         "(atomic_exchange_explicit(&s->state, state = state_next(state, "
         "CLAIMED), memory_order_acq_rel), 0)")],
    "not_claimed": [
        ("shard_steal", r"!state_change\(s, &state, CLAIMED\)", "0")],
    "inside_unasked": [
        ("shard_may_put", r"status_of\(state_get\(t->shard\)\) == OWNED", "1")],
    "no_membarrier": [("shard_steal", r"mem_barrier\(\)", "true")],
    # memlib's marks, its side blocks, and what waits there
    "break_stored": [
        ("advance", r"if \(!mark_swap\(&part->brk, old, (.*?)\)\)\n.*?;",
         r"mark_set(&part->brk, \1);")],
    "side_no_count": [("sides_push", r"\(\(old >> 32\) \+ 1\)", "(old >> 32)"),
                      ("sides_pop", r"\(\(old >> 32\) \+ 1\)", "(old >> 32)")],
    "level_lost_unread": [
        ("level_map_claimed", r"level_get\(levels, level\)",
         "atomic_load_explicit(&levels[level], memory_order_relaxed)")],
    # a shard can be found; batches; handlers; children of fork
    "batch_unlinked": [("batch_add", r"\*\(void \*\*\)p = batch->first;",
                        "*(void **)p = NULL;")],
    "never_shut": [("enter", r"__atomic_store_n\(.*?\);", ";")],
    "shard_read_early": [
        ("shard_enter",
         r"(    handler_point\(\);\n    enter\(t\);.*?)"
         r"    struct shard \*s = t->shard;",
         r"    struct shard *s = t->shard;\n\1")],
    "child_robs_parent": [
        ("shard_steal", r"shard_is_foreign\(s\)", "0")],
    "torn_inbox_kept": [
        ("self_inherit", r"inbox_open_owner\(&s->inbox\);", ";")],
    # large mappings: spares, nodes of their table
    # holes; bits of huge pages; decay; sums
    "hole_not_busy": [("hole_claim", r"word \| HOLE_BUSY", "word")],
    "hole_kept": [("hole_join", r"next = \(struct hole\)\{0\};", "")],
    "hole_mapped_kept": [("hole_cut", r", h\.mapped -= n", "")],
    "hole_unclaimed": [
        ("hole_new", r"if \(!atomic_compare_exchange_strong_explicit\(\s*"
         r"(&holes\.words\[i\]), &none, (hole_make\(h\) \| HOLE_BUSY),"
         r".*?\)\)\s*continue;",
         r"atomic_store_explicit(\1, \2, memory_order_relaxed); (void)none;")],
    "abandoned_blindly": [
        ("holes_abandon", r"hole_claim\((&holes\.words\[i\]), word\)",
         r"atomic_fetch_or_explicit(\1, HOLE_BUSY, memory_order_relaxed)")],
    "not_abandoned": [
        ("holes_abandon", r"hole_claim\(.*?\)", "(void)0")],
    "bits_stored": [
        ("thp_set_small", r"old = small \?.*?;",
         "old = atomic_load_explicit(&thp.bits[i / 64], memory_order_relaxed);"
         "\n    atomic_store_explicit(&thp.bits[i / 64], small ? old | bit : "
         "old & ~bit, memory_order_relaxed);")],
    "bits_counted_twice": [
        ("thp_set_small", r"if \(!\(old & bit\) == small\)", "")],
    "all_sweep": [
        ("decay_look", r"if \(atomic_compare_exchange_strong_explicit\(\s*"
         r"(&totals\(\)->sweep_at), &at, (.*?),.*?\)\)",
         r"atomic_store_explicit(\1, \2, memory_order_relaxed);")],
    "given_twice": [
        ("shard_give", r"atomic_exchange_explicit\((.*?), 0, ",
         r"atomic_load_explicit(\1, ")],
    "most_stored": [
        ("sum_add", r"while \(most < now && .*?\)\)\s*;",
         "if (most < now) atomic_store_explicit(&sum->most, now, "
         "memory_order_relaxed);")],
    "word_stored": [
        ("word_take", r"if \(!atomic_compare_exchange_strong_explicit\(\s*"
         r"(word_at\(p\)), &word, (.*?),\s*memory.*?\)\)\s*return 0;",
         r"atomic_store_explicit(\1, \2, memory_order_relaxed);")],
    "side_stored": [
        ("side_kill", r"return atomic_compare_exchange_strong_explicit\(\s*"
         r"(&s->is), &is, 0, .*?\);",
         r"atomic_store_explicit(\1, is = 0, memory_order_relaxed);"
         r" return true;")],
    # sleep
    "wakes_nobody": [("lock_drop_for", r"lock_wake\(l, sleepers\)", "")],
    "gate_wakes_one": [("gate_open", r"INT_MAX", "1")],
    "slept_unmarked": [
        ("lock_wait", r"is & SLEEPERS \|\| \(.*?\)\)\) \{\s*"
         r"lock_sleep\(l, is \| SLEEPERS\)", "is) {\n lock_sleep(l, is)")],
    "taken_unmarked": [
        ("lock_wait", r"looks \? me : me \| SLEEPERS", "me")],
    "slept_on_any": [
        ("lock_sleep", r"\(uint32_t\)is", "(uint32_t)l->holder")],
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
WEAKENED = orders.weakenings()

# Mutants that are races and no more: only rc11 knows what a race is.
RACES = {"tag_written_plain", "tag_read_plain", "record_rewritten",
         "owner_set_first/acq_rel>acquire", "thread_make/release",
         "shard_census_threads/acquire"}

# driver, defines, the models of the small matrix ("": the whole one only, which
# has all models for each row), mutants that it must find: by name, or all
# weaker orders of a function.
ROWS = [
    ("inbox", "", "rc11 imm",
     "inbox_push_remote inbox_take_owner inbox_close_owner"),
    ("inbox", "REOPENED", "rc11", ""),
    ("stack", "", "rc11 imm", "no_tag tagged_push tagged_pop"),
    ("stack", "THREE", "", ""),
    ("merge", "", "rc11",
     "owner_set owner_at close_first inbox_close_owner/acq_rel>acquire "
     "serves_early no_second_look"),
    ("merge", "TAKEN_IN", "", "no_second_look"),
    ("merge", "ENDS", "", ""),
    ("merge", "SLAB", "rc11",
     "owner_at no_second_look tag_written_plain tag_read_plain "
     "record_rewritten"),
    ("steal", "HEIR ENDS", "rc11",
     "state_change state_change_unread state_get no_look leave "
     "not_claimed"),
    ("steal", "THIEVES", "rc11", "claim_unread"),
    ("steal", "THIEVES HEIR ENDS", "", ""),
    ("steal", "TWICE", "imm", "fence_by_rmw no_thief_fence no_owner_fence "
     "no_look leave shard_steal"),
    ("steal", "INSIDE", "imm", "inside_fenceless"),
    ("steal", "INSIDE IPI=99", "", "no_membarrier"),
    ("steal", "INSIDE IPI=0", "rc11", "inside_unasked"),
    *[("steal", f"INSIDE IPI={point}", "", "") for point in range(1, 8)],
    ("steal", "TWICE IPI=99", "", "no_membarrier"),
    *[("steal", f"TWICE IPI={point}", "", "") for point in range(12)],
    ("move", "", "rc11", "owned_before_swap state_set"),
    ("move", "RICH", "rc11", "exchanged_late"),
    ("fresh", "", "", "made_owned shard_make shard_at"),
    ("reborn", "", "rc11 imm", "opening_stored closed_unasked"),
    ("reborn", "MADE", "rc11 imm",
     "owner_set_first first_stored missing_unasked"),
    ("reborn", "SLAB", "", ""),
    ("free", "", "rc11", "owner_too_early"),
    ("free", "SLAB", "", "owner_too_early tag_read_plain"),
    ("marks", "", "rc11", "part_committed mark_swap break_stored"),
    ("marks", "FOREIGN", "", ""),
    ("marks", "FORK", "", "fork_seen fork_look"),
    ("fence", "", "rc11 imm", "fence_by_rmw full_fence"),
    ("fence", "IRIW", "", "full_fence"),
    ("sides", "", "rc11 imm",
     "side_no_count sides_push sides_pop"),
    ("sides", "LATER", "rc11", "later_push mem_later_take"),
    ("levels", "", "rc11",
     "level_set level_get level_lost_unread"),
    ("levels", "FROZEN", "rc11", ""),
    ("levels", "FOREIGN", "", ""),
    ("outbox", "", "rc11",
     "inbox_push_remote/cas-release inbox_take_owner batch_unlinked"),
    ("handler", "HANDLER=0", "rc11", "shard_read_early"),
    ("handler", "HANDLER=3", "rc11", "never_shut"),
    *[("handler", f"HANDLER={point}", "", "") for point in range(9)
      if point not in (0, 3)],
    ("child", "STATE=OWNED", "rc11", "child_robs_parent torn_inbox_kept"),
    ("child", "STATE=CLAIMED", "rc11", "torn_inbox_kept"),
    ("child", "STATE=STOLEN", "", ""),
    ("spares", "", "rc11", "spare_put spare_find"),
    ("spares", "TABLE", "rc11", "child_put child_at"),
    ("words", "", "rc11", "word_stored"),
    ("words", "SIDE", "rc11", "side_stored"),
    ("holes", "", "rc11", "hole_claim hole_set hole_kept hole_unclaimed"),
    ("holes", "AHEAD", "rc11", "hole_mapped_kept hole_not_busy"),
    ("holes", "CHILD", "", "abandoned_blindly not_abandoned"),
    ("holes", "THREE", "", ""),
    ("thp", "", "rc11", "bits_stored bits_counted_twice"),
    ("decay", "", "rc11", "all_sweep given_twice"),
    ("sums", "", "rc11", "most_stored"),
    ("reports", "", "rc11", "report_begin report_finish"),
    ("reports", "DEAD", "rc11", "report_finish"),
    ("lock", "", "rc11", "lock_swap lock_drop_for"),
    ("made", "", "rc11", "arena.shard_make shard_at"),
    ("made", "THREADS", "rc11", "thread_make shard_census_threads"),
    ("made", "PER_THREAD", "rc11",
     "per_thread.shard_make per_thread.shard_count per_thread.shard_at"),
    ("nodes", "", "rc11", "pool_no_tag"),
    ("nodes", "TABLE", "rc11", "tables_make table_of"),
    ("sleep", "", "rc11", "wakes_nobody slept_unmarked taken_unmarked "
     "slept_on_any lock_drop_for"),
    ("sleep", "GATE", "rc11", "gate_wakes_one slept_unmarked lock_swap"),
]


def function_pattern(name):
    return re.compile(rf"^[a-z][^;{{}}]*?\b{name}\([^;{{}}]*\)\n"
                      rf"\{{.*?^\}}", re.M | re.S)


def is_of(to, source):
    """Is the header `to` of the tree what stands in this file?"""
    extracted_from = {name: path for path, name in EXTRACTED}
    return to == source or extracted_from.get(to, "") in (source, None)


def change(tree, name, before, after, source=None):
    """In the functions of this name, of a file or all; None: anywhere."""
    changed = 0
    for path in tree.rglob("*.h"):
        if source and not is_of(str(path.relative_to(tree)), source):
            continue
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
    edits = [WEAKENED[mutant].edit()] if mutant in WEAKENED else []
    for edit in BASE + MUTANTS.get(mutant, edits):
        change(tree, *edit)
    shutil.copytree(HERE / "stub", tree, dirs_exist_ok=True)
    return tree


# Only there does each loop that waits wait for what another thread does.
OPTIONS = {"sleep": ["-check-liveness"]}


def run(tree, driver, defines, model, *options):
    """(verdict, output): ok, broken, or why there is none."""
    command = [GENMC, f"--{model}", "-disable-estimation",
               "-disable-mm-detector", *OPTIONS.get(driver, []), *options,
               "--", "-w",
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


def mutants_of(words):
    """Of a row."""
    for word in words.split():
        names = [word] if word in MUTANTS else orders.expanded(WEAKENED, word)
        if not names:
            sys.exit(f"matrix.py: no mutant {word}, and no function of this "
                     "name with an order: adapt ROWS to the headers")
        yield from names

# Too large for IMM.
RC11_ALONE = {("holes", "THREE"), ("steal", "THIEVES HEIR ENDS")}


def cases(whole, drivers=()):
    for driver, defines, models, words in ROWS:
        if drivers and driver not in drivers:
            continue
        if whole:
            models = "rc11" if (driver, defines) in RC11_ALONE else "rc11 imm"
        for model in models.split():
            for mutant in ["", *mutants_of(words)]:
                if model == "rc11" or mutant not in RACES:
                    yield driver, defines, model, mutant


def rows_by_mutant():
    found = {}
    for driver, defines, _, words in ROWS:
        for mutant in mutants_of(words):
            found.setdefault(mutant, []).append(f"{driver} {defines}".strip())
    return found


def check(trees, case):
    driver, defines, model, mutant = case
    verdict, out = run(trees[mutant], driver, defines, model)
    name = " ".join(filter(None, (model, driver, defines)))
    name += f": {mutant} is caught" if mutant else ": no execution breaks"
    good = verdict == ("broken" if mutant else "ok")
    line = f"ok - {name}" if good else f"not ok - {name}: {verdict}"
    print(f"{line} ({said(out)})", flush=True)
    return good


def all_accounted():
    """Every order has a mutant or a reason, every mutant a row."""
    found = rows_by_mutant()
    wrong = [f"no row for the mutant {m}" for m in MUTANTS if m not in found]
    wrong += orders.unaccounted(WEAKENED, found)
    wrong += orders.without_order()
    document = DOCUMENT.read_text(encoding="utf-8")
    wrong += orders.unsaid(document)
    if marks.filled(document, "orders", order_table) != document:
        wrong.append(f"{DOCUMENT.name}'s table is not of now: matrix.py --docs")
    for line in wrong:
        print(f"not ok - orders: {line}")
    if not wrong:
        print(f"ok - orders: {len(WEAKENED)} weaker ones, each with a mutant "
              "or a reason")
    return not wrong


def order_table(_):
    return "\n".join(orders.by_function(WEAKENED, rows_by_mutant())) + "\n"


def run_cases(todo, scratch):
    trees = {m: make_tree(scratch / re.sub(r"\W", "_", m or "shipped"), m)
             for m in {case[3] for case in todo}}
    with ThreadPoolExecutor(2) as pool:
        return all(list(pool.map(lambda c: check(trees, c), todo)))


def unknown(args):
    """What of the arguments means nothing; or nothing."""
    drivers = {driver for driver, *_ in ROWS}
    if args[:1] == ["--only"]:
        wrong = [a for a in args[1:] if a not in drivers]
        return f"the driver '{wrong[0]}'" if wrong else (
            "" if args[1:] else "--only without a driver")
    if args[:1] == ["--show"]:
        mutants = {"", *MUTANTS, *WEAKENED}
        return ("" if len(args) > 2 and args[1] in drivers and
                args[2] in mutants else f"'{' '.join(args)}'")
    return "" if args in ([], ["--all"], ["--docs"]) else f"'{' '.join(args)}'"


def main():
    args = sys.argv[1:]
    if args in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    if wrong := unknown(args):
        print(f"matrix.py: found {wrong}; --help says what there is",
              file=sys.stderr)
        return 2
    if args == ["--docs"]:
        marks.rewrite(DOCUMENT, "orders", order_table)
        return 0
    good = all_accounted()
    if not shutil.which(GENMC):
        print("ok - model checker # SKIP no genmc here: see docs/lock-free.md")
        return not good
    with tempfile.TemporaryDirectory() as scratch:
        if args[:1] == ["--show"]:
            tree = make_tree(Path(scratch), args[2])
            print(run(tree, args[1], " ".join(args[3:]), "rc11",
                      "-print-error-trace")[1])
            return 0
        only = args[1:] if args[:1] == ["--only"] else []
        todo = list(cases(bool(args), only))
        return not (run_cases(todo, Path(scratch)) and good)


if __name__ == "__main__":
    sys.exit(main())
