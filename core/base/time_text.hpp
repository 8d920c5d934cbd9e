// Times as text: RFC 3339 in UTC.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace patchbay {

std::string rfc3339_ms(TimeMs at);       ///< 2026-11-20T10:15:30.123Z, the form of /api/v1
std::string rfc3339_seconds(TimeMs at);  ///< 2026-11-20T10:15:30Z, the form of the seed paths

/// Takes a fraction of any length (cut to ms) and any offset. nullopt for anything else.
std::optional<TimeMs> parse_rfc3339(std::string_view text);

/// The form of HTTP's Date: Sun, 06 Nov 1994 08:49:37 GMT. nullopt for anything else; the name of
/// the day is not looked at.
std::optional<TimeMs> parse_http_date(std::string_view text);

/// "500ms", "10s", "15m", "12h", "7d": a whole number and its unit. nullopt for anything else.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string duration_text(
    std::chrono::milliseconds value);  ///< The shortest form that parse_duration reads back.

}  // namespace patchbay
