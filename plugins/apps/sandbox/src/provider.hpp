// Twilio as the hub sees it: takes messages, reports what became of them, and brings what customers
// write.
#pragma once
#include <condition_variable>
#include <mutex>
#include <patchbay/form.hpp>
#include <patchbay/sdk.hpp>
#include <string>

#include "config.hpp"
#include "later.hpp"
#include "ledger.hpp"
#include "listener.hpp"
#include "rules.hpp"
#include "twilio_api.hpp"

namespace patchbay::sandbox {

/// [any thread]
class Provider {
public:
    Provider(const Config& config, Host host);

    /// Answers everything that comes to the listener. Does not throw.
    Reply answer(const Request& request);

    /// Ends delays that rules ask for.
    void stop();

private:
    void wait(milliseconds delay);
    Reply answer_twilio(const Request& request, const std::string& path);
    Response answer_switch(const Request& request, const std::string& path);
    Response customer_writes(const std::string& json);

    /// Sends `sent`, then how it ends, to the message's status callback.
    void report_later(const Message& message, const Rule& rule);
    void report(const std::string& sid, const std::string& status, const std::string& error_code,
                int tries_left);

    /// Posts a form as Twilio does: signed. Throws ConnectionFailed when there is no answer.
    Response post_signed(const std::string& url, const Form& form) const;

    const Config config_;
    const Host host_;
    Ledger ledger_;
    Rules rules_;
    TwilioApi api_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    Later later_;  // Last: its threads use all the others.
};

}  // namespace patchbay::sandbox
