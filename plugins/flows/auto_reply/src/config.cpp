#include "config.hpp"

#include <algorithm>

namespace patchbay::auto_reply {
namespace {

// A reply with a mistake becomes a problem of its key and an empty reply.
Reply read_reply(ConfigReader& yaml, std::string_view key, const std::string& text) try {
    return Reply{text};
} catch (const BadReply& mistake) {
    yaml.expect(key, false, mistake.what());
    return {};
}

struct Pattern {
    Match how;
    std::string_view key;
    std::string text;
};

std::optional<Rule> read_rule(ConfigReader& yaml) {
    Pattern patterns[] = {
        {Match::contains, "contains",
         yaml.optional_text("contains", "", "Words that the message has, in any case")},
        {Match::equals, "equals",
         yaml.optional_text("equals", "", "The whole message, in any case")},
        {Match::matches, "matches",
         yaml.optional_text("matches", "", "An RE2 expression that fits somewhere in the message")},
    };
    const Reply reply = read_reply(
        yaml, "reply",
        yaml.required_text("reply", "The answer; may name {{ text }}, {{ from }}, {{ name }}"));

    const auto given = [](const Pattern& pattern) { return !pattern.text.empty(); };
    const auto count = std::count_if(std::begin(patterns), std::end(patterns), given);
    yaml.expect("contains", count == 1, "or equals or matches: a rule has exactly one");
    if (count != 1) return std::nullopt;

    const Pattern& pattern = *std::find_if(std::begin(patterns), std::end(patterns), given);
    try {
        return Rule{pattern.how, pattern.text, reply};
    } catch (const std::invalid_argument& mistake) {
        yaml.expect(pattern.key, false, mistake.what());
        return std::nullopt;
    }
}

}  // namespace

Config read_config(ConfigReader& yaml) {
    Config config;
    const auto rules = yaml.sections(
        "rules", "Tried in this order, the first that fits answers",
        [](ConfigReader& rule) { return read_rule(rule); }, ConfigReader::live);
    for (const auto& rule : rules) {
        if (rule) config.rules.push_back(*rule);
    }
    const std::string otherwise = yaml.optional_text(
        "otherwise", "", "The answer when no rule fits; empty: none", ConfigReader::live);
    if (!otherwise.empty()) config.otherwise = read_reply(yaml, "otherwise", otherwise);
    yaml.expect("rules", !rules.empty() || config.otherwise.has_value(),
                "needs at least one rule, or \"otherwise\"");
    return config;
}

}  // namespace patchbay::auto_reply
