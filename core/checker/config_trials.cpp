// D02, D03, D05: the configuration, before there is an instance.
#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/schema.hpp>

#include "checker/resources.hpp"
#include "checker/schema_of.hpp"
#include "checker/trial.hpp"

namespace patchbay::checker {
namespace {

using detail::SchemaKey;
using detail::ValueType;

Answer checked(const Copy& copy, const Labels& config) {
    const std::string encoded = wire::pack(config);
    detail::StringSink error;
    const int32_t status = copy.entry().check_config(detail::borrow(encoded), error.sink());
    return answer_of(status, error.text());
}

std::string mistake_in(const SchemaKey& key) {
    if (key.key.empty()) return "a key has no name";
    if (key.type > ValueType::named_sections) return detail::quoted(key.key) + " has no known type";
    if (trim(key.about).empty()) return detail::quoted(key.key) + " has no text";
    if (key.min > key.max) return detail::quoted(key.key) + " has a range that holds nothing";
    if (key.type == ValueType::choice && key.choices.empty())
        return detail::quoted(key.key) + " has nothing to choose from";
    if (key.required || key.is_container()) return {};
    const auto wrong = detail::complaint(key, key.fallback);
    return wrong ? "the default of " + detail::quoted(key.key) + ": " + *wrong : "";
}

// Keys of items and of names count only where there is one.
const SchemaKey* required_key(const detail::Schema& schema) {
    for (const SchemaKey& key : schema.keys) {
        const bool is_conditional =
            key.key.find("[]") != std::string::npos || key.key.find(".*") != std::string::npos;
        if (key.required && !is_conditional) return &key;
    }
    return nullptr;
}

}  // namespace

detail::Schema schema_of(const Copy& copy) {
    detail::StringSink out;
    const int32_t status = copy.entry().describe(out.sink());
    const Answer answer = answer_of(status, out.text());
    if (!answer.ok()) throw Failed{"describe() answers " + answer.words()};
    detail::Schema schema;
    try {
        wire::unpack(answer.bytes, wire::Text::checked, schema);
    } catch (const wire::Malformed& error) {
        throw Failed{std::string("describe() gives no schema: ") + error.what()};
    }
    return schema;
}

Verdict check_describe(const Subject& subject) {
    Copy copy(subject);
    const detail::Schema schema = schema_of(copy);
    if (wire::pack(schema) != wire::pack(schema_of(copy)))
        throw Failed{"describe() says something else the second time"};
    for (const SchemaKey& key : schema.keys) {
        const std::string mistake = mistake_in(key);
        if (!mistake.empty()) throw Failed{mistake};
    }
    copy.end();
    return {};
}

Verdict check_check_config(const Subject& subject) {
    const Labels& config = subject.require_config();
    Copy copy(subject);
    checked(copy, config);
    const Resources before = resources_now();
    for (int i = 0; i < 20; ++i) {
        const Answer answer = checked(copy, config);
        if (answer.is_foreign()) throw Failed{"check_config() answers " + answer.words()};
    }
    if (const std::string left = left_behind(before); !left.empty())
        throw Failed{"twenty calls of check_config() left " + left};
    copy.end();
    return {};
}

Verdict check_empty_config(const Subject& subject) {
    Copy copy(subject);
    const detail::Schema schema = schema_of(copy);
    const SchemaKey* required = required_key(schema);
    const Answer answer = checked(copy, {});
    if (answer.is_foreign()) throw Failed{"check_config() answers " + answer.words()};
    if (answer.ok() && required)
        throw Failed{"it is accepted, although " + detail::quoted(required->key) + " is required"};
    if (!answer.ok() && answer.error.problems.empty())
        throw Failed{"it is refused without the name of a key: " + answer.words()};
    copy.end();
    return {};
}

}  // namespace patchbay::checker
