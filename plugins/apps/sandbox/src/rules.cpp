#include "rules.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <re2/re2.h>

#include <patchbay/sdk.hpp>

namespace patchbay::sandbox {
namespace {

RequestError bad(const std::string& key, const std::string& expected) {
    return {400, "\"" + key + "\" must be " + expected};
}

int number(const std::string& key, const Poco::Dynamic::Var& value, int lowest, int highest) {
    if (!value.isInteger() || value.isBoolean()) throw bad(key, "a whole number");
    const auto given = value.convert<int64_t>();
    if (given < lowest || given > highest) {
        throw bad(key, std::to_string(lowest) + " to " + std::to_string(highest));
    }
    return static_cast<int>(given);
}

std::string text(const std::string& key, const Poco::Dynamic::Var& value) {
    if (!value.isString()) throw bad(key, "text");
    return value.extract<std::string>();
}

Drop drop_from(const std::string& key, const Poco::Dynamic::Var& value) {
    const std::string word = text(key, value);
    if (word == "before") return Drop::before;
    if (word == "after") return Drop::after;
    if (word == "half") return Drop::half;
    throw bad(key, "before, after or half");
}

std::string ending(const std::string& key, const Poco::Dynamic::Var& value) {
    const std::string word = text(key, value);
    for (const char* known : {"queued", "sent", "delivered", "read", "undelivered", "failed"}) {
        if (word == known) return word;
    }
    throw bad(key, "queued, sent, delivered, read, undelivered or failed");
}

std::shared_ptr<const re2::RE2> expression(const std::string& key, const std::string& pattern) {
    RE2::Options options;
    options.set_log_errors(false);
    auto compiled = std::make_shared<const RE2>(pattern, options);
    if (!compiled->ok()) throw bad(key, "an expression: " + compiled->error());
    return compiled;
}

std::map<std::string, std::string> headers(const std::string& key,
                                           const Poco::Dynamic::Var& value) {
    if (value.type() != typeid(Poco::JSON::Object::Ptr)) throw bad(key, "an object of texts");
    std::map<std::string, std::string> found;
    for (const auto& [name, content] : *value.extract<Poco::JSON::Object::Ptr>()) {
        found[name] = text(key + "." + name, content);
    }
    return found;
}

void read_key(Rule& rule, const std::string& key, const Poco::Dynamic::Var& value) {
    if (key == "method") {
        rule.method = text(key, value);
    } else if (key == "path") {
        rule.path = expression(key, text(key, value));
    } else if (key == "times") {
        rule.times = number(key, value, 1, 1'000'000);
    } else if (key == "delay_ms") {
        rule.delay = std::chrono::milliseconds{number(key, value, 0, 600'000)};
    } else if (key == "drop") {
        rule.drop = drop_from(key, value);
    } else if (key == "status") {
        rule.status = number(key, value, 200, 599);
    } else if (key == "body") {
        rule.body = text(key, value);
    } else if (key == "type") {
        rule.type = text(key, value);
    } else if (key == "headers") {
        rule.headers = headers(key, value);
    } else if (key == "ends") {
        rule.ends = ending(key, value);
    } else if (key == "error_code") {
        rule.error_code = std::to_string(number(key, value, 1, 99'999));
    } else {
        throw RequestError(400, "\"" + key + "\" is not a key of a rule");
    }
}

}  // namespace

Rule parse_rule(std::string_view json) try {
    const auto value = Poco::JSON::Parser{}.parse(std::string{json});
    Rule rule;
    for (const auto& [key, content] : *value.extract<Poco::JSON::Object::Ptr>()) {
        read_key(rule, key, content);
    }
    if (!rule.path) rule.path = expression("path", "");
    return rule;
} catch (const Poco::Exception&) {
    throw RequestError(400, "a rule is a JSON object");
}

size_t Rules::add(Rule rule) {
    std::lock_guard lock{mutex_};
    rules_.push_back(std::move(rule));
    return rules_.size();
}

void Rules::clear() {
    std::lock_guard lock{mutex_};
    rules_.clear();
}

std::optional<Rule> Rules::take(const std::string& method, const std::string& path) {
    std::lock_guard lock{mutex_};
    for (auto rule = rules_.begin(); rule != rules_.end(); ++rule) {
        if (!rule->method.empty() && rule->method != method) continue;
        if (!RE2::PartialMatch(path, *rule->path)) continue;
        Rule taken = *rule;
        if (--rule->times == 0) rules_.erase(rule);
        return taken;
    }
    return std::nullopt;
}

}  // namespace patchbay::sandbox
