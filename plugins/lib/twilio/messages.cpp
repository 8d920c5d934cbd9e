#include "messages.hpp"

#include <Poco/DateTimeFormatter.h>
#include <Poco/JSON/Array.h>
#include <Poco/NumberParser.h>
#include <Poco/Timestamp.h>
#include <algorithm>

#include <chrono>
#include <patchbay/text.hpp>

#include "errors.hpp"
#include "json.hpp"

namespace patchbay::twilio {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// The sender's queue is full: the one refusal of a 4xx that time mends.
// Source: https://www.twilio.com/docs/api/errors/21611
const std::string too_many_queued = "21611";
constexpr milliseconds queue_wait = minutes{1};

// Twilio's largest is 1000. Source: https://www.twilio.com/docs/usage/twilios-response
constexpr int page_size = 200;
constexpr int max_pages = 50;

constexpr int64_t clock_slack_ms = 60'000;

// The last day that has four digits of a year.
constexpr int64_t latest_ms = 253'402'214'400'000;

std::string utc_day(int64_t ms) {
    const int64_t shown = std::clamp<int64_t>(ms, 0, latest_ms);
    return Poco::DateTimeFormatter::format(Poco::Timestamp{shown * 1000}, "%Y-%m-%d");
}

SendResult outcome_of_creation(const Response& reply) {
    const auto message = parse_object(reply.body);
    const std::string sid = message ? text_at(*message, "sid") : std::string{};
    // Half an answer, or one that is not about a message: it may have gone out all the same.
    if (sid.empty()) return SendResult::unknown("", "the answer has no message sid");

    // The status in this answer gets no callback of its own.
    const std::string status = text_at(*message, "status");
    if (status == "failed" || status == "undelivered") {
        return SendResult::refused(text_at(*message, "error_code"),
                                   text_at(*message, "error_message"));
    }
    return SendResult::accepted(sid);
}

Record record_from(const Poco::JSON::Object& json) {
    unsigned media = 0;
    Poco::NumberParser::tryParseUnsigned(text_at(json, "num_media"), media);
    return {
        .sid = text_at(json, "sid"),
        .direction = text_at(json, "direction"),
        .from = text_at(json, "from"),
        .to = text_at(json, "to"),
        .body = text_at(json, "body"),
        .status = text_at(json, "status"),
        .error_code = text_at(json, "error_code"),
        .error_message = text_at(json, "error_message"),
        .media = media,
        .created_ms = time_at(json, "date_created"),
        .sent_ms = time_at(json, "date_sent"),
    };
}

Poco::JSON::Object::Ptr fetch(const Host& host, const Call& call, const Account& account,
                              const std::string& url) {
    const Response reply = host.http(call, account.request("GET", url));
    if (reply.status == 401 || reply.status == 403) {
        throw Error(ErrorKind::unauthorized, refusal_in(reply.body).reason);
    }
    const auto page = reply.ok() ? parse_object(reply.body) : Poco::JSON::Object::Ptr{};
    if (!page) {
        throw Error(ErrorKind::unavailable, "no list, status " + std::to_string(reply.status));
    }
    return page;
}

Poco::JSON::Array::Ptr items_of(const Poco::JSON::Object& page, const std::string& key) {
    auto items = page.isArray(key) ? page.getArray(key) : Poco::JSON::Array::Ptr{};
    if (!items) throw Error(ErrorKind::unavailable, "a list without \"" + key + "\"");
    return items;
}

std::string first_page(const Account& account, const ListFilter& filter) {
    Form query;
    query.add_unless_empty("To", filter.to).add_unless_empty("From", filter.from);
    // The greater-than sign belongs to the name: "DateSent>=2026-11-20".
    if (filter.since_ms) query.add("DateSent>", utc_day(filter.since_ms));
    query.add("PageSize", std::to_string(page_size));
    return account.messages_url() + "?" + query.encode();
}

bool is_copy(const Record& record, const Draft& message, int64_t since_ms) {
    // What Twilio made of a template is not ours to know: the addresses and the time have to do.
    const bool same_content =
        !message.content_sid.empty() ||
        (record.body == message.text && record.media == message.media_urls.size());
    return record.direction != "inbound" && record.to == message.to &&
           (message.from.empty() || record.from == message.from) && same_content &&
           // Without a readable date it may be ours: taking it avoids a second copy.
           (record.created_ms == 0 || record.created_ms + clock_slack_ms >= since_ms);
}

}  // namespace

std::string Account::messages_url() const {
    return api_base + "/2010-04-01/Accounts/" + percent_encode(sid) + "/Messages.json";
}

