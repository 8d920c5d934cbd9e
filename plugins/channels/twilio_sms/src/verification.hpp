// The life of a verification: who may have a code, and what a code that comes back is worth. One
// set of outcomes, whoever makes the codes.
#pragma once
#include <memory>
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

#include "code_provider.hpp"
#include "start_limits.hpp"

namespace patchbay::twilio_sms {

/// As S4 prints them; `unavailable` is no outcome but an error: a new code is needed.
enum class VerifyOutcome {
    pending,
    approved,
    wrong,
    expired,
    used,
    too_many_attempts,
    throttled,
    undeliverable,
    unavailable
};
std::string word(VerifyOutcome outcome);

struct Started {
    VerifyOutcome outcome = VerifyOutcome::pending;
    std::string id{};
    int64_t expires_ms = 0;
    milliseconds retry_after{0};
};

struct Checked {
    VerifyOutcome outcome = VerifyOutcome::wrong;
    milliseconds retry_after{0};
};

/// [any thread] Throws Error when the hub cannot store.
class Verification {
public:
    /// Both outlive it.
    Verification(const Config& config, const Host& host);

    bool offers(const std::string& channel) const { return codes_->offers(channel); }
    std::vector<std::string> paused() const { return gate_.paused(); }
    /// Waits for the provider; at most one code goes out.
    Started start(const Call& call, const StartWish& wish);
    /// A right code is approved once, however many bring it at the same time.
    Checked check(const Call& call, const std::string& to, const std::string& code);

private:
    struct Claim;
    Started begin(const Call& call, const StartWish& wish);
    std::optional<Wait> claim(const StartWish& wish, Claim& claimed);
    std::optional<Wait> wait_of(const NumberRow& row, int64_t now_ms) const;
    bool is_alive(const NumberRow& row, int64_t now_ms) const;
    void renew(NumberRow& row, const std::string& id, int64_t now_ms) const;
    void give_back(const StartWish& wish, const Claim& claimed);
    Started settle(const StartWish& wish, const Claim& claimed, const twilio::VerifyAnswer& answer);
    Checked judge(const Call& call, const std::string& to, const std::string& code);
    /// An outcome that needs no look at the code.
    std::optional<VerifyOutcome> settled(const NumberRow& row) const;
    VerifyOutcome conclude(const std::string& to, const NumberRow& tried,
                           const twilio::VerifyAnswer& answer);
    VerifyOutcome approve(const std::string& to, const NumberRow& tried);
    void give_try_back(const std::string& to);
    std::string key_of(const std::string& to) const;
    void note(const char* step, VerifyOutcome outcome) const;
    void complain(const twilio::VerifyAnswer& answer) const;

    const Config& config_;
    const Host& host_;
    const std::string key_;
    const std::unique_ptr<CodeProvider> codes_;
    StartGate gate_;
};

}  // namespace patchbay::twilio_sms
