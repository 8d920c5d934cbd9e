// X-Twilio-Signature: base64(HMAC-SHA1(auth token, URL + sorted body parameters)).
// Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace patchbay {

/// True when the one X-Twilio-Signature header fits one of `secrets`. The URL is `public_url` + the
/// target as it came: never Host, never X-Forwarded-* (S40). A URL with `bodySHA256` is checked by
/// that hash and the URL alone (S41). Constant time per candidate (S46). A `public_url` written
/// with a final slash is tried as it stands and without. [any thread]
bool twilio_signature_matches(const HttpRequest& request, std::string_view public_url,
                              const std::vector<std::string>& secrets);

/// The value Twilio would send; `trigger` and the sandbox sign with it.
std::string twilio_signature(std::string_view url, std::string_view form_body,
                             std::string_view secret);

/// Present when the request carries its body's hash in the URL: then the body need not be a form.
bool has_body_hash(const HttpRequest& request);

}  // namespace patchbay
