// A secret that both sides know, in a header: the weakest scheme, and all that some providers have.
// It covers neither body nor time, so it is worth what TLS in front of the hub is worth.
#include "base/crypto.hpp"
#include "inbound/signature_scheme.hpp"

namespace patchbay {
namespace {

constexpr std::string_view authorization = "authorization";
constexpr std::string_view bearer = "bearer ";

// The scheme's name is written in any case (RFC 9110 section 11.1).
std::optional<std::string_view> token_in(std::string_view value) {
    if (!equal_ignoring_case(value.substr(0, bearer.size()), bearer)) return std::nullopt;
    value.remove_prefix(bearer.size());
    return trim(value);
}

class SharedHeader final : public SignatureScheme {
public:
    bool matches(const HttpRequest& request, const SignatureSettings& settings,
                 TimeMs) const override {
        auto given = request.header(settings.header);
        if (given && settings.header == authorization) given = token_in(*given);
        if (!given || given->empty()) return false;
        bool matches = false;
        for (const std::string& secret : settings.secrets)
            matches |= equal_constant_time(secret, *given);
        return matches;
    }

    void sign(Request& request, const SignatureSettings& settings, TimeMs) const override {
        const bool is_token = settings.header == authorization;
        request.headers[settings.header] = (is_token ? "Bearer " : "") + settings.secrets.front();
    }
};

}  // namespace

const SignatureScheme& shared_header_scheme() {
    static const SharedHeader scheme;
    return scheme;
}

}  // namespace patchbay
