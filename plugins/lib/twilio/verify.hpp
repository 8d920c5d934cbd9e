// Twilio's Verify service: starting a verification, checking a code, and what the answers mean.
//   POST {api_base}/v2/Services/{service_sid}/Verifications
//   POST {api_base}/v2/Services/{service_sid}/VerificationCheck
//   POST {api_base}/v2/Services/{service_sid}/Verifications/{sid}     Status=canceled
// Source: https://www.twilio.com/docs/verify/api
#pragma once
#include <patchbay/form.hpp>
#include <patchbay/sdk.hpp>
#include <string>

#include "messages.hpp"

namespace patchbay::twilio {

struct VerificationDraft {
    std::string to{}, channel{};  ///< sms, call or whatsapp.
    std::string locale{};
    /// The name that the operator gave a rate limit of the service, and what it counts.
    std::string rate_limit{}, rate_limit_value{};
};
Form form_of(const VerificationDraft& draft);

/// `account.api_base` is Verify's, which is another host than that of messages.
Request verification_of(const VerificationDraft& draft, const Account& account,
                        const std::string& service_sid);
Request check_of(const std::string& to, const std::string& code, const Account& account,
                 const std::string& service_sid);
Request cancellation_of(const std::string& sid, const Account& account,
                        const std::string& service_sid);

/// The same words for what Twilio says to a start and to a check.
enum class Verdict {
    pending,  ///< To a start: on its way. To a check: the wrong code.
    approved,
    gone,  ///< 404 to a check: approved before, expired, cancelled, or never sent.
    too_many_checks,
    throttled,      ///< Twilio's own limits for the number or the caller's user.
    undeliverable,  ///< No code reaches this number.
    unavailable,    ///< Nothing came of it, or nobody knows: 429, 5xx, half an answer.
    misconfigured   ///< The operator's: credentials, service, template, channel.
};

struct VerifyAnswer {
    Verdict verdict = Verdict::unavailable;
    std::string sid{}, code{};  ///< Of the verification; of the error.
    milliseconds retry_after{0};
    bool done = true;  ///< Whether it may have had its effect at Twilio.
};

VerifyAnswer answer_to_start(const Response& reply);
VerifyAnswer answer_to_check(const Response& reply);

}  // namespace patchbay::twilio
