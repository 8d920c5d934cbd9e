#include "local_codes.hpp"

#include <algorithm>
#include <array>
#include <patchbay/text.hpp>
#include <twilio/messages.hpp>

namespace patchbay::twilio_sms {
namespace {

using twilio::Verdict;
using twilio::VerifyAnswer;

constexpr uint32_t salt_bytes = 16;

// Nothing that this sender says reaches the number. Source: https://www.twilio.com/docs/api/errors
constexpr std::array no_way_there{"21211", "21610", "21612", "21614"};

VerifyAnswer meaning_of(const SendResult& result) {
    VerifyAnswer answer{.code = result.code, .retry_after = result.retry_after};
    switch (result.outcome) {
        case Outcome::accepted:
            answer.verdict = Verdict::pending;
            return answer;
        case Outcome::retry_later:
            answer.done = false;
            return answer;
        case Outcome::unknown:
            return answer;
        default:
            break;
    }
    const bool is_number =
        std::find(no_way_there.begin(), no_way_there.end(), result.code) != no_way_there.end();
    answer.verdict = is_number ? Verdict::undeliverable : Verdict::misconfigured;
    return answer;
}

}  // namespace

std::string code_text(const VerifyConfig& config, const std::string& locale,
                      const std::string& code) {
    auto found = config.texts.find(locale);
    if (found == config.texts.end()) found = config.texts.find(locale.substr(0, locale.find('-')));
    std::string text = found == config.texts.end() ? config.text : found->second;
    constexpr std::string_view place = "{code}";
    for (size_t at = text.find(place); at != std::string::npos; at = text.find(place)) {
        text.replace(at, place.size(), code);
    }
    return text;
}

// Every code is as likely as every other: bytes that would favour some digits are thrown away.
std::string LocalCodes::new_code() const {
    const auto length = static_cast<size_t>(config_.verify.code_length);
    std::string code;
    while (code.size() < length) {
        for (const char c : host_.random_bytes(32)) {
            const auto byte = static_cast<uint8_t>(c);
            if (byte < 250 && code.size() < length) code += static_cast<char>('0' + byte % 10);
        }
    }
    return code;
}

std::string LocalCodes::hash_of(const std::string& salt, const std::string& code) const {
    return to_hex(host_.hmac("sha256", key_, "code " + salt + " " + code));
}

std::string LocalCodes::prepare(NumberRow& row) const {
    std::string code = new_code();
    row.salt = to_hex(host_.random_bytes(salt_bytes));
    row.hash = hash_of(row.salt, code);
    return code;
}

VerifyAnswer LocalCodes::send(const Call& call, const StartWish& wish, const std::string& code,
                              const NumberRow&) {
    twilio::Draft draft{.to = wish.to,
                        .from = config_.default_from,
                        .messaging_service_sid = config_.messaging_service_sid,
                        .text = code_text(config_.verify, wish.locale, code)};
    if (!draft.messaging_service_sid.empty()) draft.from.clear();
    if (draft.from.empty() && draft.messaging_service_sid.empty()) {
        return {.verdict = Verdict::misconfigured, .done = false};
    }
    return meaning_of(
        twilio::outcome_of(host_.http(call, twilio::creation_of(draft, config_.account()))));
}

std::optional<bool> LocalCodes::judge(const NumberRow& row, const std::string& code) const {
    // Without a code of ours the same work is done, on a hash that nothing has.
    const std::string given = hash_of(row.salt, code);
    const std::string right = row.hash.empty() ? std::string(given.size(), '-') : row.hash;
    return equal_secrets(given, right);
}

}  // namespace patchbay::twilio_sms
