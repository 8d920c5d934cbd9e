#include "verify_api.hpp"

#include <Poco/JSON/Object.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <patchbay/text.hpp>
#include <twilio/json.hpp>
#include <twilio/problem.hpp>
#include <twilio/requests.hpp>

namespace patchbay::twilio_sms {
namespace {

using std::chrono::seconds;
using twilio::Problem;
using twilio::problem_answer;

constexpr std::string_view start_route = "verify_start", check_route = "verify_check";
constexpr milliseconds deadline{12'000};  // Ten seconds for Twilio, and time to store.

using Errors = std::vector<twilio::FieldError>;

// One text for every reason, so that nobody can feel his way along the limits.
Problem problem_of(VerifyOutcome outcome, milliseconds retry_after) {
    const milliseconds wait = std::max(retry_after, milliseconds{1});
    Problem problem{.code = word(outcome),
                    .members = {{"outcome", word(outcome)}, {"valid", false}}};
    switch (outcome) {
        case VerifyOutcome::throttled:
            problem.status = 429;
            problem.title = "No verification now";
            problem.detail = "A verification cannot be started now. Try again later.";
            problem.retry_after = wait;
            break;
        case VerifyOutcome::too_many_attempts:
            problem.status = 429;
            problem.title = "Too many codes were tried";
            problem.detail = "Ask for a new code.";
            problem.retry_after = wait;
            break;
        case VerifyOutcome::undeliverable:
            problem.status = 422;
            problem.title = "No code reaches this number";
            problem.detail = "The provider cannot bring a code to this number.";
            break;
        default:
            problem = {.status = 503,
                       .code = "provider_unavailable",
                       .title = "The provider gave no answer",
                       .detail = "Ask for a new code.",
                       .retry_after = wait};
    }
    return problem;
}

Response not_json(const Request& request) {
    return problem_answer({400, "invalid_json", "Not JSON", "Expected a JSON object."}, request);
}

// "de", "en-GB", "zh-Hant-TW"
bool is_locale(const std::string& text) {
    if (text.empty() || text.size() > 16 || text.front() == '-' || text.back() == '-') return false;
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return is_alphanumeric(c) || c == '-'; });
}

std::string read_channel(const Poco::JSON::Object& body, const Verification& verification,
                         Errors& errors) {
    const size_t faults = errors.size();
    const std::string channel = twilio::read_text(body, "channel", false, errors);
    if (errors.size() > faults) return {};
    if (channel.empty()) return "sms";
    constexpr std::array known{"sms", "call", "whatsapp"};
    if (std::find(known.begin(), known.end(), channel) == known.end()) {
        errors.push_back({"channel", "invalid_field", "must be sms, call or whatsapp"});
    } else if (!verification.offers(channel)) {
        errors.push_back({"channel", "invalid_field", "must be sms here"});
    }
    return channel;
}

StartWish read_wish(const Poco::JSON::Object& body, const Verification& verification,
                    Errors& errors) {
    StartWish wish;
    wish.to = twilio::read_phone(body, "to_phone", true, errors);
    wish.channel = read_channel(body, verification, errors);
    wish.locale = twilio::read_text(body, "locale", false, errors);
    if (!wish.locale.empty() && !is_locale(wish.locale)) {
        errors.push_back({"locale", "invalid_field", "must be a language such as de or en-GB"});
    }
    wish.address = twilio::read_text(body, "end_user_ip", false, errors);
    if (!wish.address.empty() && counted_address(wish.address).empty()) {
        errors.push_back({"end_user_ip", "invalid_field", "must be an IP address"});
    }
    return wish;
}

std::string read_code(const Poco::JSON::Object& body, Errors& errors) {
    const size_t faults = errors.size();
    const std::string code = twilio::read_text(body, "code", true, errors);
    const bool has_length = code.size() >= 4 && code.size() <= 10;
    const bool fits = has_length && std::all_of(code.begin(), code.end(), is_alphanumeric);
    if (errors.size() == faults && !fits) {
        errors.push_back({"code", "invalid_field", "must be 4 to 10 digits or letters"});
    }
    return code;
}

}  // namespace

bool VerifyApi::has(std::string_view route) { return route == start_route || route == check_route; }

std::vector<ApiRoute> VerifyApi::routes() const {
    const std::vector<std::string> callers{"owner", "admin", "agent"};
    return {
        {.name = std::string{start_route},
         .method = "POST",
         .path = "/api/sms/verify/start/",
         .scope = "verify",
         .about = "Sends a verification code to a phone",
         .deadline = deadline,
         .callers = callers},
        {.name = std::string{check_route},
         .method = "POST",
         .path = "/api/sms/verify/check/",
         .scope = "verify",
         .about = "Whether a code is the one that was sent",
         .deadline = deadline,
         .callers = callers},
    };
}

Response VerifyApi::answer(const Call& call, const Request& request) {
    return request.route == start_route ? start(call, request) : check(call, request);
}

Health VerifyApi::health() const {
    const auto paused = verification_.paused();
    if (paused.empty()) return {};
    return {.state = Health::degraded,
            .text = "verification is paused where too few codes are entered: " + paused.front()};
}

Response VerifyApi::start(const Call& call, const Request& request) {
    const auto body = twilio::parse_object(request.body);
    if (!body) return not_json(request);
    Errors errors;
    const StartWish wish = read_wish(*body, verification_, errors);
    if (!errors.empty()) return problem_answer(twilio::field_problem(std::move(errors)), request);

    const Started started = verification_.start(call, wish);
    if (started.outcome != VerifyOutcome::pending) {
        return problem_answer(problem_of(started.outcome, started.retry_after), request);
    }
    Poco::JSON::Object json{Poco::JSON_PRESERVE_KEY_ORDER};
    json.set("id", started.id);
    json.set("to_phone", wish.to);
    json.set("channel", wish.channel);
    json.set("outcome", word(started.outcome));
    json.set("valid", false);
    json.set("expires_at", twilio::time_or_null(started.expires_ms));
    json.set("resend_after", std::chrono::ceil<seconds>(config_.verify.resend_after).count());
    return twilio::json_answer(201, json);
}

Response VerifyApi::check(const Call& call, const Request& request) {
    const auto body = twilio::parse_object(request.body);
    if (!body) return not_json(request);
    Errors errors;
    const std::string to = twilio::read_phone(*body, "to_phone", true, errors);
    const std::string code = read_code(*body, errors);
    if (!errors.empty()) return problem_answer(twilio::field_problem(std::move(errors)), request);

    const Checked checked = verification_.check(call, to, code);
    switch (checked.outcome) {
        case VerifyOutcome::approved:
        case VerifyOutcome::wrong:
        case VerifyOutcome::expired:
        case VerifyOutcome::used:
            break;
        default:
            return problem_answer(problem_of(checked.outcome, checked.retry_after), request);
    }
    Poco::JSON::Object json{Poco::JSON_PRESERVE_KEY_ORDER};
    json.set("to_phone", to);
    json.set("outcome", word(checked.outcome));
    json.set("valid", checked.outcome == VerifyOutcome::approved);
    return twilio::json_answer(200, json);
}

}  // namespace patchbay::twilio_sms
