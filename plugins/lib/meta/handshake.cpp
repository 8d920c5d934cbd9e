#include "handshake.hpp"

#include <algorithm>
#include <patchbay/text.hpp>

namespace patchbay::meta {
namespace {

constexpr size_t longest_challenge = 256;

std::string value_of(const Request& request, const char* key) {
    const auto found = request.query.find(key);
    return found == request.query.end() ? "" : found->second;
}

bool may_be_echoed(std::string_view challenge) {
    return !challenge.empty() && challenge.size() <= longest_challenge &&
           std::all_of(challenge.begin(), challenge.end(),
                       [](char c) { return is_alphanumeric(c) || c == '_' || c == '-'; });
}

}  // namespace

Response answer_handshake(const Request& request, std::string_view verify_token) {
    const bool ours = !verify_token.empty() && value_of(request, "hub.mode") == "subscribe" &&
                      equal_secrets(value_of(request, "hub.verify_token"), verify_token);
    const std::string challenge = value_of(request, "hub.challenge");
    if (!ours || !may_be_echoed(challenge)) return {.status = 403};
    return {.status = 200,
            .body = challenge,
            .headers = {{"content-type", "text/plain"}, {"x-content-type-options", "nosniff"}}};
}

}  // namespace patchbay::meta
