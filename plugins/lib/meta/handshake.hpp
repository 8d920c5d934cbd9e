// The GET with which Meta asks, once, whether a webhook address is meant: what every product of
// theirs has in common.
// Source:
// https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests
#pragma once
#include <patchbay/sdk.hpp>
#include <string_view>

namespace patchbay::meta {

/// 200 with the challenge as plain text when `hub.verify_token` is ours, else 403. A challenge of
/// anything but letters, digits, _ and -, or of more than 256 of them, is never echoed (S48).
Response answer_handshake(const Request& request, std::string_view verify_token);

}  // namespace patchbay::meta
