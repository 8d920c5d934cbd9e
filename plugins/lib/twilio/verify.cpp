#include "verify.hpp"

#include <Poco/JSON/Object.h>

#include <algorithm>
#include <array>
#include <patchbay/text.hpp>
#include <sstream>

#include "json.hpp"

namespace patchbay::twilio {
namespace {

// Source: https://www.twilio.com/docs/api/errors
constexpr std::array undeliverable_codes{"21211", "21614", "60200", "60205", "60410", "60605"};
const std::string max_checks = "60202";
constexpr std::array throttling_codes{"60203", "60207", "60212"};

template <class Codes>
bool is_in(const Codes& codes, const std::string& code) {
    return std::find(codes.begin(), codes.end(), code) != codes.end();
}

std::string place(const std::string& service_sid, const std::string& what) {
    return "/v2/Services/" + percent_encode(service_sid) + "/" + what;
}

Request post(const Account& account, const std::string& path, const Form& form) {
    Request request = account.request("POST", path);
    request.headers["content-type"] = "application/x-www-form-urlencoded";
    request.body = form.encode();
    return request;
}

VerifyAnswer refusal_of(const Response& reply) {
    VerifyAnswer answer{.code = refusal_in(reply.body).code, .retry_after = retry_after(reply)};
    if (answer.code == max_checks) {
        answer.verdict = Verdict::too_many_checks;
    } else if (is_in(throttling_codes, answer.code)) {
        answer.verdict = Verdict::throttled;
    } else if (is_in(undeliverable_codes, answer.code)) {
        answer.verdict = Verdict::undeliverable;
    } else if (reply.status == 429 || reply.status >= 500) {
        answer.done = reply.status != 429 && reply.status != 503;
    } else {
        answer.verdict = Verdict::misconfigured;
    }
    return answer;
}

// What "status" of a verification says.
Verdict verdict_of(const std::string& status) {
    if (status == "approved") return Verdict::approved;
    if (status == "pending") return Verdict::pending;
    if (status == "max_attempts_reached") return Verdict::too_many_checks;
    if (status == "canceled" || status == "expired" || status == "deleted") return Verdict::gone;
    return Verdict::unavailable;
}

VerifyAnswer verification_in(const Response& reply) {
    const auto verification = parse_object(reply.body);
    if (!verification) return {};
    return {.verdict = verdict_of(text_at(*verification, "status")),
            .sid = text_at(*verification, "sid")};
}

}  // namespace

Form form_of(const VerificationDraft& draft) {
    Form form{{"To", draft.to}, {"Channel", draft.channel}};
    form.add_unless_empty("Locale", draft.locale);
    if (!draft.rate_limit.empty() && !draft.rate_limit_value.empty()) {
        // JSON text in one field.
        Poco::JSON::Object limits;
        limits.set(draft.rate_limit, draft.rate_limit_value);
        std::ostringstream text;
        limits.stringify(text);
        form.add("RateLimits", text.str());
    }
    return form;
}

Request verification_of(const VerificationDraft& draft, const Account& account,
                        const std::string& service_sid) {
    return post(account, place(service_sid, "Verifications"), form_of(draft));
}

Request check_of(const std::string& to, const std::string& code, const Account& account,
                 const std::string& service_sid) {
    return post(account, place(service_sid, "VerificationCheck"), {{"To", to}, {"Code", code}});
}

Request cancellation_of(const std::string& sid, const Account& account,
                        const std::string& service_sid) {
    return post(account, place(service_sid, "Verifications/" + percent_encode(sid)),
                {{"Status", "canceled"}});
}

VerifyAnswer answer_to_start(const Response& reply) {
    if (!reply.ok()) return refusal_of(reply);
    VerifyAnswer answer = verification_in(reply);
    // Anything but a code on its way is no start: better a new one than a wait for nothing.
    if (answer.verdict != Verdict::pending || answer.sid.empty()) {
        answer.verdict = Verdict::unavailable;
    }
    return answer;
}

VerifyAnswer answer_to_check(const Response& reply) {
    if (reply.ok()) return verification_in(reply);
    VerifyAnswer answer = refusal_of(reply);
    if (reply.status == 404) answer.verdict = Verdict::gone;
    return answer;
}

}  // namespace patchbay::twilio
