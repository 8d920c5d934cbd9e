// application/x-www-form-urlencoded: what most providers post, and what Twilio takes.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "errors.hpp"
#include "text.hpp"

namespace patchbay {

/// Pairs in the order they came; a name may repeat. Values are UTF-8 without NUL.
class Form {
public:
    using Pair = std::pair<std::string, std::string>;

    static constexpr size_t max_pairs = 128;

    Form() = default;
    Form(std::initializer_list<Pair> pairs) : pairs_(pairs) {}

    /// Strict: throws RequestError(400) for a % without two hex digits, for what is not UTF-8 and
    /// for NUL; RequestError(413) for more than `limit` pairs. Plus is a space; empty pieces
    /// between two & are skipped, as browsers do.
    static Form parse(std::string_view body, size_t limit = max_pairs);

    /// nullopt when absent. Throws RequestError(400) when the name repeats: which one counts would
    /// be a guess.
    std::optional<std::string> find(std::string_view name) const;
    /// Throws RequestError(400) when absent or repeated. An empty value is a value.
    std::string require(std::string_view name) const;
    std::string value_or(std::string_view name, std::string_view fallback) const;
    bool has(std::string_view name) const;
    /// Every value of one name, in order.
    std::vector<std::string> values(std::string_view name) const;
    const std::vector<Pair>& all() const { return pairs_; }

    Form& add(std::string name, std::string value);
    /// Leaves the pair out when there is no value.
    Form& add_unless_empty(std::string name, std::string value);
    std::string encode() const;

private:
    static std::string decode(std::string_view piece);
    std::vector<Pair> pairs_;
};

inline std::string Form::decode(std::string_view piece) {
    auto bytes = percent_decode(piece, true);
    if (!bytes) throw RequestError(400, "the form has a % that is not followed by two hex digits");
    if (!is_utf8(*bytes)) throw RequestError(400, "the form is not UTF-8");
    if (bytes->find('\0') != std::string::npos) throw RequestError(400, "the form has a zero byte");
    return std::move(*bytes);
}

inline Form Form::parse(std::string_view body, size_t limit) {
    Form form;
    while (!body.empty()) {
        const std::string_view pair = body.substr(0, body.find('&'));
        body.remove_prefix(pair.size() < body.size() ? pair.size() + 1 : pair.size());
        if (pair.empty()) continue;
        if (form.pairs_.size() == limit) throw RequestError(413, "the form has too many fields");
        const size_t equals = pair.find('=');
        const auto value =
            equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
        form.pairs_.emplace_back(decode(pair.substr(0, equals)), decode(value));
    }
    return form;
}

inline std::optional<std::string> Form::find(std::string_view name) const {
    const Pair* found = nullptr;
    for (const Pair& pair : pairs_) {
        if (pair.first != name) continue;
        if (found) throw RequestError::twice(std::string(name));
        found = &pair;
    }
    return found ? std::optional(found->second) : std::nullopt;
}

inline std::string Form::require(std::string_view name) const {
    auto value = find(name);
    if (!value) throw RequestError(400, "field \"" + std::string(name) + "\" is missing");
    return std::move(*value);
}

inline std::string Form::value_or(std::string_view name, std::string_view fallback) const {
    return find(name).value_or(std::string(fallback));
}

inline bool Form::has(std::string_view name) const { return !values(name).empty(); }

inline std::vector<std::string> Form::values(std::string_view name) const {
    std::vector<std::string> found;
    for (const Pair& pair : pairs_)
        if (pair.first == name) found.push_back(pair.second);
    return found;
}

inline Form& Form::add(std::string name, std::string value) {
    pairs_.emplace_back(std::move(name), std::move(value));
    return *this;
}

inline Form& Form::add_unless_empty(std::string name, std::string value) {
    return value.empty() ? *this : add(std::move(name), std::move(value));
}

inline std::string Form::encode() const {
    std::string body;
    for (const Pair& pair : pairs_) {
        if (!body.empty()) body += '&';
        body += percent_encode(pair.first) + "=" + percent_encode(pair.second);
    }
    return body;
}

}  // namespace patchbay
