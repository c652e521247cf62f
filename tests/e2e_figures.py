#!/usr/bin/env python3
"""e2e_figures.py - scripts/figures.py: the tables of README.md and docs/ are
those of the committed CSV files, and say what made-up files say."""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tap import run

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = Path(tempfile.mkdtemp())
FILES = ("figures.py", "marks.py", "results_files.py")


def project():
    """A copy with made-up results, and documents that have all marks."""
    here = SCRATCH / "project"
    if not here.exists():
        (here / "scripts").mkdir(parents=True)
        (here / "docs").mkdir()
        for name in FILES:
            shutil.copy(ROOT / "scripts" / name, here / "scripts")
        subprocess.run([ROOT / "tests/made_results.py", here / "results"],
                       check=True)
    (here / "README.md").write_text(marks("overview"))
    (here / "docs/results.md").write_text(
        marks("same", "own", "latency", "stress", "programs", "instructions",
              "machines"))
    (here / "docs/performance.md").write_text(marks("bytes"))
    return here


def marks(*names):
    return "".join(f"before {name}\n<!-- figures: {name} -->\nold\n"
                   "<!-- end of figures -->\nafter\n" for name in names)


def figures(here, *arguments):
    done = subprocess.run([here / "scripts/figures.py", *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode, done.stdout


def written(here, document):
    code, said = figures(here)
    assert code == 0, said
    return (here / document).read_text()


# ---- the tests ---------------------------------------------------------------

def the_committed_documents_have_the_committed_figures():
    code, said = figures(ROOT, "--check")
    assert code == 0, said


def the_readme_has_one_thread_and_the_main_job():
    text = written(project(), "README.md")
    assert "| 2 traces | utilization |" in text, text
    assert "| fast | 80.0 % | 1.25 | 4.00x | 1.50 | 8.00x |" in text, text
    assert "old" not in text and "before overview\n<!-- figures" in text, text
    assert text.endswith("<!-- end of figures -->\nafter\n"), text


def what_follows_a_table_says_where_it_is_from():
    text = written(project(), "README.md")
    assert "`./mdriver made up`; Nothing, 2 processors, Linux; 2026-01-02.\n" \
        in text, text


def has_lines(document, *lines):
    text = written(project(), document)
    for line in lines:
        assert line in text, (line, text)


def each_table_has_its_figures():
    has_lines("docs/results.md",
              "| fast | 1/1 | 90.0 % | 1.50 | 8.00x | 1.50x |",
              "| jemalloc | 3.00 | 3.00 | 3.00 | 2.00x | 2.00x | 2.00x | "
              "2.00x | 4.00x |",
              "| jemalloc | 4 | 70 | 70 | 70 | 70 | 70 | 70 | 70 | 70 |",
              "| first, 4 | 1.00x, 8 | 4.00x, 32 | 2.00x, 16 |",
              "| second, 1 | 1.00x, 8 | 4.00x, 32 | crash |",
              "| fast | 14.1 | 10.0 | 20.0 |")


def a_second_machine_stands_beside_the_first():
    here, machine = project(), "4 processors, Linux 6 aarch64"
    for name, stem in (("matrix", "matrix"), ("stress", "stress")):
        path = next(here.glob(f"results/{name}*.csv"))
        text = path.read_text().replace("2 processors, Linux", machine)
        text = text.replace("2026-01-0", "2026-02-0")
        (here / f"results/{stem}-other.csv").write_text(text)
    try:
        has_lines("README.md",
                  "| fast | 80.0 % | 1.25 | 4.00x | 1.50 | 8.00x |",
                  "| fast, Nothing, 4 processors, aarch64 | 80.0 % | 1.25 | 4.00x |")
        has_lines("docs/results.md",
                  "| fast, Nothing, 4 processors, aarch64 | 1.25 |",
                  "; Nothing, 2 processors, Linux; 2026-01-0",
                  "; Nothing, 4 processors, Linux 6 aarch64; 2026-02-0",
                  "| first, 4 | 1.00x, 8 | 4.00x, 32 | 2.00x, 16 | 1.00x, 8 |")
    finally:
        for path in here.glob("results/*-other.csv"):
            path.unlink()


def instructions_of_several_machines_name_each():
    has_lines("docs/results.md",
              "| instructions an operation | Nothing | aarch64 | riscv64 |\n"
              "| -- | -- | -- | -- |\n| fast | 14.1 | 24.0 | 30.0 |\n",
              "`./mdriver made up`; aarch64 by qemu-aarch64 version 7, gcc 12; "
              "2026-01-06.\n",
              "`./mdriver made up`; riscv64 by qemu-riscv64 version 7, gcc 12; "
              "2026-01-06.\n")


def the_committed_table_of_machines_names_each():
    text = (ROOT / "docs/results.md").read_text()
    block = text.split("<!-- figures: machines -->\n")[1].split("<!-- end")[0]
    head, *rest = block.splitlines()
    assert head == "| instructions an operation | x86_64 | aarch64 | riscv64 |"
    for machine in ("aarch64", "riscv64"):
        source = f"`scripts/count.sh -m {machine}`; {machine} by qemu"
        assert any(line.startswith(source) for line in rest), rest


def bytes_are_percent_of_the_heap():
    has_lines("docs/performance.md",
              "| -- | -- | -- | -- | -- | -- | -- |",
              "|  | trace | heap, MiB | asked, % | slabs, % | free, % | "
              "records, % |",
              "| fast | mean |  | 75.0 | 12.5 | 12.5 | 0.0 |",
              "| fast | one | 2.00 | 50.0 | 25.0 | 25.0 | 0.1 |")


def check_says_what_is_out_of_date_and_leaves_it():
    here = project()
    code, said = figures(here, "--check")
    assert code == 1 and "README.md is out of date: make figures" in said, said
    assert "old" in (here / "README.md").read_text()
    figures(here)
    assert figures(here, "--check") == (0, "")
    path = here / "README.md"
    path.write_text(path.read_text().replace("4.00x", "5.00x"))
    assert figures(here, "--check")[0] == 1, "a figure that somebody typed"


def a_document_without_its_marks_is_named():
    here = project()
    page = here / "docs/results.md"
    page.write_text("no marks\n")
    done = subprocess.run(
        [sys.executable, "-c", "from pathlib import Path; from marks import "
         f"rewrite; rewrite(Path({str(page)!r}), 'burst', lambda _: 'new')"],
        cwd=here / "scripts", capture_output=True, text=True)
    assert done.returncode == 1, done
    assert "results.md: found no line <!-- end of burst -->" in done.stderr
    assert page.read_text() == "no marks\n"


def an_unknown_mark_is_named():
    here = project()
    (here / "README.md").write_text(marks("weather"))
    code, said = figures(here)
    assert code == 1 and "figures 'weather', expected one of overview" in said


def a_directory_without_figures_is_named():
    empty = SCRATCH / "empty"
    empty.mkdir()
    code, said = figures(project(), empty)
    assert code == 1 and "no figures for 'overview'" in said, said


TESTS = [the_committed_documents_have_the_committed_figures,
         the_readme_has_one_thread_and_the_main_job,
         what_follows_a_table_says_where_it_is_from,
         each_table_has_its_figures, a_second_machine_stands_beside_the_first,
         instructions_of_several_machines_name_each,
         the_committed_table_of_machines_names_each,
         bytes_are_percent_of_the_heap,
         check_says_what_is_out_of_date_and_leaves_it,
         an_unknown_mark_is_named, a_document_without_its_marks_is_named,
         a_directory_without_figures_is_named]


if __name__ == "__main__":
    try:
        sys.exit(run(TESTS))
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
