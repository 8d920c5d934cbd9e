// How a provider proves that a webhook is its own. One interface; each scheme has a file of its own
// and hides what is particular to it.
#pragma once
#include <patchbay/sdk.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "http/message.hpp"

namespace patchbay {

/// What a scheme has to know of the route it stands before.
struct SignatureSettings {
    std::string public_url;            ///< Of the hub, as providers call it.
    std::vector<std::string> secrets;  ///< The current one, then the one being rotated out (S46).
    std::string header;                ///< shared_header only: its name in lower case.
};

/// [any thread]
class SignatureScheme {
public:
    virtual ~SignatureScheme() = default;

    /// Whether one of the secrets made the signature. Looks at nothing but the request and never
    /// says which part did not fit (S44). Comparisons take constant time (S46).
    virtual bool matches(const HttpRequest& request, const SignatureSettings& settings,
                         TimeMs now) const = 0;

    /// Adds what the provider would send to a request with an absolute URL, made with the first
    /// secret.
    virtual void sign(Request& request, const SignatureSettings& settings, TimeMs now) const = 0;

    /// False for a secret that the scheme can never use: the instance does not start then (S45).
    virtual bool is_usable(std::string_view secret) const { return !secret.empty(); }
};

/// nullptr for `none` and `custom`, and for a scheme that this version does not know.
const SignatureScheme* find_signature_scheme(Signature scheme);

const SignatureScheme& twilio_sha1_scheme();
const SignatureScheme& meta_sha256_scheme();
const SignatureScheme& shared_header_scheme();
const SignatureScheme& standard_webhooks_scheme();

}  // namespace patchbay
