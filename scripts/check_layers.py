#!/usr/bin/env python3
"""check_layers.py - keeps the architecture: who includes and calls whom, who
asks the kernel for memory, and how long a file and a function may grow.

    scripts/check_layers.py [ROOT]   one line per violation, exit status 1

The project is rooms, in order. A file may include what is in a lower room, and
files of its own folder as long as no includes go in a circle. A new room must
be put into ROOMS; that is a decision, so the script does not guess.

The same holds in mm/ for calls. What a file declares and leaves to others is a
hook: more than one of them defines it. A call of a hook is one of the file that
declares it. No function's body stands in two files.
"""
import ast
import fnmatch
import re
import sys
from pathlib import Path

# From the bottom up: levels of files or rooms, which do not see each other
# within one. "a/" is the files in a, "a/**" also those in folders below it.
ROOMS = [level.split() for level in """
    config.h | hint.h mm.h | count.h | mem*.[ch]
    | mm/ | mm/engine/ | mm/front/
    | mm/global/ mm/per_thread/ mm/arena/ mm/lockfree/ | mm/fit/
    | designs/*.h | mm.c designs/*.c | preload*.[ch] | record.c record/
    | driver/base/ | driver/trace/ | driver/check/ | driver/run/
    | driver/report/ | driver/without/ | mdriver.c | bench/ teach/
    | course/lessons/ | course/solutions/ course/checks/ | tests/**
    """.split("|")]
# Programs that know no allocator: all that they may include of lower rooms.
SEES = {
    "bench/": [], "teach/": [],
    "record.c": ["config.h", "record/"], "record/": ["config.h"],
    "mdriver.c": ["config.h", "mm.h", "memlib.h", "driver/**"],
    "driver/base/": ["config.h", "mm.h", "memlib.h"],
    **{f"driver/{room}/": ["config.h", "hint.h", "mm.h", "memlib.h",
                         "driver/**"]
       for room in ("trace", "check", "run", "report", "without")},
}
ALONE = ["designs/*.c"]    # see no file of their own room

# Only memlib.c gives allocators memory; the driver's own never comes from one.
ALLOCATOR = ["mm.c", "mm/**", "designs/**", "preload*"]
MEMORY_CALL = re.compile(
    r"#\s*include\s*<sys/mman\.h>"
    r"|\b(mmap|mmap64|munmap|mremap|mprotect|madvise|brk|sbrk)\s*\(")

FILE_LINES = 600        # comments included
FUNCTION_LINES = 40     # from { to }
TRIVIAL = 24            # characters of a body that may stand anywhere

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|(\w+))')
FUNCTION = re.compile(r"^[a-z][^;{}=#]*?\b(\w+)\([^;{}]*\)\s*(;|\{.*?^\})",
                      re.M | re.S)
SOURCES = ["*.[ch]", "mm/**/*.[ch]", "designs/*.[ch]",
           "driver/**/*.[ch]", "record/*.[ch]", "bench/*.[ch]", "teach/*",
           "course/**/*.[ch]", "tests/**/*.[ch]", "Makefile",
           "*.mk", "tests/**/*.mk", "tests/**/*.sh", "tests/**/*.py",
           "scripts/*"]


def is_in(name, room):
    if room.endswith("/**"):
        return name.startswith(room[:-2])
    if room.endswith("/"):
        return name.rpartition("/")[0] + "/" == room
    return fnmatch.fnmatchcase(name, room)


def room_of(name):
    """(level, room), or None."""
    for level, rooms in enumerate(ROOMS):
        for room in rooms:
            if is_in(name, room):
                return level, room
    return None


def without_comments(text):
    """Comments blanked, strings and line numbers kept."""
    def blank(found):
        token = found.group()
        return token if token[0] == '"' else re.sub(r"[^\n]", " ", token)
    return re.sub(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*', blank, text,
                  flags=re.S)


def target_of(root, name, written, macro):
    """The project file that an include means, or None: a system header, or a
    macro that config.h does not define."""
    if macro:
        config = (root / "config.h").read_text(encoding="utf-8")
        found = re.search(rf'^#define {macro} "([^"]+)"', config, re.M)
        written = found.group(1) if found else ""
    for base in (root / Path(name).parent, root):
        path = base / written
        if path.is_file():
            return path.resolve().relative_to(root.resolve()).as_posix()
    return None


def include_fault(name, target):
    """What is wrong with name including target, or None."""
    for file in (name, target):
        if room_of(file) is None:
            return (f"{file} is in no room: "
                    "put it into ROOMS in scripts/check_layers.py")
    (mine, my_room), (its, its_room) = room_of(name), room_of(target)
    if its > mine:
        return f"includes {target}, which is above it"
    sees = SEES.get(my_room)
    if my_room == its_room:
        allowed = my_room not in ALONE
    else:
        allowed = its < mine if sees is None else \
            any(is_in(target, room) for room in sees)
    if allowed:
        return None
    if its == mine:
        return f"includes {target}, which is beside it, not below"
    return f"includes {target}, but sees only {', '.join(sees)}"


def circle(name, includes):
    """The files of a circle of includes that begins at name, or None."""
    path, seen = [name], set()

    def walk(file):
        for target in includes.get(file, []):
            if target == name:
                return True
            if target not in seen:
                seen.add(target)
                path.append(target)
                if walk(target):
                    return True
                path.pop()
        return False
    return path if walk(name) else None


def function_lengths(lines):
    """(line of the closing brace, lines from { to }) of each function."""
    start = None
    for number, line in enumerate(lines, 1):
        if line.rstrip() == "{":
            start = number
        elif line.startswith("}") and start:
            yield number, number - start + 1
            start = None


