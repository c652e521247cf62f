#!/usr/bin/env python3
"""check_format.py - all C of the tree is as .clang-format has it.

usage: scripts/check_format.py [--needed]

Only with Debian 12's clang-format (version 14): others break lines in other
places. Where it is missing this says so, and is content unless it is --needed.
Exit status: 0 all in order, 1 some file is not, or nothing could be checked.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERSION = "14"


def tool_version():
    """The major version of clang-format, or None without one."""
    try:
        said = subprocess.run(["clang-format", "--version"], check=True,
                              capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"version (\d+)", said)
    return found and found[1]


def main():
    if sys.argv[1:] not in ([], ["--needed"]):
        sys.exit(__doc__)
    version = tool_version()
    if version != VERSION:
        print(f"format: not checked: found clang-format {version}, expected "
              f"{VERSION} (Debian's package clang-format)")
        return int("--needed" in sys.argv[1:])
    files = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.[ch]")
                   if not path.relative_to(ROOT).parts[0].startswith("build"))
    run = subprocess.run(["clang-format", "--dry-run", *files], cwd=ROOT,
                         capture_output=True, text=True, check=True)
    bad = sorted({line.split(":")[0] for line in run.stderr.splitlines()
                  if "warning:" in line})
    for name in bad:
        print(f"{name}: not as .clang-format has it; "
              f"clang-format -i {name} mends it")
    print(f"format: {len(files)} files, " +
          (f"{len(bad)} not in order" if bad else "all in order"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
