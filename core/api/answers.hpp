// Answers in JSON.
#pragma once
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "http/exchange.hpp"
#include "http/problem.hpp"

namespace patchbay {

Response json_response(int status, const JsonValue& value);
void answer_json(const ExchangePtr& exchange, int status, const JsonValue& value);

/// {"items": [...], "next": cursor or null}
JsonObject list_json(const JsonArray& items, const std::optional<std::string>& next);

JsonValue time_json(TimeMs at);                        ///< RFC 3339 UTC with milliseconds
JsonValue time_json(const std::optional<TimeMs>& at);  ///< null when absent
JsonValue json_or_empty_object(
    const std::string& text);  ///< Stored JSON; {} when it is not readable.
JsonArray json_texts(const std::vector<std::string>& texts);

/// 404 for unknown and foreign objects alike (S69).
Problem unknown_id(const std::string& what);

}  // namespace patchbay
