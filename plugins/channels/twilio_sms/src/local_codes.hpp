// Codes of our own, sent as an SMS by this channel's account and number. Straight to Twilio, not as
// a message of the hub: a stored message would keep the code, and a queued one would come too late.
#pragma once
#include "code_provider.hpp"

namespace patchbay::twilio_sms {

class LocalCodes final : public CodeProvider {
public:
    /// All outlive it.
    LocalCodes(const Config& config, const Host& host, const std::string& key)
        : config_(config), host_(host), key_(key) {}

    bool offers(const std::string& channel) const override { return channel == "sms"; }
    std::string prepare(NumberRow& row) const override;
    twilio::VerifyAnswer send(const Call& call, const StartWish& wish, const std::string& code,
                              const NumberRow& before) override;
    std::optional<bool> judge(const NumberRow& row, const std::string& code) const override;
    twilio::VerifyAnswer ask(const Call&, const std::string&, const std::string&) override {
        return {};  // judge() has told.
    }

private:
    std::string new_code() const;
    std::string hash_of(const std::string& salt, const std::string& code) const;

    const Config& config_;
    const Host& host_;
    const std::string& key_;
};

/// The text for a language such as "de-AT": that of "de-AT", else of "de", else the usual one.
std::string code_text(const VerifyConfig& config, const std::string& locale,
                      const std::string& code);

}  // namespace patchbay::twilio_sms
