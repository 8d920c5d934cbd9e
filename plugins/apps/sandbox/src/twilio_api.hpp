// Twilio's Messages API as the sandbox plays it. Only what Twilio documents is checked, in Twilio's
// words.
//   POST /2010-04-01/Accounts/{sid}/Messages.json        201, or 400 with an error code
//   GET  /2010-04-01/Accounts/{sid}/Messages.json        newest first, by pages
//   GET  /2010-04-01/Accounts/{sid}/Messages/{sid}.json
// Source: https://www.twilio.com/docs/messaging/api/message-resource
#pragma once
#include <functional>
#include <mutex>
#include <patchbay/sdk.hpp>
#include <set>
#include <string>
#include <vector>

#include "ledger.hpp"

namespace patchbay::sandbox {

/// [any thread]
class TwilioApi {
public:
    struct Settings {
        std::string account_sid, auth_token;
        std::vector<std::string> numbers;  ///< Empty: every sender is ours.
    };
    using Clock = std::function<int64_t()>;  ///< Milliseconds since 1970-01-01 UTC.

    TwilioApi(Settings settings, Ledger& ledger, Clock clock);

    /// Answers any path below /2010-04-01/. Sets `taken` to the sid of a message that it took.
    Response answer(const Request& request, std::string& taken);

    /// STOP and START of a customer, as Twilio keeps them: later sends between the two get 21610.
    void note_consent(const std::string& customer, const std::string& number,
                      const std::string& text);

private:
    Response create(const Request& request, std::string& taken);
    Response list(const Request& request) const;
    Response one(const std::string& sid) const;
    bool is_blocked(const std::string& customer, const std::string& number) const;

    const Settings settings_;
    Ledger& ledger_;
    const Clock clock_;
    mutable std::mutex mutex_;
    std::set<std::pair<std::string, std::string>> blocked_;  ///< customer, number
};

/// {"code", "message", "more_info", "status"}
Response twilio_error(int status, int code, const std::string& message);

}  // namespace patchbay::sandbox
