"""course_config.py - a course's own numbers, read from its file.

course/plain.conf has every key, with what it means; it is also what a key that
is left out is worth.
"""
import configparser
import re
import sys
from collections import namedtuple
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ROOT / "course/plain.conf"
WEIGHT_MOST = 1000
WEIGHT = re.compile(r"\d+(\.\d+)?")
STAGES = ("plain", "lock", "arenas", "lockfree")

Course = namedtuple(
    "Course", "path name stage threads runs hang limit correctness utilization throughput "
    "utilization_none utilization_full throughput_full public weights families "
    "hidden_weights seed ops show bonus bonus_threads bonus_throughput")


class Bad(Exception):
    """What is wrong with a file, in one line."""


def check_keys(path, conf, known):
    for section in conf.sections():
        for key in conf[section]:
            if section not in known or key not in known[section]:
                raise Bad(f"{path}: found {key} in [{section}], which is no "
                          f"key of {DEFAULT.name}: is it misspelt?")


def number(path, section, key, kind, low, high):
    text = section[key]
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not low <= value <= high:
        raise Bad(f"{path}: [{section.name}] {key}: found '{text}', expected "
                  f"a number from {low} to {high}")
    return value


def trace_paths(path, words):
    """Files of traces/ by their names without an ending, or other files by
    their paths, from the folder of the config."""
    found = []
    for word in words:
        own = Path(path).parent / word
        if ".trace" in word and own.is_file():
            found.append(own)
            continue
        paths = sorted((ROOT / "traces").glob(word + ".trace*"))
        if not paths:
            raise Bad(f"{path}: [traces] public: found {word}, but traces/ "
                      "has no such file")
        found += paths
    if not found:
        raise Bad(f"{path}: [traces] public: expected at least one trace")
    return found


def trace_name(path):
    """As the driver calls it."""
    name = Path(path).name.removesuffix(".zst")
    return name.removesuffix(".trace").removesuffix(".rep")


def weights(path, section, names):
    """{name: weight} of the words NAME:WEIGHT; a name that is not there
    weighs 1."""
    found = {}
    for word in section["weights"].split():
        name, _, text = word.rpartition(":")
        where = f"{path}: [{section.name}] weights: found '{word}'"
        if name not in names:
            raise Bad(f"{where}, expected NAME:WEIGHT with one of its names: "
                      f"{', '.join(sorted(names))}")
        if not WEIGHT.fullmatch(text) or float(text) > WEIGHT_MOST:
            raise Bad(f"{where}, expected a weight from 0 to {WEIGHT_MOST}")
        found[name] = text
    if names and all(float(found.get(n, 1)) == 0 for n in names):
        raise Bad(f"{path}: [{section.name}] weights: found 0 for every "
                  "trace, expected one above 0")
    return found


def thread_counts(path, text):
    words = text.replace(",", " ").split()
    if not words or not all(w.isdigit() and 1 <= int(w) <= 256 for w in words):
        raise Bad(f"{path}: [course] threads: found '{text}', expected "
                  "numbers from 1 to 256")
    return [int(w) for w in words]


def read(path):
    """The Course of a file; raises Bad."""
    conf, known = configparser.ConfigParser(), configparser.ConfigParser()
    known.read(DEFAULT, encoding="utf-8")
    conf.read(DEFAULT, encoding="utf-8")
    own = configparser.ConfigParser()
    try:
        with open(path, encoding="utf-8") as f:
            own.read_file(f)
        check_keys(path, own, known)
        conf.read(path, encoding="utf-8")
    except (OSError, UnicodeDecodeError, configparser.Error) as e:
        raise Bad(f"{path}: {' '.join(str(e).split())}") from e
    return course(path, conf)


def course(path, conf):
    c, p, h, b = (conf[s] for s in ("course", "points", "hidden", "bonus"))
    if c["stage"] not in STAGES:
        raise Bad(f"{path}: [course] stage: found '{c['stage']}', expected "
                  f"one of {', '.join(STAGES)}")

    def points(key, section=p):
        return number(path, section, key, int, 0, 1000)

    public, families = (trace_paths(path, conf["traces"]["public"].split()),
                        h["families"].split())
    result = Course(
        Path(path), c["name"], c["stage"], thread_counts(path, c["threads"]),
        number(path, c, "runs", int, 1, 100),
        number(path, c, "hang", int, 1, 3600),
        number(path, c, "limit", int, 1, 36000), points("correctness"),
        points("utilization"), points("throughput"),
        number(path, p, "utilization_none", float, 0, 99),
        number(path, p, "utilization_full", float, 1, 100),
        number(path, p, "throughput_full", float, 0.01, 100),
        public,
        weights(path, conf["traces"], {trace_name(p) for p in public}),
        families, weights(path, h, set(families)),
        number(path, h, "seed", int, 0, 10 ** 15),
        number(path, h, "ops", int, 100, 10 ** 8) if h["ops"] else None,
        h.getboolean("show"), points("points", b),
        number(path, b, "threads", int, 1, 256),
        number(path, b, "throughput", float, 0, 100))
    if result.utilization_none >= result.utilization_full:
        raise Bad(f"{path}: [points] utilization_none must be below "
                  "utilization_full")
    return result


def read_or_exit(program, path):
    try:
        return read(path)
    except (Bad, ValueError) as e:
        sys.exit(f"{program}: {e}")
