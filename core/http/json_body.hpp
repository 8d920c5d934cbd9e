// The JSON object of a request's body, read strictly (S32).
#pragma once
#include "base/json.hpp"
#include "http/message.hpp"

namespace patchbay {

/// Throws Problem: invalid_json with the byte offset as member `offset`, or length_required when a
/// request without a length has no body.
JsonObject parse_json_object(const HttpRequest& request);

}  // namespace patchbay
