#include "rules.hpp"

#include <Poco/UTF8String.h>
#include <re2/re2.h>

#include <stdexcept>

namespace patchbay::auto_reply {
namespace {

std::string folded(std::string_view text) { return Poco::UTF8::toLower(std::string{text}); }

std::string_view trimmed(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::shared_ptr<const re2::RE2> compiled(std::string_view pattern) {
    RE2::Options options;
    options.set_log_errors(false);  // RE2 would write to stderr; the exception says it.
    auto expression =
        std::make_shared<const RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
    if (!expression->ok()) throw std::invalid_argument("not an expression: " + expression->error());
    return expression;
}

}  // namespace

Rule::Rule(Match how, std::string_view pattern, Reply reply) : how_(how), reply_(std::move(reply)) {
    // An empty pattern matches everything: that is what `otherwise` is for.
    if (trimmed(pattern).empty()) throw std::invalid_argument("must not be empty");
    if (how_ == Match::matches) expression_ = compiled(pattern);
    if (how_ == Match::contains) pattern_ = folded(pattern);
    if (how_ == Match::equals) pattern_ = folded(trimmed(pattern));
}

bool Rule::matches(std::string_view text) const {
    switch (how_) {
        case Match::contains:
            return folded(text).find(pattern_) != std::string::npos;
        case Match::equals:
            return folded(trimmed(text)) == pattern_;
        case Match::matches:
            return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *expression_);
    }
    return false;
}

const Reply* find_reply(const std::vector<Rule>& rules, const std::optional<Reply>& otherwise,
                        std::string_view text) {
    for (const Rule& rule : rules) {
        if (rule.matches(text)) return &rule.reply();
    }
    return otherwise ? &*otherwise : nullptr;
}

}  // namespace patchbay::auto_reply
