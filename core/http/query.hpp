// The query string of a request as ordered pairs.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchbay {

/// Decoded once; plus is a space. What a value means (a space that stands for the plus of a phone
/// number) is the caller's.
class Query {
public:
    using Pair = std::pair<std::string, std::string>;
    static constexpr size_t max_pairs = 64;

    Query() = default;
    /// Throws Problem(invalid_field, 400) for a bad escape, NUL, text that is not UTF-8, or too
    /// many pairs.
    static Query parse(std::string_view raw);

    /// nullopt when absent. Throws Problem(duplicate_parameter) when the key repeats (S20).
    std::optional<std::string> find(std::string_view key) const;
    /// Every value of one key, in order, for the few keys that may repeat.
    std::vector<std::string> values(std::string_view key) const;
    const std::vector<Pair>& all() const { return pairs_; }

    /// Throws Problem(unknown_parameter) for a key that is not in `known`,
    /// Problem(duplicate_parameter) for a repeated one.
    void require_known(const std::vector<std::string_view>& known) const;

private:
    std::vector<Pair> pairs_;
};

}  // namespace patchbay
