// Standard Webhooks: HMAC-SHA256 over "id.timestamp.body", in base64 behind "v1,". The header may
// list several signatures, one for each secret of the sender's own rotation.
// Source:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
#include <charconv>
#include <patchbay/text.hpp>

#include "base/crypto.hpp"
#include "inbound/signature_scheme.hpp"

namespace patchbay {
namespace {

constexpr int64_t tolerance_s = 300;  // S43, S47
constexpr std::string_view secret_prefix = "whsec_";
constexpr std::string_view version = "v1,";

// Generated secrets are "whsec_" and base64. Any other text is the key as it stands.
std::optional<std::string> key_of(std::string_view secret) {
    if (!secret.starts_with(secret_prefix)) return std::string(secret);
    return from_base64(secret.substr(secret_prefix.size()));
}

bool is_in_time(std::string_view timestamp, TimeMs now) {
    int64_t seconds = 0;
    const char* end = timestamp.data() + timestamp.size();
    const auto [read, error] = std::from_chars(timestamp.data(), end, seconds);
    if (error != std::errc{} || read != end || timestamp.front() == '-') return false;
    const int64_t now_s = now / 1000;
    return seconds >= now_s - tolerance_s && seconds <= now_s + tolerance_s;
}

std::string signature_of(std::string_view key, std::string_view id, std::string_view timestamp,
                         std::string_view body) {
    std::string data;
    data.reserve(id.size() + timestamp.size() + body.size() + 2);
    data.append(id).append(".").append(timestamp).append(".").append(body);
    return to_base64(hmac_sha256(key, data));
}

// Every entry is compared, whatever came before it. Entries of other versions do not count.
bool is_listed(std::string_view list, std::string_view signature) {
    bool found = false;
    while (!list.empty()) {
        std::string_view entry = list.substr(0, list.find(' '));
        list.remove_prefix(std::min(list.size(), entry.size() + 1));
        if (!entry.starts_with(version)) continue;
        entry.remove_prefix(version.size());
        found |= equal_constant_time(signature, entry);
    }
    return found;
}

class StandardWebhooks final : public SignatureScheme {
public:
    bool matches(const HttpRequest& request, const SignatureSettings& settings,
                 TimeMs now) const override {
        const auto id = request.header("webhook-id");
        const auto timestamp = request.header("webhook-timestamp");
        const auto list = request.header("webhook-signature");
        if (!id || !timestamp || !list || timestamp->empty()) return false;
        // A dot in the id could move the border between the signed parts.
        if (id->empty() || id->find('.') != std::string_view::npos) return false;
        if (!is_in_time(*timestamp, now)) return false;
        bool matches = false;
        for (const std::string& secret : settings.secrets) {
            const auto key = key_of(secret);
            if (!key || key->empty()) continue;
            matches |= is_listed(*list, signature_of(*key, *id, *timestamp, request.body));
        }
        return matches;
    }

    void sign(Request& request, const SignatureSettings& settings, TimeMs now) const override {
        std::string& id = request.headers["webhook-id"];
        if (id.empty()) id = "msg_" + to_hex(random_bytes(12));
        const std::string timestamp = std::to_string(now / 1000);
        request.headers["webhook-timestamp"] = timestamp;
        const std::string key = key_of(settings.secrets.front()).value_or("");
        request.headers["webhook-signature"] =
            std::string(version) + signature_of(key, id, timestamp, request.body);
    }

    bool is_usable(std::string_view secret) const override {
        const auto key = key_of(secret);
        return key && !key->empty();
    }
};

}  // namespace

const SignatureScheme& standard_webhooks_scheme() {
    static const StandardWebhooks scheme;
    return scheme;
}

}  // namespace patchbay
