#!/bin/bash
# e2e_operator.sh - what docs/operator.md says of settings: bad values are told
# in one line, names that only look like ours too, and programs that gain rights
# ignore all.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

# told LINES REGEX NAME=VALUE...: what a program under libmm.so is told
told() {
    local lines=$1 regex=$2 said
    shift 2
    said=$(env "$@" LD_PRELOAD="$PWD/${LIBRARY:-libmm.so}" true 2>&1)
    if [[ $(grep -c . <<<"$said") -ne $lines ]] ||
        ! grep -Eq -- "$regex" <<<"$said"; then
        echo "said: $said"
        return 1
    fi
}

for bad in MM_DECAY=x MM_DECAY= MM_DECAY=-2 MM_DECAY=1s MM_DECAY=1e3 \
    MM_DECAY=99999999999999999999 MM_BACKGROUND=2 MM_BACKGROUND=yes \
    MM_ABORT= MM_ABORT=01 MM_NAMES=yes MM_HUGE=2 MM_HUGE=always \
    MM_STATS= MM_STATS=json: \
    MM_PRESSURE=101 MM_PRESSURE=-1 MM_PRESSURE= MM_CGROUP=x MM_CGROUP= \
    MM_CGROUP=/nowhere MM_CGROUP="$SCRATCH" \
    MM_STATS_SIGNAL=9 MM_STATS_SIGNAL=32 MM_STATS_SIGNAL=65 \
    MM_STATS_SIGNAL=11 MM_STATS_SIGNAL=8 MM_STATS_SIGNAL=KILL; do
    expect "$bad is told" told 1 "^mm: $bad: ignored, for it must be " $bad
done
long=/$(printf '%05000d' 0)
for name in MM_CGROUP MM_STATS MM_DECAY; do
    expect "of a long $name the beginning is told" told 1 \
        "^mm: $name=/0{90,120}\.\.\.: ignored, for it must be a?" $name="$long"
done
expect "what is too large is told, and what is not" told 1 \
    "at most 9223372036854775, or" MM_DECAY=9223372036854776
expect "two bad values are two lines" told 2 "MM_ABORT" MM_DECAY=x MM_ABORT=x
for slip in MM_DECY=1 MM_BACKGROUNDS=1 MM_ABORTS=0 MM_HUGEPAGES=1 \
    MM_PRESSED=1 MM_NAME=1 MM_CGROUPS=/ MM_STAT=stderr MM_STATS_FILE=x; do
    expect "$slip is told" \
        told 1 "^mm: $slip: ignored, for libmm knows no such setting" $slip
done
expect "good values, and names of others, are not told" told 0 "^$" \
    MM_DECAY=0 MM_BACKGROUND=0 MM_ABORT=1 MM_HUGE=0 MM_CHARSET=utf-8 \
    MM_=1 MM_SERVER=x MM_STATS_SIGNAL=USR2
expect "never is a good value, and so is very late" told 0 "^$" \
    MM_DECAY=-1 MM_DECAY=9223372036854775
# Standard error is a pipe that nobody reads any more.
told_nobody() {
    local status
    exec 3> >(exit 0)
    wait $!
    env "$1" LD_PRELOAD="$PWD/libmm.so" true 2>&3
    status=$?
    exec 3>&-
    return $status
}
expect "nobody reads it: the program goes on" told_nobody MM_DECAY=x
LIBRARY=libmm-global.so expect "an allocator that cannot says so" \
    told 1 "MM_BACKGROUND=1: ignored, for it must be 0 with this" \
    MM_BACKGROUND=1

cat >"$SCRATCH/damage.c" <<'END'
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
static void handler(int s) { _exit(s + 100); }
int main(int argc, char **argv)
{
    (void)argv;
    signal(SIGABRT, handler);
    if (argc > 1)
        return 0;
    const char *value = getenv("MALLOPT_ABORT");
    if (value && !mallopt(-1004, atoi(value)))
        return 3;
    void *volatile p = malloc(100);
    free(p);
    free(p);
    return 0;
}
END
gcc -o "$SCRATCH/damage" "$SCRATCH/damage.c" 2>/dev/null
damage_ends() {
    env "$2" LD_PRELOAD="$PWD/$3" "$SCRATCH/damage" 2>"$SCRATCH/said"
    [[ $? -eq $1 ]] && grep -q "^mm: " "$SCRATCH/said"
}
for library in libmm.so libmm-arena.so libmm-buddy.so; do
    expect "$library: damage raises SIGABRT" damage_ends 106 MM_ABORT=1 $library
    expect "$library: MM_ABORT=0: it ends the process at once" \
        damage_ends 134 MM_ABORT=0 $library
    expect "$library: mallopt sets that, too" \
        damage_ends 134 MALLOPT_ABORT=0 $library
    MM_ABORT=0 expect "$library: either way" \
        damage_ends 106 MALLOPT_ABORT=1 $library