Request Account::request(const std::string& method, const std::string& url) const {
    // A link in an answer never takes our credentials to another host.
    const bool is_ours = url.starts_with(api_base + "/");
    if (!is_ours && !url.starts_with('/')) {
        throw Error(ErrorKind::unavailable, "the answer points to another host");
    }
    return {
        .method = method,
        .url = is_ours ? url : api_base + url,
        .headers = {{"authorization", "Basic " + to_base64(user + ":" + password)},
                    {"accept", "application/json"}},
    };
}

Form form_of(const Draft& message) {
    Form form;
    form.add("To", message.to);
    if (message.from.empty()) {
        form.add_unless_empty("MessagingServiceSid", message.messaging_service_sid);
    } else {
        form.add("From", message.from);
    }
    form.add_unless_empty("Body", message.text);
    for (const std::string& url : message.media_urls) form.add("MediaUrl", url);
    form.add_unless_empty("ContentSid", message.content_sid);
    form.add_unless_empty("ContentVariables", message.content_variables);
    form.add_unless_empty("StatusCallback", message.status_callback);
    return form;
}

Request creation_of(const Draft& message, const Account& account) {
    Request request = account.request("POST", account.messages_url());
    request.headers["content-type"] = "application/x-www-form-urlencoded";
    request.body = form_of(message).encode();
    return request;
}

Refusal refusal_in(std::string_view body) {
    const auto error = parse_object(body);
    if (!error) return {};
    return {text_at(*error, "code"), text_at(*error, "message")};
}

// Seconds; Twilio documents no other form.
milliseconds retry_after(const Response& reply) {
    unsigned wait = 0;
    if (!Poco::NumberParser::tryParseUnsigned(reply.header("retry-after"), wait)) return {};
    return seconds{wait};
}

SendResult outcome_of(const Response& reply) {
    if (reply.ok()) return outcome_of_creation(reply);

    const auto [code, words] = refusal_in(reply.body);
    const std::string reason =
        words.empty() ? "Twilio answered " + std::to_string(reply.status) : words;
    if (reply.status == 401 || reply.status == 403) {
        Error error{ErrorKind::unauthorized, reason};
        error.code = code;
        throw error;
    }
    if (reply.status == 429 || reply.status == 503) {
        return SendResult::retry_later(code, reason, reply.retry_after());
    }
    if (reply.status >= 500) return SendResult::unknown(code, reason);
    if (code == recipient_opted_out) return SendResult::opted_out(code, reason);
    if (code == too_many_queued) return SendResult::retry_later(code, reason, queue_wait);
    return SendResult::refused(code, reason);
}

std::vector<Record> list_messages(const Host& host, const Call& call, const Account& account,
                                  const ListFilter& filter) {
    std::vector<Record> records;
    std::string url = first_page(account, filter);
    for (int pages = 0; !url.empty(); ++pages) {
        if (pages == max_pages) throw Error(ErrorKind::unavailable, "the list has no end");
        const auto page = fetch(host, call, account, url);
        const auto items = items_of(*page, "messages");
        for (const auto& item : *items) {
            if (item.type() != typeid(Poco::JSON::Object::Ptr)) continue;
            records.push_back(record_from(*item.extract<Poco::JSON::Object::Ptr>()));
        }
        url = text_at(*page, "next_page_uri");
    }
    return records;
}

std::vector<Media> list_media(const Host& host, const Call& call, const Account& account,
                              const std::string& message_sid) {
    const std::string place = "/2010-04-01/Accounts/" + percent_encode(account.sid) + "/Messages/" +
                              percent_encode(message_sid) + "/Media";
    std::vector<Media> media;
    const auto page = fetch(host, call, account, place + ".json");
    const auto items = items_of(*page, "media_list");
    for (const auto& item : *items) {
        if (item.type() != typeid(Poco::JSON::Object::Ptr)) continue;
        const auto& entry = *item.extract<Poco::JSON::Object::Ptr>();
        media.push_back({.type = text_at(entry, "content_type"),
                         .url = account.api_base + place + "/" + text_at(entry, "sid")});
    }
    return media;
}

const Record* find_copy(const std::vector<Record>& records, const Draft& message, int64_t since_ms,
                        const std::set<std::string>& taken) {
    const Record* oldest = nullptr;
    for (const Record& record : records) {
        if (record.sid.empty() || taken.contains(record.sid)) continue;
        if (!is_copy(record, message, since_ms)) continue;
        if (!oldest || record.created_ms < oldest->created_ms) oldest = &record;
    }
    return oldest;
}

Event message_from(const Record& record, std::vector<Media> media, AddressReader address) {
    return {
        .topic = "message.received",
        .dedupe_key = "message:" + record.sid,
        .provider_id = record.sid,
        .kind = kind_of(media),
        .text = record.body,
        .from = address(record.from),
        .to = address(record.to),
        .media = std::move(media),
        .at_ms = record.at_ms(),
    };
}

}  // namespace patchbay::twilio
