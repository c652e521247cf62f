"""grade_similar.py - which submissions have been copied from each other?

Each file becomes a string of tokens, in which names and numbers are all the
same, so renaming and formatting hide nothing. Of every K tokens in a row a hash
is made; of each window of hashes the smallest is a fingerprint (winnowing:
Schleimer, Wilkerson and Aiken, 2003). What the skeleton has does not count.
"""
import re
import zlib
from collections import defaultdict

K = 12          # tokens: shorter passages are alike by chance
WINDOW = 8
NEARLY = 0.8    # of the smaller one's fingerprints
LEAST = 8       # fingerprints beside the skeleton's: fewer say nothing

KEYWORDS = set(
    "auto break case char const continue default do double else enum extern "
    "float for goto if inline int long register return short signed sizeof "
    "static struct switch typedef union unsigned void volatile while".split())
NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|^[ \t]*#[^\n]*', re.S | re.M)
TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|[A-Za-z_]\w*'
                   r'|\d[\w.]*|[^\sA-Za-z_0-9]')


def tokens(text):
    for word in TOKEN.findall(NOISE.sub(" ", text)):
        if word[0].isalpha() or word[0] == "_":
            yield word if word in KEYWORDS else "n"
        elif word[0].isdigit():
            yield "0"
        else:
            yield word[0] if word[0] in "\"'" else word


def fingerprints(text):
    words = list(tokens(text))
    hashes = [zlib.crc32(" ".join(words[i:i + K]).encode())
              for i in range(max(1, len(words) - K + 1))]
    return {min(hashes[i:i + WINDOW])
            for i in range(max(1, len(hashes) - WINDOW + 1))}


def plain(text):
    """Without comments and spaces: equal for copies."""
    return re.sub(r"\s+", " ", NOISE.sub(" ", text)).strip()


def pairs(texts, skeleton):
    """[(share, name, name)], the most alike first: share 1.0 is identical, but
    for comments, spaces, names and numbers. texts: {name: C code}."""
    known = fingerprints(skeleton)
    prints = {n: fingerprints(t) - known for n, t in texts.items()}
    where = defaultdict(list)
    for name, own in prints.items():
        for print_ in own:
            where[print_].append(name)
    common = defaultdict(int)
    for names in where.values():
        for i, a in enumerate(names):
            for b in names[i + 1:]:
                common[min(a, b), max(a, b)] += 1
    found = {(a, b): n / min(len(prints[a]), len(prints[b]))
             for (a, b), n in common.items()
             if min(len(prints[a]), len(prints[b])) >= LEAST}
    found.update(identical(texts, skeleton))
    return sorted(((share, a, b) for (a, b), share in found.items()
                   if share >= NEARLY), reverse=True)


def identical(texts, skeleton):
    """Also short ones, unless they are the skeleton itself."""
    same = defaultdict(list)
    for name in sorted(texts):
        same[plain(texts[name])].append(name)
    same.pop(plain(skeleton), None)
    return {(a, b): 1.0 for names in same.values()
            for i, a in enumerate(names) for b in names[i + 1:]}
