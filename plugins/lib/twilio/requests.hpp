// What the products' endpoints read from requests and write into answers.
#pragma once
#include <Poco/JSON/Object.h>

#include <cstdint>
#include <patchbay/sdk.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "problem.hpp"

namespace patchbay::twilio {

/// One field of text. Adds to `errors` what is wrong with it; null is as good as absent.
std::string read_text(const Poco::JSON::Object& body, const std::string& field, bool required,
                      std::vector<FieldError>& errors);

/// The same for a phone; in E.164.
std::string read_phone(const Poco::JSON::Object& body, const std::string& field, bool required,
                       std::vector<FieldError>& errors);

/// Of UTF-8.
size_t characters(std::string_view text);

/// null for an empty text.
Poco::Dynamic::Var text_or_null(const std::string& text);

/// RFC 3339 UTC with milliseconds; null for 0.
Poco::Dynamic::Var time_or_null(int64_t ms);

Response json_answer(int status, const Poco::JSON::Object& json);

/// The key of a message for messaging::NewMessage: a repeated request with the same Idempotency-Key
/// is the same message, and the keys of two callers are not. `place` tells endpoints apart. Empty
/// without such a header.
std::string once_key(const Request& request, const std::string& place);

/// The provider has it.
bool is_taken(DeliveryStatus status);

/// The instance's own name, from ".../hooks/{instance}/status".
std::string own_instance(const Host& host);

}  // namespace patchbay::twilio
