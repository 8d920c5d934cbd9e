// Reading Twilio's JSON answers: absent, null and not JSON at all are ordinary here, so nothing
// throws.
#pragma once
#include <Poco/JSON/Object.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace patchbay::twilio {

/// nullptr when the text is not a JSON object.
Poco::JSON::Object::Ptr parse_object(std::string_view text);

/// Text, or a number as its digits. Empty when absent, null or something else.
std::string text_at(const Poco::JSON::Object& object, const std::string& key);

/// RFC 2822, as in "Thu, 24 Aug 2023 05:01:45 +0000": milliseconds UTC, 0 when absent or
/// unreadable.
int64_t time_at(const Poco::JSON::Object& object, const std::string& key);

}  // namespace patchbay::twilio
