#!/usr/bin/env python3
"""e2e_report.py - scripts/report.py: the page, read by a headless Chromium.

Without Chromium the tests that need it are skipped; apt-get install chromium.
"""
import html
import json
import re
import subprocess
import sys
from pathlib import Path

import browser
from browser import SCRATCH

ROOT = Path(__file__).resolve().parent.parent
CHARTS = 13    # of made-up results: all but lab

# Runs in the page: opens what can be opened, sorts, filters, and says what it
# found.
ACTIONS = """<script>
const said = {};
const wait = () => new Promise(done => setTimeout(done, 50));
const column = (table, i) =>
  Array.from(table.tBodies[0].rows, row => row.cells[i].textContent);
const head = (table, name) => Array.from(table.tHead.rows[0].cells).find(
  cell => cell.textContent === name);
(async () => {
  said.charts = Array.from(document.querySelectorAll("figure svg"), svg =>
    svg.getBoundingClientRect().width > 400
    && svg.getBoundingClientRect().height > 100);
  said.ids = Array.from(document.querySelectorAll("[id]"), e => e.id);
  const table = document.querySelector("h2#summary ~ .whole table");
  const box = table.parentNode;
  said.whole = box.scrollHeight <= box.clientHeight
    && box.scrollWidth <= box.clientWidth;
  const ratio = head(table, "vs libc");
  ratio.querySelector("button").click();
  said.up = column(table, ratio.cellIndex);
  ratio.querySelector("button").click();
  said.down = column(table, ratio.cellIndex);
  said.mark = ratio.getAttribute("aria-sort");
  said.utilization = column(table, head(table, "utilization %").cellIndex);
  head(table, "allocator").querySelector("button").click();
  said.names = column(table, 0);
  said.files = {};
  for (const details of document.querySelectorAll("details")) {
    details.open = true;
    await wait();
    const all = details.querySelector("table");
    said.files[details.querySelector("summary").textContent] =
      all.tBodies[0].rows.length;
    const input = details.querySelector("input");
    input.value = "libc";
    input.dispatchEvent(new Event("input"));
    said.filtered = Array.from(all.tBodies[0].rows, row =>
      row.hidden === !row.textContent.includes("libc")).every(Boolean);
  }
  const made = document.createElement("pre");
  made.id = "said";
  made.textContent = JSON.stringify(said);
  document.body.append(made);
})();
</script>
</body>"""


def read(page):
    return browser.read(page, "1100,900", 20000)


def made(name, *command):
    out = SCRATCH / f"{name}.html"
    done = subprocess.run([*command, out], cwd=ROOT, check=True,
                          stdout=subprocess.PIPE, text=True)
    assert done.stdout.startswith(f"report.py: {out}"), done.stdout
    return out


def results():
    directory = SCRATCH / "results"
    if not directory.exists():
        subprocess.run([ROOT / "tests/made_results.py", directory], check=True)
        subprocess.run([ROOT / "scripts/plot.sh", directory], check=True,
                       stdout=subprocess.DEVNULL)
    return directory


def page():
    return made("made", ROOT / "scripts/report.py", results())


# ---- the tests ---------------------------------------------------------------

def it_needs_no_other_file_and_no_network():
    text = page().read_text()
    assert text.count("<svg") == CHARTS, text.count("<svg")
    for what in re.findall(r"""(?:src|href|data)=["']([^"']*)""", text):
        assert what.startswith(("#", "data:")), what
    for word in ("<link", "@import", "fetch(", "<iframe", "<?xml"):
        assert word not in text, word


def it_sums_up_each_allocator_by_threads():
    text = page().read_text()
    row = ('<td class=text>fast</td><td>2</td><td>2</td><td>80.0</td>'
           '<td>1.25</td><td>4.0</td><td>4.00</td><td>1.80</td>')
    assert row in text, re.findall(r"<tr>.*fast.*</tr>", text)
    assert text.count("<td class=text>fast</td>") == 5, "1, 2, 4; own: 1, 4"
    row = ('<td class=text>fast</td><td>4</td><td>1</td><td>90.0</td>'
           '<td>1.50</td><td>4.0</td><td>8.00</td><td>1.50</td>')
    assert row in text, "own traces"


