-- objects.lua - a table of objects with strings and closures, ever renewed.
local live, seed = {}, 1
local function random(n)
    seed = (seed * 1103515245 + 12345) % 2147483648
    return (seed >> 8) % n + 1
end
for i = 1, 5000 do
    local parts = {}
    for k = 1, random(8) do parts[k] = tostring(i) .. ("x"):rep(random(90)) end
    live[random(400)] = {
        id = i, text = table.concat(parts, ","),
        add = function(n) return n + i end,
    }
end
local bytes = 0
for _, object in pairs(live) do bytes = bytes + #object.text end
print(bytes)
