#include "twilio_codes.hpp"

namespace patchbay::twilio_sms {
namespace {

// Together less than the route's deadline.
const HttpOptions to_cancel{.timeout = milliseconds{2'000}};
const HttpOptions to_ask{.timeout = milliseconds{9'000}};

}  // namespace

twilio::VerifyAnswer TwilioCodes::send(const Call& call, const StartWish& wish, const std::string&,
                                       const NumberRow& before) {
    const twilio::Account account = config_.verify_account();
    const std::string& service = config_.verify.service_sid;
    // After five wrong codes Twilio keeps the verification until it expires; a new start is to
    // bring a new code. Whether this worked, the start tells.
    const bool is_used_up = before.checks >= config_.verify.max_checks && !before.approved;
    if (is_used_up && !before.sid.empty() && before.expires_ms > host_.now_ms()) {
        host_.http(call, twilio::cancellation_of(before.sid, account, service), to_cancel);
    }
    return twilio::answer_to_start(
        host_.http(call,
                   twilio::verification_of({.to = wish.to,
                                            .channel = wish.channel,
                                            .locale = wish.locale,
                                            .rate_limit = config_.verify.rate_limit,
                                            .rate_limit_value = wish.address},
                                           account, service),
                   to_ask));
}

twilio::VerifyAnswer TwilioCodes::ask(const Call& call, const std::string& to,
                                      const std::string& code) {
    return twilio::answer_to_check(host_.http(
        call, twilio::check_of(to, code, config_.verify_account(), config_.verify.service_sid),
        to_ask));
}

}  // namespace patchbay::twilio_sms
