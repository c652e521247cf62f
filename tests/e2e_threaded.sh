#!/bin/bash
# e2e_threaded.sh - the unit tests that ThreadSanitizer gets (THREADED of
# tests/tests.mk) are those that start threads, and no others.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
B=${B:-build}

in_list=" $(make -s threaded) "
missing='' needless=''
for source in tests/test_*.c; do
    name=$(basename "$source" .c) name=${name#test_}
    [[ -x $B/tests/test_$name ]] || continue # none for this machine
    calls=no listed=no
    ! nm "$B/tests/test_$name" | grep -qw pthread_create || calls=yes
    [[ $in_list != *" $name "* ]] || listed=yes
    [[ $calls$listed != yesno ]] || missing+=" $name"
    [[ $calls$listed != noyes ]] || needless+=" $name"
    [[ $calls$listed != yesyes ]] || some=yes
done
expect "some tests start threads" test -n "${some-}"
expect "each that does is in THREADED; these are not:$missing" \
    test -z "$missing"
expect "what is in it does; these do not:$needless" test -z "$needless"
finish
