#include "http/query.hpp"

#include <algorithm>
#include <patchbay/sdk.hpp>

#include "http/problem.hpp"

namespace patchbay {
namespace {

std::string decode(std::string_view piece) {
    auto text = percent_decode(piece, true);
    if (!text || !is_utf8(*text) || text->find('\0') != std::string::npos)
        throw Problem("invalid_field", "The query is not well-formed.").status_is(400);
    return std::move(*text);
}

Problem repeated(std::string_view key) {
    const std::string name(key);
    return Problem("duplicate_parameter", name + " is given twice.",
                   {{"?" + name, "duplicate_parameter", "is given twice"}});
}

}  // namespace

Query Query::parse(std::string_view raw) {
    Query query;
    while (!raw.empty()) {
        const std::string_view pair = raw.substr(0, raw.find('&'));
        raw.remove_prefix(std::min(pair.size() + 1, raw.size()));
        if (pair.empty()) continue;
        if (query.pairs_.size() == max_pairs)
            throw Problem("invalid_field", "The query has too many parts.").status_is(400);
        const size_t equals = std::min(pair.find('='), pair.size());
        query.pairs_.emplace_back(decode(pair.substr(0, equals)),
                                  decode(pair.substr(std::min(equals + 1, pair.size()))));
    }
    return query;
}

std::optional<std::string> Query::find(std::string_view key) const {
    const Pair* found = nullptr;
    for (const Pair& pair : pairs_) {
        if (pair.first != key) continue;
        if (found) throw repeated(key);
        found = &pair;
    }
    return found ? std::optional(found->second) : std::nullopt;
}

std::vector<std::string> Query::values(std::string_view key) const {
    std::vector<std::string> found;
    for (const Pair& pair : pairs_)
        if (pair.first == key) found.push_back(pair.second);
    return found;
}

void Query::require_known(const std::vector<std::string_view>& known) const {
    for (const auto& [key, value] : pairs_) {
        if (std::ranges::find(known, key) == known.end())
            throw Problem("unknown_parameter", key + " is unknown here.",
                          {{"?" + key, "unknown_parameter", "is unknown here"}});
        find(key);
    }
}

}  // namespace patchbay
