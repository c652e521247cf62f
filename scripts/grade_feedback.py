"""grade_feedback.py - what a student gets back: a page in Markdown, and the
forms that Autolab and Gradescope read."""
import json
import re
import subprocess
from pathlib import Path

PICTURE_SECONDS = 300
PLACE = re.compile(r"([\w./+-]+\.trace(?:\.zst)?):(\d+)")
CODE = re.compile(r"\(([^():]*\.c):(\d+)\)")

AROUND = 6              # pieces of the heap on each side of a fault
KINDS = ["used", "free", "in a cache", "in an inbox", "bookkeeping",
         "not told: free, or never used"]

# What to try, by the kind of the first fault.
AFTER_FAULT = {
    "overlap": "Two live blocks share bytes. Is a block that is split given "
               "the right size, and does the rest begin behind it? Is a block "
               "taken out of its list when it is handed out?",
    "align": "Payloads begin at multiples of 16: then a head of 8 bytes "
             "begins 8 bytes before one.",
    "outside": "The block is not memlib's memory: mem_extend, mem_sbrk and "
               "mem_map are the only sources.",
    "usable": "usable_size is less than was asked for, or reaches into the "
              "next block: what does a block's size count, and is the head "
              "in it?",
    "dirty": "calloc returns zeros also where a block has been used before.",
    "realloc": "The first min(old, new) bytes must stay what they were.",
    "data": "Bytes of a live block have changed: a foot or a link was "
            "written into a block in use, or a head is too small.",
    "check": "Your own check complains: the first operation after which it "
             "does is the one to look at.",
    "hang": "An operation does not end: a list that has become a circle, or a "
            "lock that the same thread takes twice?",
    "slow": "A search that looks at every block takes longer with each. "
            "Link the free ones, by size.",
    "crash": "A head or a link was overwritten, or followed into a block that "
             "is in use; or a call was made that is not allowed. `-d 2` finds "
             "the operation that broke it.",
    "null": "NULL means that there is no memory: is errno ENOMEM set, and is "
            "the heap grown when no block fits?",
    "memory": "The heap grows and grows: are freed blocks used again?",
    "heap": "The heap of the timed runs is not that of the checked one: are "
            "freed blocks used again each time, and is all memory memlib's?",
}
NO_MATCH = ("Run the command below with `-d 2`, which calls your own check "
            "after each operation, and with `--watch`.")


def advice(result, course):
    """Lines on what to try next."""
    if result["status"] == "does not compile":
        return ["Compile it with the handout's mm.h and memlib.h: "
                "`./mdriver -a ./mm.c`. What the compiler said is below."]
    if result["faults"]:
        return [AFTER_FAULT.get(result["status"], NO_MATCH)]
    if result["status"] != "ok":
        return ["Nothing could be graded; what was said is below."]
    lines, (_, util, speed) = [], result["points"]
    if util < 0.7 * course.utilization:
        lines.append("Utilization: join free neighbours; split what is too "
                     "large; let realloc grow in place; take small blocks from "
                     "slabs without heads. `--watch` shows what is free.")
    if speed < 0.7 * course.throughput:
        lines.append("Throughput: do not look at blocks in use; lists by size; "
                     "with several threads, what do they wait for?")
    return lines or ["It is right and good. The stages of the lab go on where "
                     "this course ends: memory that goes back, remote frees."]


def shown(fault, hidden, show):
    """A fault's text, without what a hidden trace would give away."""
    if show or not any(name in fault for name in hidden):
        return fault
    return fault.split(": ")[0] + ": on a hidden trace"


def code_lines(fault, source):
    """The lines of the submission that a fault names."""
    match = CODE.search(fault)
    if not match or Path(match.group(1)).name != source.name:
        return []
    lines = source.read_text(encoding="utf-8", errors="replace").split("\n")
    at = int(match.group(2))
    return [f"{n:5} {'>' if n == at else ' '} {lines[n - 1]}"
            for n in range(max(1, at - 3), min(len(lines), at + 3) + 1)]


def last_frame(heap):
    """{where: the eight numbers of a piece} at the end (docs/watch.md)."""
    pieces = {}
    for _, _, _, gone, new in heap["frames"]:
        for at in gone:
            pieces.pop(at, None)
        for i in range(0, len(new), 8):
            pieces[new[i]] = new[i:i + 8]
    return pieces


