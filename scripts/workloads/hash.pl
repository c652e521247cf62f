# hash.pl - word counts and sorted records: hashes of arrays of strings.
my (%count, %record);
my $seed = 1;
for my $i (1 .. 20000) {
    $seed = ($seed * 1103515245 + 12345) % 2147483648;
    my $word = "w" . ($seed >> 8) % 6000;
    $count{$word}++;
    push @{$record{$word}}, "$word:" . ("-" x ($seed % 61)) . $i;
    delete $record{"w" . $i % 6000} if $i % 3 == 0;
}
my $bytes = 0;
for my $word (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count) {
    $bytes += length join ",", sort @{$record{$word} || []};
}
print scalar(keys %count), " words, $bytes bytes\n";
