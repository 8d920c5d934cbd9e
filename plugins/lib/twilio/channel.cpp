#include "channel.hpp"

#include <algorithm>
#include <patchbay/text.hpp>

#include "links.hpp"
#include "status.hpp"

namespace patchbay::twilio {
namespace {

// A form of Twilio is a few kilobytes; the hub takes no more than this from anybody.
constexpr uint32_t max_webhook_bytes = 3u << 20;

// Twilio fetches a picture when the message is created, not when it is sent.
constexpr milliseconds media_link_time = std::chrono::minutes{10};

}  // namespace

const Response& empty_twiml() {
    static const Response answer{
        .status = 200,
        .body = R"(<?xml version="1.0" encoding="UTF-8"?><Response/>)",
        .headers = {{"content-type", "text/xml"}},
    };
    return answer;
}

Route webhook_route(const std::string& name) {
    return {.name = name,
            .methods = {"POST", "GET"},  // Which one, the console lets people choose.
            .body = RouteBody::form,
            .signature = Signature::twilio_sha1,
            .secret = "auth_token",
            .previous_secret = "auth_token_previous",
            .answer = empty_twiml(),
            .max_body_bytes = max_webhook_bytes};
}

std::vector<std::string> media_urls(const Host& host, const OutboundMessage& message) {
    std::vector<std::string> urls;
    for (const Media& media : message.media) {
        urls.push_back(media.url.empty() ? host.media_link(media.id, media_link_time) : media.url);
    }
    return urls;
}

std::optional<SendResult> find_sent(const Host& host, const Call& call, const Account& account,
                                    const Draft& draft, const OutboundMessage& message) {
    const int64_t since =
        message.first_tried_ms ? message.first_tried_ms : host.now_ms() - 24 * 3'600'000;
    const auto records =
        list_messages(host, call, account, {.to = draft.to, .from = draft.from, .since_ms = since});
    if (!find_copy(records, draft, since, {})) return std::nullopt;

    const auto linked = linked_to_others(host, message, since);
    const Record* copy = find_copy(records, draft, since, linked);
    if (!copy) return std::nullopt;
    SendResult found = SendResult::accepted(copy->sid);
    found.status = delivery_status(copy->status).value_or(DeliveryStatus::none);
    found.code = copy->error_code;
    found.reason = copy->error_message;
    return found;
}

std::vector<Event> received_since(const Host& host, const Call& call, const Account& account,
                                  std::vector<std::string> numbers, int64_t since_ms,
                                  AddressReader address) {
    if (numbers.empty()) numbers.emplace_back();
    std::vector<Record> missed;
    for (const std::string& number : numbers) {
        for (auto& record :
             list_messages(host, call, account, {.to = number, .since_ms = since_ms})) {
            const bool counts = record.direction == "inbound" && record.at_ms() >= since_ms;
            if (counts) missed.push_back(std::move(record));
        }
    }
    std::sort(missed.begin(), missed.end(),
              [](const auto& a, const auto& b) { return a.at_ms() < b.at_ms(); });

    std::vector<Event> events;
    for (const Record& record : missed) {
        auto media =
            record.media ? list_media(host, call, account, record.sid) : std::vector<Media>{};
        events.push_back(message_from(record, std::move(media), address));
    }
    return events;
}

bool is_account_sid(const std::string& sid) {
    return ascii_lower(sid).starts_with("ac") &&
           std::all_of(sid.begin(), sid.end(), is_alphanumeric);
}

std::string without_last_slash(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    return url;
}

bool is_http_url(const std::string& url) {
    return url.starts_with("https://") || url.starts_with("http://");
}

}  // namespace patchbay::twilio
