# compiler.sh - gcc, as and ld build this project; its objects are the same.
# ci; needs: gcc make
set -eu
tar -c -C "$ROOT" --exclude='./build*' --exclude=./.git --exclude=./traces \
    --exclude='*.so' --exclude='*.a' . | tar -x
if ((SOAK > 1)); then
    make -s all preload >/dev/null
else
    make -s OPT=-O1 build/mdriver >/dev/null
fi
find build -name '*.o' -o -name mdriver -o -name '*.so' | LC_ALL=C sort |
    xargs md5sum