def python_lengths(text):
    """(line, lines) of each function of a Python file."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            yield node.lineno, node.end_lineno - node.lineno + 1


def shell_lengths(lines):
    """The same of a shell script."""
    start = None
    for number, line in enumerate(lines, 1):
        if re.match(r"\w+\(\) *[{(]", line):
            start = number
        elif start and line.rstrip() in ("}", ")"):
            yield start, number - start + 1
            start = None


def long_functions(lengths):
    for number, count in lengths:
        if count > FUNCTION_LINES:
            yield number, (f"a function of {count} lines; "
                           f"the limit is {FUNCTION_LINES}: split it")


def check_source(root, name, lines, includes):
    """What is wrong in a C file; fills includes[name]."""
    if room_of(name) is None:
        yield 1, "is in no room: put it into ROOMS in scripts/check_layers.py"
        return
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        target = found and target_of(root, name, *found.groups())
        if target:
            includes.setdefault(name, []).append(target)
        fault = target and include_fault(name, target)
        if fault:
            yield number, fault
        if any(is_in(name, room) for room in ALLOCATOR) \
                and MEMORY_CALL.search(line):
            yield number, (f"'{line.strip()}': memory system calls "
                           "belong to memlib.c alone; see memlib.h")
    yield from long_functions(function_lengths(lines))


def check_file(root, name, includes):
    text = (root / name).read_text(encoding="utf-8", errors="replace")
    if name.endswith((".c", ".h")):
        yield from check_source(root, name,
                                without_comments(text).split("\n"), includes)
    elif name.endswith(".py"):
        yield from long_functions(python_lengths(text))
    elif name.endswith(".sh"):
        yield from long_functions(shell_lengths(text.split("\n")))
    count = text.count("\n")
    if count > FILE_LINES:
        yield count, f"{count} lines; the limit is {FILE_LINES}: split it"


# ---- calls, in mm/ -----------------------------------------------------------

def functions(root, names):
    """{file: {function: its body; ";": it is only declared}}"""
    found = {}
    for name in names:
        text = (root / name).read_text(encoding="utf-8")
        bodies = found.setdefault(name, {})
        for match in FUNCTION.finditer(without_comments(text)):
            if bodies.get(match[1], ";") == ";":
                bodies[match[1]] = match[2]
    return found


def hook_faults(known):
    """Of declarations; and of bodies that stand in two files."""
    declared, defined, first = {}, {}, {}
    for name, bodies in known.items():
        for function, body in bodies.items():
            into = declared if body == ";" else defined
            into.setdefault(function, []).append(name)
            text = "".join(re.sub(r"\(void\)\w+;", "", body).split())
            same = first.setdefault(text, name)
            if same != name and len(text) > TRIVIAL:
                yield name, 1, f"{function} stands in {same}, too"
    for function, names in declared.items():
        others = names[:-1] or defined.get(function, [])
        if len(others) == 1:
            yield names[-1], 1, (f"declares {function} of {others[0]}: a hook "
                                 "has one declaration and several definitions")


def calls_of(known, files):
    """{file: {file that it calls: a function}}, in one stage's files."""
    place, calls = {}, {}
    for hook in (False, True):
        place.update({function: name for name in files
                      for function, body in known[name].items()
                      if (body == ";") == hook})
    for name in files:
        for function in re.findall(r"\b(\w+)\(", " ".join(
                known[name].values())):
            to = place.get(function, name)
            if to != name and known[name].get(function, ";") == ";":
                calls.setdefault(name, {})[to] = function
    return calls


def reached(name, includes):
    found = [name]
    for file in found:
        found += [t for t in includes.get(file, []) if t not in found]
    return found


def call_faults(root, names, includes):
    known = functions(root, [n for n in names if is_in(n, "mm/**")
                             or is_in(n, "designs/**") or n == "mm.c"])
    for fault in hook_faults(known):
        if is_in(fault[0], "mm/**"):
            yield fault
    for stage in known:
        if not fnmatch.fnmatchcase(stage, "mm/*/stage.h"):
            continue
        files = [n for n in reached(stage, includes) if n in known]
        calls = calls_of(known, files)
        for name, its in calls.items():
            for to, function in its.items():
                if room_of(to)[0] > room_of(name)[0]:
                    yield name, 1, (f"calls {function} of {to}, "
                                    "which is above it")
        for path in circles(files, calls):
            yield path[0], 1, "a circle of calls: " + path[0] + "".join(
                f" -> {to} ({calls[of][to]})"
                for of, to in zip(path, path[1:]))


def circles(names, edges):
    """Each circle once, from its first file to the same."""
    for name in names:
        found = circle(name, edges)
        if found and name == min(found):
            yield found + [name]


def faults(root, names):
    includes = {}
    for name in names:
        for line, what in check_file(root, name, includes):
            yield name, line, what
    for path in circles(names, includes):
        yield path[0], 1, "a circle of includes: " + " -> ".join(path)
    yield from dict.fromkeys(call_faults(root, names, includes))


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1
                else Path(__file__).resolve().parent.parent)
    names = sorted({p.relative_to(root).as_posix()
                    for pattern in SOURCES for p in root.glob(pattern)
                    if p.is_file()})
    bad = 0
    for name, line, what in faults(root, names):
        print(f"{name}:{line}: {what}")
        bad += 1
    print(f"layers: {len(names)} files, "
          + (f"{bad} violations" if bad else "all in order"))
    return 1 if bad or not names else 0


if __name__ == "__main__":
    sys.exit(main())
