# php.sh - PHP, whose extensions are opened RTLD_DEEPBIND; its own pools or not.
# soak; needs: php8.2
set -u
cat >work.php <<'END'
<?php
$n = 2000 * (int)getenv("SOAK");
$table = [];
for ($i = 0; $i < $n; $i++)
    $table["key $i"] = ["id" => $i, "text" => str_repeat(chr(97 + $i % 26),
        $i % 700), "list" => range(0, $i % 40)];
$text = json_encode($table);
echo strlen($text), " ", md5($text), "\n";
echo md5(serialize(json_decode($text, true))), "\n";
uasort($table, fn($a, $b) => strcmp($a["text"], $b["text"])
    ?: $a["id"] <=> $b["id"]);
echo md5(implode(",", array_keys($table))), "\n";
echo preg_match_all('/"id":(\d+7),/', $text, $found), " ",
    array_sum($found[1]), "\n";
$big = "";
for ($i = 0; $i < $n * 20; $i++)
    $big .= "line $i\n";
echo strlen($big), " ", crc32($big), " ",
    count(array_unique(str_split($big, 5))), "\n";
function tree($depth) {
    return $depth ? [tree($depth - 1), tree($depth - 1)] : new stdClass;
}
for ($i = 0; $i < 3; $i++)
    echo count(tree(12), COUNT_RECURSIVE), "\n";
foreach (["posix", "ctype", "iconv", "sockets", "pdo"] as $name)
    echo $name, " ", extension_loaded($name) ? "loaded" : "missing", "\n";
END
for pools in 1 0; do
    USE_ZEND_ALLOC=$pools php8.2 work.php
    echo "php ended with $?"
done