def neighbourhood(page):
    """The heap around the block at which a page's fault was found."""
    data = re.search(r'id="data">(.*?)</script>',
                     page.read_text(encoding="utf-8"), re.S)
    heap = json.loads(data.group(1))["heaps"][0]
    marks = heap["fault"]["marks"]
    lines = [(at, size, 1, "the operation's block")
             for at, size, _ in marks[:1]]
    lines += [(at, size, 2, f"block {number}, which it clashes with")
              for at, size, number in marks[1:]]
    marked = {at for at, *_ in lines}
    for at, size, head, asked, what, _, number, _ in last_frame(heap).values():
        if at + head not in marked:
            text = KINDS[what] if number < 0 else f"block {number}, " + \
                f"{asked} bytes asked for"
            lines.append((at, size, 0, text))
    lines.sort()
    here = next((i for i, line in enumerate(lines) if line[2] == 1),
                len(lines))
    near = lines[max(0, here - AROUND):here + AROUND + 1]
    return ["   from   to (bytes from the lowest address)"] + [
        f"{' >!'[mark]} {at:8} {at + size:8}  {text}"
        for at, size, mark, text in near]


def picture(lab, source, fault, page, hang):
    """The heap at a fault in a public trace, as lines of text; and as a page
    for a browser. Empty if one thread alone does not come to a fault."""
    match = PLACE.search(fault)
    trace = match and next(
        (t for t in Path(lab, "traces").glob(Path(match.group(1)).name)), None)
    if not trace:
        return []
    try:
        done = subprocess.run(
            ["./mdriver", "-a", str(source), "-f", str(trace), "--watch",
             str(page.resolve()), "-s", str(hang)], cwd=lab,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=PICTURE_SECONDS, start_new_session=True)
    except subprocess.TimeoutExpired:
        return []
    try:
        return neighbourhood(page) if done.returncode == 1 else []
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return []       # its process may write to the page what it likes
    finally:
        if done.returncode != 1:
            page.unlink(missing_ok=True)


def row(*cells):
    return "| " + " | ".join(map(str, cells)) + " |"


def points_table(result, course):
    figures = result["figures"]
    c, u, t = result["points"]
    lines = [row("", "points", "of", ""), row("---", "---:", "---:", "---"),
             row("correctness", f"{c:.2f}", course.correctness,
                 f"{result['valid']} of {result['tried']} replays valid"),
             row("utilization", f"{u:.2f}", course.utilization,
                 figures.get("utilization", "")),
             row("throughput", f"{t:.2f}", course.throughput,
                 figures.get("throughput", ""))]
    if course.bonus:
        lines.append(row("bonus", f"{result['bonus']:.2f}", course.bonus,
                         result["bonus_why"]))
    return [*lines, row("**total**", f"**{result['total']:.2f}**",
                        result["max"], "")]


def traces_table(result, hidden):
    lines = [row("trace", "threads", "result"), row("---", "---:", "---")]
    for name, threads, what, _ in result["traces"]:
        if name not in hidden or what != "valid":
            lines.append(row(name, threads, what))
    return lines if result["traces"] else []


def fenced(title, lines):
    body = "\n".join(lines).replace("```", "'''").rstrip()
    return [f"## {title}", "", "```text", body, "```", ""] if body else []


def markdown(name, result, course, lab, source, page):
    hidden = result["hidden"]
    faults = [shown(f, hidden, course.show) for f in result["faults"]]
    lines = [f"# {course.name}: {name}", "", f"Result: **{result['status']}**",
             "", *points_table(result, course), ""]
    if result["isolated"] is False:
        lines += ["Graded without isolation.", ""]
    lines += fenced("Faults", faults)
    first = result["faults"][0] if faults else ""
    lines += fenced("Where in the code", code_lines(first, source))
    drawn = []      # what shows in timed replays only cannot be drawn
    if first and page and result["status"] not in ("slow", "heap"):
        drawn = picture(lab, source, first, page, course.hang)
    if drawn:
        lines += fenced("The heap at the fault", drawn)
        lines += [f"Block by block, in a browser: [{page.name}]({page.name})",
                  ""]
    lines += ["## What to try next", ""]
    lines += [f"- {text}" for text in advice(result, course)] + [""]
    lines += ["## Traces", "", *traces_table(result, hidden), ""]
    if result["status"] != "ok" and not any(n in result["said"]
                                            for n in hidden):
        lines += fenced("What was said", result["said"].split("\n")[:40])
    return "\n".join(lines)


def gradescope(result, course, text):
    """results.json: https://gradescope-autograders.readthedocs.io"""
    names = ("correctness", "utilization", "throughput")
    tests = [{"name": n, "score": round(p, 2), "max_score": getattr(course, n)}
             for n, p in zip(names, result["points"])]
    if course.bonus:
        tests.append({"name": "bonus", "score": round(result["bonus"], 2),
                      "max_score": course.bonus})
    return json.dumps({"score": round(result["total"], 2), "tests": tests,
                       "output": text, "output_format": "md",
                       "visibility": "visible"}, indent=1) + "\n"


def autolab(result, course):
    """The last line of an autograder's output, as Autolab reads it."""
    scores = dict(zip(("correctness", "utilization", "throughput"),
                      (round(p, 2) for p in result["points"])))
    if course.bonus:
        scores["bonus"] = round(result["bonus"], 2)
    return json.dumps({"scores": scores}) + "\n"
