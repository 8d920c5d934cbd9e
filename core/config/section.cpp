#include "config/section.hpp"

#include <charconv>

#include "base/log.hpp"
#include "base/time_text.hpp"
#include "config/interpolate.hpp"
#include "config/secrets.hpp"
#include "config/values.hpp"

namespace patchbay {
namespace {

using detail::ValueType;

std::string listed(std::initializer_list<std::string_view> words) {
    std::string out;
    size_t left = words.size();
    for (const auto word : words) {
        out += in_quotes(word);
        if (--left > 0) out += left == 1 ? " or " : ", ";
    }
    return out;
}

std::string quote_message(const YamlNode& value, std::string_view kind, const std::string& path) {
    std::string message = "expected a text, found " + std::string(kind) + "; quote it";
    return is_secret_key(path) ? message : message + ": " + in_quotes(value.text);
}

}  // namespace

std::string found(const YamlNode& node, const std::string& path) {
    switch (node.kind) {
        case YamlNode::Kind::empty:
            return "nothing";
        case YamlNode::Kind::list:
            return "a list";
        case YamlNode::Kind::map:
            return "a map";
        case YamlNode::Kind::scalar:
            break;
    }
    return is_secret_key(path) ? "a text" : in_quotes(node.text);
}

Section::Section(ConfigContext& context, const YamlNode* node, std::string path, Position at)
    : context_(&context), node_(node), path_(std::move(path)), at_(at) {
    if (!node_ || node_->kind == YamlNode::Kind::map) return;
    is_unreadable_ = node_->unreadable;
    // An empty section ("media:") means its defaults; anything else is a mistake.
    if (node_->kind != YamlNode::Kind::empty && !is_unreadable_) {
        const size_t colon = node_->text.find(':');
        const bool is_pair =
            node_->plain && colon != std::string::npos && node_->text.compare(colon, 2, ":/") != 0;
        context_->problems.add(node_->at, path_,
                               is_pair ? "expected \"key: value\"; a blank is missing after the "
                                         "colon"
                                       : "expected a map, found " + found(*node_, path_),
                               is_pair ? config_code::syntax : config_code::type);
        is_unreadable_ = true;
    }
    node_ = nullptr;
}

std::string Section::path_of(const std::string& key) const {
    return path_.empty() ? key : path_ + "." + key;
}

const std::vector<YamlEntry>& Section::entries() const {
    static const std::vector<YamlEntry> none;
    return node_ ? node_->entries : none;
}

const YamlEntry* Section::take(const std::string& key) {
    known_.push_back(key);
    return node_ ? node_->find(key) : nullptr;
}

Position Section::position_of(const std::string& key) const {
    const YamlEntry* entry = node_ ? node_->find(key) : nullptr;
    return entry ? entry->value.at : at_;
}

void Section::refuse(const std::string& key, std::string message, std::string_view code,
                     std::string hint) {
    context_->problems.add(position_of(key), path_of(key), std::move(message), code,
                           std::move(hint));
}

void Section::refuse_found(const std::string& key, const std::string& expected,
                           const Resolved& value, std::string_view code) {
    refuse(key, "expected " + expected + ", found " + in_quotes(value.shown), code);
}

void Section::note(const std::string& key, detail::SchemaKey what) const {
    if (!context_->schema) return;
    what.key = path_of(key);
    context_->schema->keys.push_back(std::move(what));
}

const YamlEntry* Section::scalar(const std::string& key, const std::string& expected) {
    const YamlEntry* entry = take(key);
    if (!entry || entry->value.unreadable) return nullptr;
    if (entry->value.kind == YamlNode::Kind::scalar) return entry;
    refuse(key, "expected " + expected + ", found " + found(entry->value, path_of(key)),
           config_code::type);
    return nullptr;
}

std::optional<Resolved> Section::resolved(const std::string& key, const std::string& expected) {
    const YamlEntry* entry = scalar(key, expected);
    if (!entry) return std::nullopt;
    return resolve(*context_, entry->value, path_of(key));
}

std::optional<std::string> Section::text_of(const YamlNode& value, const std::string& path,
                                            const TextRule& rule) {
    if (value.unreadable) return std::nullopt;
    if (value.kind != YamlNode::Kind::scalar) {
        context_->problems.add(value.at, path, "expected a text, found " + found(value, path),
                               config_code::type);
        return std::nullopt;
    }
    const auto kind = value.plain ? ambiguous_kind(value.text) : std::string_view{};
    if (!kind.empty()) {
        const bool is_secret = is_secret_key(path);
        context_->problems.add(value.at, path, quote_message(value, kind, path),
                               config_code::unquoted, is_secret ? "" : in_quotes(value.text));
        return std::nullopt;
    }
    auto out = resolve(*context_, value, path);
    if (!out) return std::nullopt;
    if (!rule.fits || rule.fits(out->text)) return std::move(out->text);
    std::string message = "expected " + std::string(rule.expected);
    if (rule.repeats_value) message += ", found " + in_quotes(without_password(out->shown));
    context_->problems.add(value.at, path, std::move(message), rule.code);
    return std::nullopt;
}

std::string Section::text(const std::string& key, std::string fallback, const TextRule& rule) {
    note(key, {.fallback = fallback});
    const YamlEntry* entry = take(key);
    if (!entry) return fallback;
    return text_of(entry->value, path_of(key), rule).value_or(std::move(fallback));
}

std::string Section::required_text(const std::string& key, const TextRule& rule) {
    note(key, {.required = true});
    const YamlEntry* entry = take(key);
    if (!entry) {
        if (!is_unreadable_) {
            context_->problems.add(at_, path_, in_quotes(key) + " is missing", config_code::missing,
                                   key);
        }
        return {};
    }
    const auto value = text_of(entry->value, path_of(key), {});
    if (value && value->empty()) {
        refuse(key, "must not be empty", config_code::missing_value);
    } else if (value && rule.fits && !rule.fits(*value)) {
        text_of(entry->value, path_of(key), rule);  // Once more, to say so.
    }
    return value.value_or("");
}

std::string Section::choice(const std::string& key, std::string fallback,
                            std::initializer_list<std::string_view> choices) {
    note(key, {.type = ValueType::choice,
               .fallback = fallback,
               .choices = {choices.begin(), choices.end()}});
    const auto value = resolved(key, listed(choices));
    if (!value) return fallback;
    if (std::find(choices.begin(), choices.end(), value->text) != choices.end()) return value->text;
    refuse(key, "expected " + listed(choices) + ", found " + in_quotes(value->shown),
           config_code::choice, nearest(value->shown, {choices.begin(), choices.end()}));
    return fallback;
}

bool Section::flag(const std::string& key, bool fallback) {
    note(key, {.type = ValueType::boolean, .fallback = fallback ? "true" : "false"});
    const auto value = resolved(key, "true or false");
    if (!value) return fallback;
    const bool is_word = value->text == "true" || value->text == "false";
    if (!is_word) {
        refuse_found(key, "true or false", *value, config_code::type);
        return fallback;
    }
    if (!node_->find(key)->value.plain && !value->changed) {
        refuse(key, "expected true or false, found a text; leave the quotes out", config_code::type,
               value->text);
        return fallback;
    }
    return value->text == "true";
}

int64_t Section::number(const std::string& key, int64_t fallback, int64_t lowest, int64_t highest) {
    note(key, {.type = ValueType::integer,
               .fallback = std::to_string(fallback),
               .min = lowest,
               .max = highest});
    const auto value = resolved(key, "a whole number");
    if (!value) return fallback;
    int64_t out = 0;
    const char* end = value->text.data() + value->text.size();
    const auto [rest, error] = std::from_chars(value->text.data(), end, out);
    if (error == std::errc::invalid_argument || rest != end) {
        refuse_found(key, "a whole number", *value, config_code::type);
    } else if (!node_->find(key)->value.plain && !value->changed) {
        refuse(key, "expected a whole number, found a text; leave the quotes out",
               config_code::type, value->text);
    } else if (error == std::errc{} && out >= lowest && out <= highest) {
        return out;
    } else {
        refuse(key,
               "expected a number from " + std::to_string(lowest) + " to " +
                   std::to_string(highest) + ", found " + in_message(value->shown),
               config_code::range);
    }
    return fallback;
}

std::chrono::milliseconds Section::duration(const std::string& key,
                                            std::chrono::milliseconds fallback,
                                            std::chrono::milliseconds lowest,
                                            std::chrono::milliseconds highest) {
    note(key, {.type = ValueType::duration, .fallback = duration_text(fallback)});
    const std::string expected = "a duration such as \"10s\"";
    const auto value = resolved(key, expected);
    if (!value) return fallback;
    const auto out = parse_duration(value->text);
    if (!out) {
        refuse_found(key, expected, *value, config_code::duration);
    } else if (*out < lowest || *out > highest) {
        refuse(key,
               "expected a duration from " + duration_text(lowest) + " to " +
                   duration_text(highest) + ", found " + in_message(value->shown),
               config_code::range);
    } else {
        return *out;
    }
    return fallback;
}

uint64_t Section::bytes(const std::string& key, uint64_t fallback, uint64_t lowest) {
    note(key, {.fallback = size_text(fallback)});
    const std::string expected = "a size such as \"256MiB\"";
    const auto value = resolved(key, expected);
    if (!value) return fallback;
    const auto out = parse_size(value->text);
    if (!out) {
        refuse_found(key, expected, *value, config_code::size);
    } else if (*out < lowest) {
        refuse(key,
               "expected at least " + size_text(lowest) + ", found " + in_message(value->shown),
               config_code::range);
    } else {
        return *out;
    }
    return fallback;
}

std::vector<std::string> Section::texts(const std::string& key, std::vector<std::string> fallback,
                                        const TextRule& rule) {
    note(key, {.type = ValueType::list});
    const YamlEntry* entry = take(key);
    if (!entry || entry->value.unreadable) return fallback;
    if (entry->value.kind != YamlNode::Kind::list) {
        refuse(key, "expected a list of texts, found " + found(entry->value, path_of(key)),
               config_code::type);
        return fallback;
    }
    std::vector<std::string> out;
    for (size_t i = 0; i < entry->value.items.size(); ++i) {
        const std::string path = path_of(key) + "[" + std::to_string(i) + "]";
        if (auto text = text_of(entry->value.items[i], path, rule)) {
            out.push_back(std::move(*text));
        }
    }
    return out;
}

Section Section::section(const std::string& key) {
    note(key, {.type = ValueType::section});
    const YamlEntry* entry = take(key);
    Section below{*context_, entry ? &entry->value : nullptr, path_of(key),
                  entry ? entry->at : at_};
    below.is_unreadable_ = below.is_unreadable_ || is_unreadable_;
    return below;
}

void Section::done() {
    const YamlEntry* above = nullptr;
    for (const YamlEntry& entry : entries()) {
        const bool is_known = std::find(known_.begin(), known_.end(), entry.key) != known_.end();
        if (!is_known) {
            const std::string near = nearest(entry.key, known_);
            const bool may_belong = near.empty() && above && above->at.column == entry.at.column &&
                                    above->value.kind == YamlNode::Kind::empty;
            context_->problems.add(
                entry.at, path_of(entry.key),
                "unknown key" + (may_belong
                                     ? "; indent it if it belongs to " + in_quotes(above->key)
                                     : suggestion(near)),
                may_belong ? config_code::indentation : config_code::unknown_key, near);
        }
        if (is_known) above = &entry;
    }
}

std::optional<Resolved> resolve(ConfigContext& context, const YamlNode& value,
                                const std::string& path) {
    Interpolated out = interpolate(value.text, context.base);
    for (const auto& secret : out.secrets) register_secret(secret);
    if (!out.problem.empty()) {
        context.problems.add(value.position_in(out.problem_offset), path, out.problem, out.code);
        return std::nullopt;
    }
    if (!out.secrets.empty()) context.shown[path] = out.shown;
    return Resolved{std::move(out.text), std::move(out.shown), out.changed};
}

void check_literal_secret(ConfigContext& context, Position at, const std::string& path,
                          const Resolved& value) {
    if (value.changed || value.text.empty() || is_known_secret(value.text)) return;
    if (context.strict) {
        context.problems.add(at, path,
                             "a secret must not stand in the file (strict: true); use ${env:NAME} "
                             "or ${file:path}",
                             config_code::literal_secret, "${env:NAME}");
    } else {
        context.problems.warn(
            at, path, "a secret stands in the file; ${env:NAME} or ${file:path} keeps it out",
            config_code::literal_secret);
    }
}

}  // namespace patchbay