done

# A static program, as ld.so takes no library along into one with other rights.
has_rights_ignores() {
    gcc -static -o "$SCRATCH/rights" "$SCRATCH/damage.c" libmm.a \
        -pthread 2>/dev/null || return
    chmod 755 "$SCRATCH"
    env MM_DECAY=x "$SCRATCH/rights" 1 2>&1 | grep -q MM_DECAY || return
    chmod 4755 "$SCRATCH/rights"
    ! setpriv --reuid=65534 --clear-groups env MM_DECAY=x \
        "$SCRATCH/rights" 1 2>&1 | grep .
}
if [[ $EUID -eq 0 ]] && command -v setpriv >/dev/null &&
    ! findmnt -no OPTIONS -T "$SCRATCH" 2>/dev/null | grep -q nosuid; then
    expect "a setuid program ignores all" has_rights_ignores
else
    ok "a setuid program ignores all # SKIP needs root and setpriv"
fi

cat >"$SCRATCH/knobs.c" <<'END'
#include <malloc.h>
int main(void)
{
    return !(mallopt(-1001, 50) == 1 && mallopt(-1001, -2) == 0 &&
             mallopt(-1002, 0) == 0 && mallopt(-1002, 1) == 1 &&
             mallopt(-1003, 2) == 0 && mallopt(-1003, 1) == 1 &&
             mallopt(-1004, -1) == 0 && mallopt(-1004, 0) == 1 &&
             mallopt(-1000, 1) == 0 && mallopt(-1005, 1) == 0 &&
             mallopt(M_TRIM_THRESHOLD, -1) == 1 &&
             mallopt(M_TRIM_THRESHOLD, 1 << 20) == 0);
}
END
cat >"$SCRATCH/threads.c" <<'END'
/* A system that makes no thread. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *),
                   void *arg)
{
    (void)t, (void)a, (void)run, (void)arg;
    return EAGAIN;
}
int main(void) { return mallopt(-1002, 1) != 0 || errno; }
END
no_thread_is_told() {
    gcc -rdynamic -o "$SCRATCH/threads" "$SCRATCH/threads.c" &&
        LD_PRELOAD=$PWD/libmm.so "$SCRATCH/threads" &&
        MM_BACKGROUND=1 LD_PRELOAD=$PWD/libmm.so "$SCRATCH/threads" 2>&1 |
        grep -q "^mm: MM_BACKGROUND=1: ignored, for it must be 0 where"
}
expect "that no thread can be made is told" no_thread_is_told
knobs_work() {
    gcc -o "$SCRATCH/knobs" "$SCRATCH/knobs.c" &&
        LD_PRELOAD=$PWD/libmm.so "$SCRATCH/knobs"
}
expect "mallopt sets what has a meaning" knobs_work

# As setproctitle does it, and all that was read may be needed later.
cat >"$SCRATCH/title.c" <<'END'
#include <string.h>
#include <unistd.h>
extern char **environ;
int main(void)
{
    char *end = environ[0];
    for (char **e = environ; *e; e++)
        end = *e + strlen(*e);
    memset(environ[0], 'x', (size_t)(end - environ[0]));
    usleep(300000);
    return 0;
}
END
title_is_written() {
    gcc -o "$SCRATCH/title" "$SCRATCH/title.c" || return
    : >"$SCRATCH/memory.current"
    env -i MM_DECAY=16 MM_BACKGROUND=1 MM_CGROUP="$SCRATCH" \
        MM_STATS="$SCRATCH/said" LD_PRELOAD="$PWD/libmm.so" \
        LONG="$(printf '%050000d' 0)" "$SCRATCH/title" &&
        grep -q "^libmm, allocator" "$SCRATCH/said"
}
expect "a program may write over its environment" title_is_written

# All of glibc's ways to say that nothing goes back: it stays then, and by
# another threshold, or what is none, it does not.
gcc -O2 -pthread -o "$SCRATCH/burst" tests/decay/burst.c
goes_back() {
    env "$@" LD_PRELOAD="$PWD/libmm.so" \
        "$SCRATCH/burst" small 0 sleep calls "${looks:-3000}"
}
stays() {
    local looks=200
    ! goes_back "$@"
}
threshold=glibc.malloc.trim_threshold
for never in GLIBC_TUNABLES=$threshold=18446744073709551615 \
    GLIBC_TUNABLES=glibc.malloc.top_pad=1:$threshold=-1:x=1 \
    MALLOC_TRIM_THRESHOLD_=-1; do
    expect "$never says that nothing goes back" stays "$never"
done
for other in GLIBC_TUNABLES=$threshold={0x20000,x,:x=1} \
    MALLOC_TRIM_THRESHOLD_=131072; do
    expect "$other does not" goes_back "$other"
done
finish
