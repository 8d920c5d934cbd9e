// Which answer a text gets: the first rule that matches.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reply.hpp"

namespace re2 {
class RE2;
}

namespace patchbay::auto_reply {

/// `contains` and `equals` ignore case, `equals` also blanks at both ends. `matches` is an RE2
/// expression that may match anywhere; "(?i)" makes it ignore case.
enum class Match { contains, equals, matches };

/// [any thread]
class Rule {
public:
    /// Throws std::invalid_argument for an empty pattern or an expression that RE2 refuses.
    Rule(Match how, std::string_view pattern, Reply reply);

    bool matches(std::string_view text) const;
    const Reply& reply() const { return reply_; }

private:
    Match how_;
    std::string pattern_;  // Folded, for contains and equals.
    std::shared_ptr<const re2::RE2> expression_;
    Reply reply_;
};

/// The reply of the first rule that matches, or `otherwise`; nullptr: say nothing.
const Reply* find_reply(const std::vector<Rule>& rules, const std::optional<Reply>& otherwise,
                        std::string_view text);

}  // namespace patchbay::auto_reply
