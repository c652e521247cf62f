# git.sh - a history is made, repacked by threads, checked, cloned and read.
# ci; needs: git
set -eu
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@a GIT_COMMITTER_NAME=a \
    GIT_COMMITTER_EMAIL=a@a
git init -q -b main one
cd one
for i in $(seq $((30 * SOAK))); do
    for k in 1 2 3 4 5 6 7 8; do
        seq "$((i * k))" 3 "$((i * k + 3000))" >"file$((i * k % 40))"
    done
    git add .
    export GIT_AUTHOR_DATE="$((1700000000 + i)) +0000"
    export GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
    git commit -q -m "commit $i"
done
git -c pack.threads=4 repack -adfq --depth=20 --window=20
git fsck --strict 2>&1
git log --stat -p | md5sum
git blame file8 | md5sum
cd ..
git -c pack.threads=4 clone -q --no-local one two
cd two
git grep -c 77 | md5sum
git rev-parse HEAD
