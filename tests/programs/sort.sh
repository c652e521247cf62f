# sort.sh - sort with threads and little memory, and other small tools.
# ci; needs: sort awk
set -eu
seq $((200000 * SOAK)) | sort -R --random-source="$ROOT/mm.c" >lines
sort --parallel=4 -S 8M lines | md5sum
sort --parallel=4 -n lines | md5sum
awk '{ n[$1 % 9973] = n[$1 % 9973] $1 } END { for (i in n) l += length(n[i])
       print l, length(n) }' lines
sed -n 's/\(.*\)7\(.*\)/\2\1/p' lines | md5sum
