// X-Hub-Signature-256: "sha256=" and the HMAC-SHA256 of the body in lower-case hex. The key is the
// app secret as text, the data are the bytes as they came: Meta escapes what a re-written body
// would not. The older X-Hub-Signature (SHA-1) comes along and is ignored.
// Source: https://developers.facebook.com/docs/graph-api/webhooks/getting-started
#include <patchbay/text.hpp>

#include "base/crypto.hpp"
#include "inbound/signature_scheme.hpp"

namespace patchbay {
namespace {

std::string header_value(std::string_view secret, std::string_view body) {
    return "sha256=" + to_hex(hmac_sha256(secret, body));
}

class MetaSha256 final : public SignatureScheme {
public:
    bool matches(const HttpRequest& request, const SignatureSettings& settings,
                 TimeMs) const override {
        const auto given = request.header("X-Hub-Signature-256");
        if (!given) return false;
        bool matches = false;  // Every secret is tried: the time tells nothing.
        for (const std::string& secret : settings.secrets) {
            if (secret.empty()) continue;  // Anybody can sign with an empty key.
            matches |= equal_constant_time(header_value(secret, request.body), *given);
        }
        return matches;
    }

    void sign(Request& request, const SignatureSettings& settings, TimeMs) const override {
        request.headers["x-hub-signature-256"] =
            header_value(settings.secrets.front(), request.body);
    }
};

}  // namespace

const SignatureScheme& meta_sha256_scheme() {
    static const MetaSha256 scheme;
    return scheme;
}

}  // namespace patchbay
