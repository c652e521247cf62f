# java.sh - a JVM compiles and runs a program: its threads, its collectors.
# soak; needs: java
set -eu
for collector in Serial Parallel G1 Z; do
    java "-XX:+Use${collector}GC" -Xmx600m "$ROOT/scripts/workloads/Groups.java"
done