def it_says_what_to_conclude():
    text = page().read_text()
    opening = text[text.index("What to conclude</h2>"):text.index("<table")]
    for words in ("With 1 thread <b>fast</b> is the fastest, 4.00 times",
                  "slower than libc is <b>slow</b>",
                  "1.25 bytes resident for each byte",
                  "With 4 threads <b>fast</b> is the fastest, 8.00 times",
                  "1 is nothing wasted"):
        assert words in opening, f"{words!r} is not in {opening!r}"


def an_empty_directory_is_refused():
    empty = SCRATCH / "empty"
    empty.mkdir()
    done = subprocess.run([ROOT / "scripts/report.py", empty], cwd=SCRATCH,
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "found no results" in done.stderr, done


def a_page_that_cannot_be_written_is_named():
    done = subprocess.run([ROOT / "scripts/report.py", results(), "/no/x.html"],
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "/no/x.html: cannot" in done.stderr, done


def its_tables_sort_and_filter_in_a_browser():
    tried = SCRATCH / "tried.html"
    tried.write_text(page().read_text().replace("</body>", ACTIONS))
    dom, console = read(tried)
    assert console == [], console
    said = json.loads(html.unescape(
        re.search(r'<pre id="said">(.*?)</pre>', dom, re.S).group(1)))
    assert said["whole"], "the table of allocators has to be scrolled"
    assert said["charts"] == [True] * CHARTS, said["charts"]
    assert len(said["ids"]) == len(set(said["ids"])), "an id is there twice"
    assert said["up"] == (["0.50"] * 3 + ["1.00"] * 3 + ["2.00"] * 21
                          + ["4.00"] * 3), said["up"]
    assert said["down"] == said["up"][::-1], said["down"]
    assert said["mark"] == "descending", said["mark"]
    assert said["utilization"][0] == "80.0", said["utilization"]
    assert said["names"] == sorted(said["names"]), said["names"]
    assert said["files"] == {"matrix.csv: 19 lines": 19,
                             "bench.csv: 42 lines": 42,
                             "instructions.csv: 4 lines": 4,
                             "instructions-aarch64.csv: 2 lines": 2,
                             "instructions-riscv64.csv: 2 lines": 2,
                             "own.csv: 3 lines": 3,
                             "stress.csv: 12 lines": 12,
                             "programs.csv: 6 lines": 6,
                             "heapmap.csv: 20 lines": 20,
                             "trace_stats.csv: 9 lines": 9,
                             "bytes.csv: 2 lines": 2}, said["files"]
    assert said["filtered"], "not the lines that contain what is wanted"


def the_console_is_silent_when_it_is_merely_read():
    dom, console = read(page())
    assert console == [], console
    assert "<h1>Allocators, compared</h1>" in dom


def an_error_in_the_console_would_be_seen():
    bad = SCRATCH / "bad.html"
    bad.write_text("<script>nothing.like.it()</script>")
    console = read(bad)[1]
    assert any("nothing is not defined" in line for line in console), console


def the_committed_results_make_a_page_without_an_error():
    text = made("ours", ROOT / "scripts/report.py", ROOT / "results")
    dom, console = read(text)
    assert console == [], console
    assert dom.count("<svg") == CHARTS + 1, "and lab"
    for name in ("arena", "global", "libc"):
        assert f">{name}<" in dom, name


ALWAYS = [it_needs_no_other_file_and_no_network,
          it_sums_up_each_allocator_by_threads, it_says_what_to_conclude,
          an_empty_directory_is_refused,
          a_page_that_cannot_be_written_is_named]
BROWSER = [its_tables_sort_and_filter_in_a_browser,
           the_console_is_silent_when_it_is_merely_read,
           an_error_in_the_console_would_be_seen,
           the_committed_results_make_a_page_without_an_error]


if __name__ == "__main__":
    sys.exit(browser.run_tests(ALWAYS, BROWSER))
