// words.cc - what the C++ compiler is recorded at work on.
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

struct node {
    std::string word;
    std::vector<std::shared_ptr<node>> next;
};

int main()
{
    std::map<std::string, std::shared_ptr<node>> all;
    std::string line;
    while (std::cin >> line) {
        auto &n = all[line];
        if (!n)
            n = std::make_shared<node>();
        n->word = line;
    }
    std::vector<std::string> names;
    for (const auto &pair : all)
        names.push_back(pair.first);
    std::sort(names.rbegin(), names.rend());
    for (const auto &name : names)
        std::cout << name << '\n';
}
