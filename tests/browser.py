"""browser.py - what the tests of pages share: a headless Chromium, a scratch
directory, and how tests are run that may lack the browser."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tap import run

SCRATCH = Path(tempfile.mkdtemp())
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def read(page, window, budget):
    """(what the page is after its scripts ran, lines of its console)

    window: "width,height" in pixels; budget: ms of the page's own time."""
    profile = tempfile.mkdtemp(dir=SCRATCH)
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu",
         "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND",
         f"--user-data-dir={profile}", "--enable-logging=stderr", "--v=0",
         f"--window-size={window}", f"--virtual-time-budget={budget}",
         "--dump-dom", page.as_uri()],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "HOME": str(SCRATCH)}, check=True)
    return done.stdout, [line for line in done.stderr.splitlines()
                         if "CONSOLE" in line]


def run_tests(always, browser):
    """As tap.run; those in browser need Chromium. SCRATCH goes at the end."""
    try:
        return run(always + browser, () if CHROMIUM else browser,
                   "no chromium: apt-get install chromium")
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
