// How many verifications may be started, apart from what one number may: by client address, block
// of numbers and country (S70), and the alarm when codes are sent that nobody enters (S71).
#pragma once
#include <cstdint>
#include <mutex>
#include <optional>
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

#include "verify_config.hpp"

namespace patchbay::twilio_sms {

/// Why a start has to wait, and how long. The reason is for the log alone.
struct Wait {
    const char* reason = "";
    milliseconds time{0};
};

/// [any thread] Everything is in the hub's key-value store, addresses and numbers as keyed hashes.
class StartGate {
public:
    /// `key` is the secret of the hashes. All outlive it.
    StartGate(const VerifyConfig& config, const Host& host, const std::string& key)
        : config_(config), host_(host), key_(key) {}

    /// `to` in E.164; `address` may be empty: then none is counted.
    std::optional<Wait> wait_for(const std::string& to, const std::string& address) const;
    /// Counts a start. A limit that others have just used up refuses it all the same.
    std::optional<Wait> take(const std::string& to, const std::string& address);
    /// The right code came back.
    void note_approved(const std::string& to);
    /// Where starts are paused now, such as "country DE" or "prefix DE": for the operator.
    std::vector<std::string> paused() const;

private:
    struct Limit;
    std::vector<Limit> limits_of(const std::string& to, const std::string& address) const;
    std::string hashed(const std::string& what) const;
    void forget_starts(const Limit& limit, uint32_t starts, uint32_t approvals);
    milliseconds kept() const;
    void alert(const std::string& to, const char* scope) const;

    const VerifyConfig& config_;
    const Host& host_;
    const std::string& key_;
    std::mutex mutex_;  // Threads of this process wait here, not by storing in vain.
};

/// An address as it is counted: of IPv6 the network of 64 bits. Empty: not an address.
std::string counted_address(const std::string& text);

}  // namespace patchbay::twilio_sms
