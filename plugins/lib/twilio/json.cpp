#include "json.hpp"

#include <Poco/DateTime.h>
#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeParser.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <exception>

namespace patchbay::twilio {

Poco::JSON::Object::Ptr parse_object(std::string_view text) try {
    const auto value = Poco::JSON::Parser{}.parse(std::string{text});
    if (value.type() != typeid(Poco::JSON::Object::Ptr)) return {};
    return value.extract<Poco::JSON::Object::Ptr>();
} catch (const std::exception&) {  // A gateway's HTML, half an answer, nothing.
    return {};
}

std::string text_at(const Poco::JSON::Object& object, const std::string& key) {
    const auto value = object.get(key);
    if (value.isString()) return value.extract<std::string>();
    if (value.isNumeric() && !value.isBoolean()) return value.convert<std::string>();
    return {};
}

int64_t time_at(const Poco::JSON::Object& object, const std::string& key) {
    const std::string text = text_at(object, key);
    Poco::DateTime at;
    int zone = 0;
    if (text.empty() ||
        !Poco::DateTimeParser::tryParse(Poco::DateTimeFormat::RFC1123_FORMAT, text, at, zone)) {
        return 0;
    }
    at.makeUTC(zone);
    return std::max<int64_t>(at.timestamp().epochMicroseconds() / 1000, 0);
}

}  // namespace patchbay::twilio
