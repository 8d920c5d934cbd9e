// Codes by Twilio Verify v2: Twilio makes them, sends them and knows them; nothing of them is kept
// here.
#pragma once
#include "code_provider.hpp"

namespace patchbay::twilio_sms {

class TwilioCodes final : public CodeProvider {
public:
    /// Both outlive it.
    TwilioCodes(const Config& config, const Host& host) : config_(config), host_(host) {}

    bool offers(const std::string&) const override { return true; }
    std::string prepare(NumberRow&) const override { return {}; }
    twilio::VerifyAnswer send(const Call& call, const StartWish& wish, const std::string& code,
                              const NumberRow& before) override;
    std::optional<bool> judge(const NumberRow&, const std::string&) const override {
        return std::nullopt;
    }
    twilio::VerifyAnswer ask(const Call& call, const std::string& to,
                             const std::string& code) override;

private:
    const Config& config_;
    const Host& host_;
};

}  // namespace patchbay::twilio_sms
