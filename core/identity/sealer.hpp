// Secrets at rest (AES-256-GCM, S81) and links of our own (HMAC), under keys that are made of
// auth.token_keys.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/hub_config.hpp"

namespace patchbay {

/// Seals with the first key and opens with any, so that a key can be changed: what was sealed under
/// one that is no longer there cannot be opened. [any thread]
class Sealer {
public:
    explicit Sealer(const std::vector<std::string>& keys);

    /// `context` names what the secret belongs to: it opens for that alone.
    std::string seal(std::string_view secret, std::string_view context) const;
    /// nullopt: sealed for something else, under another key, or damaged.
    std::optional<std::string> open(std::string_view sealed, std::string_view context) const;

    /// HMAC-SHA256 under the first key; holds under any.
    std::string sign(std::string_view text) const;
    bool is_signed(std::string_view text, std::string_view signature) const;

private:
    std::vector<std::string> keys_;
};

/// With the token keys of the configuration, the one that the first start makes among them.
Sealer sealer_of(const HubConfig& config);

}  // namespace patchbay
