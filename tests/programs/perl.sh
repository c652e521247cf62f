# perl.sh - hashes of arrays of strings; strings that grow; a regex over them.
# ci; needs: perl
set -eu
for _ in $(seq "$SOAK"); do
    perl "$ROOT/scripts/workloads/hash.pl"
    perl -e 'my %h; $h{$_ % 1000} .= "x$_" for 1 .. 200000;
             my $all = join "", map { $h{$_} } sort keys %h;
             my $n = () = $all =~ /x\d*7(?=x)/g;
             print length $all, " $n\n"'
done
