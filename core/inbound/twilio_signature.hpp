// What the webhook door has to know of Twilio beside its signature scheme.
#pragma once
#include "http/message.hpp"

namespace patchbay {

/// Present when the request carries its body's hash in the URL: then the body need not be a form.
bool has_body_hash(const HttpRequest& request);

}  // namespace patchbay
