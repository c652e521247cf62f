#!/bin/bash
# watch_picture.sh - docs/watch.png: what `mdriver --watch` makes, in Chromium.
#
#   scripts/watch_picture.sh [TRACE] [FILE]
set -euo pipefail
cd "$(dirname "$0")/.."
trace=${1-traces/gen-server-mt.trace.zst} picture=${2-docs/watch.png}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

./mdriver -f "$trace" -a lockfree,libc --watch "$scratch/page.html"
# At two thirds of the time, zoomed in, and a block chosen.
sed -i 's|</body>|<script>seekOps(TRACE.ops * 0.66); zoom(0.25);\
chosen = { id: [...heaps[0].pieces.values()].find(p => p[STATE] === LIVE \&\& \
p[PLACE] > heaps[0].zoom.from + heaps[0].zoom.span / 2)[ID] }; show();\
$("about").textContent = $("about").textContent.replace(/ --watch .*/, \
" --watch page.html");</script></body>|' "$scratch/page.html"
HOME=$scratch chromium --headless --no-sandbox --disable-gpu --disable-quic \
    --no-first-run --disable-background-networking --disable-dev-shm-usage \
    --user-data-dir="$scratch/profile" --window-size=1200,960 \
    --hide-scrollbars --virtual-time-budget=60000 \
    --screenshot="$scratch/page.png" "file://$scratch/page.html" 2>/dev/null
cp "$scratch/page.png" "$picture"
echo "watch_picture.sh: $picture"
