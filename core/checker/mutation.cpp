#include "checker/mutation.hpp"

#include <string_view>

namespace patchbay::checker {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view words[] = {
    "{"sv,      "}"sv,    "[[[[[[[["sv,  "\""sv,      ","sv,
    "null"sv,   "true"sv, "-1"sv,        "1e999"sv,   "99999999999999999999"sv,
    "0x"sv,     "%"sv,    "%00"sv,       "%C0%80"sv,  "&"sv,
    "="sv,      "+"sv,    "\\u0000"sv,   "\\ud800"sv, "\xFF\xFE"sv,
    "\0"sv,     "\r\n"sv, "../../etc"sv, "<x>"sv,     "${env:HOME}"sv,
    "{\"a\":"sv};

}  // namespace

std::string Mutator::bytes(size_t most) {
    std::string text(below(most + 1), '\0');
    for (char& c : text) c = static_cast<char>(random_());
    return text;
}

std::string Mutator::changed(std::string text) {
    for (uint64_t left = 1 + below(4); left > 0; --left) change(text);
    return text;
}

void Mutator::change(std::string& text) {
    const size_t at = below(text.size() + 1);
    const size_t length = below(std::min<size_t>(text.size() - at, 40) + 1);
    switch (below(8)) {
        case 0:
            if (at < text.size()) text[at] = static_cast<char>(text[at] ^ 1 << below(8));
            return;
        case 1:
            text.erase(at, length);
            return;
        case 2:
            text.insert(at, text.substr(at, length));
            return;
        case 3:
            text.resize(at);
            return;
        case 4:
            text.insert(at, bytes(8));
            return;
        case 5:
            if (below(20) == 0) text.insert(at, std::string(20'000, 'A'));
            return;
        case 6:
            text.erase(at, length);
            [[fallthrough]];
        default:
            text.insert(at, words[below(std::size(words))]);
    }
}

}  // namespace patchbay::checker
