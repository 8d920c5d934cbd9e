// What happened: the values that plugins and hub exchange. Every member has an initialiser, so that
// designated initialisers may leave out the rest. Field numbers are for ever: add at the end, never
// renumber or reuse.
#pragma once
#include <charconv>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "detail/wire.hpp"

namespace patchbay {

using Labels = std::map<std::string, std::string>;

/// A way to reach somebody. Phones are E.164.
struct Address {
    /// phone, email, user, chat
    std::string kind{};
    std::string value{};
    PATCHBAY_FIELDS { v(1, kind)(2, value); }

    static Address phone(std::string number) { return {"phone", std::move(number)}; }
    bool operator==(const Address&) const = default;
};

/// A file that came or goes with a message. Its content never crosses: it is in the blob store or
/// at the provider.
struct Media {
    /// Blob or provider id.
    std::string id{};
    std::string type{};  ///< image/jpeg
    std::string name{}, url{};
    uint64_t bytes = 0;
    std::string sha256{};  ///< Hex; empty when unknown.
    PATCHBAY_FIELDS { v(1, id)(2, type)(3, name)(4, url)(5, bytes)(6, sha256); }
};

/// A text that the provider has approved.
struct Template {
    std::string name{}, language{};
    std::vector<std::string> params{};
    std::string provider_id{};  ///< Content SID, where the provider has one.
    Labels variables{};         ///< By name, where the provider names them; else `params`.
    PATCHBAY_FIELDS { v(1, name)(2, language)(3, params)(4, provider_id)(5, variables); }
};

struct OutboundMessage {
    /// The same on every retry.
    std::string id{};
    std::string conversation{}, author{}, text{};
    std::string reply_to{};  ///< Provider id of the message this one answers.
    Address to{}, from{};    ///< An empty `from`: the channel's own.
    std::vector<Media> media{};
    std::optional<Template> from_template{};
    Labels extra{};
    /// The provider's id of the conversation, where it has one.
    std::string external_conversation{};
    /// When the first attempt began: where a look-up starts. 0: this is the first.
    int64_t first_tried_ms = 0;
    int64_t valid_until_ms = 0;  ///< 0: no end.
    PATCHBAY_FIELDS {
        v(1, id)(2, conversation)(3, author)(4, text)(5, reply_to)(6, to)(7, from)(8, media);
        v(9, from_template)(10, extra)(11, external_conversation)(12, first_tried_ms);
        v(13, valid_until_ms);
    }
};

/// The order of the words is not the order of events: ranks are the core's.
enum class DeliveryStatus : uint8_t {
    none,
    queued,
    sending,
    unknown,
    accepted,
    sent,
    failed,
    expired,
    cancelled,
    delivered,
    read
};

/// Something the provider told us. One webhook may hold several.
struct Event {
    /// message.received, delivery.changed, conversation.updated, participant.added, or an own one.
    std::string topic{};
    std::string dedupe_key{};  ///< Required: equal keys of one instance are one event.
    std::string provider_id{};
    std::string conversation{};  ///< The provider's id of the conversation, where it has one.
    /// text, image, audio, video, document, sticker, location, contacts, interactive, reaction,
    /// system, unsupported
    std::string kind{};
    std::string text{};
    std::string code{}, reason{};  ///< Of a failure: the provider's code verbatim, and its words.
    std::string data{};            ///< JSON: what has no member of its own.
    Address from{}, to{};
    std::vector<Media> media{};
    std::string contact_name{};
    Labels contact_attributes{};
    std::string our_message_id{};  ///< From the query of a status callback: OutboundMessage::id.
    std::string author{};          ///< Who wrote it at the provider, where that is not `from`.
    std::string reply_to{};        ///< Provider id of the message it answers.
    uint32_t parts = 0;            ///< Pieces the provider cut the text into; 0: it did not say.
    DeliveryStatus status = DeliveryStatus::none;
    int64_t at_ms = 0;  ///< The provider's time; 0: it gave none.
    Labels extra{};
    /// Other addresses of the same person, such as an id beside the phone: found under any of them,
    /// reached under all.
    std::vector<Address> also{};
    PATCHBAY_FIELDS {
        v(1, topic)(2, dedupe_key)(3, provider_id)(4, conversation)(5, text)(6, from)(7, to);
        v(8, media)(9, status)(10, code)(11, data)(12, at_ms)(13, extra)(14, kind);
        v(15, contact_name)(16, contact_attributes)(17, our_message_id)(18, parts)(19, author);
        v(20, reply_to)(21, reason)(22, also);
    }
};

enum class Outcome : uint8_t { accepted, retry_later, unknown, refused, opted_out };

/// What became of a send. `unknown`: it may have gone out, which is not a failure.
struct SendResult {
    Outcome outcome = Outcome::accepted;
    std::string provider_id{}, code{}, reason{};
    milliseconds retry_after{0};
    /// Provider ids of all parts, where a text went as several messages.
    std::vector<std::string> part_ids{};
    /// What the provider already says beyond `accepted`.
    DeliveryStatus status = DeliveryStatus::none;
    /// A conversation that was opened for it at the provider.
    std::string external_conversation{};
    PATCHBAY_FIELDS {
        v(1, outcome)(2, provider_id)(3, code)(4, reason)(5, retry_after)(6, part_ids);
        v(7, status)(8, external_conversation);
    }

    static SendResult accepted(std::string id) { return {Outcome::accepted, std::move(id)}; }
    static SendResult retry_later(std::string code, std::string why, milliseconds after = {}) {
        return {Outcome::retry_later, {}, std::move(code), std::move(why), after};
    }
    static SendResult unknown(std::string code, std::string why) {
        return {Outcome::unknown, {}, std::move(code), std::move(why)};
    }
    static SendResult refused(std::string code, std::string why) {
        return {Outcome::refused, {}, std::move(code), std::move(why)};
    }
    static SendResult opted_out(std::string code, std::string why) {
        return {Outcome::opted_out, {}, std::move(code), std::move(why)};
    }
};

/// Goes with every call: pass it on to what the call needs of the host.
struct Call {
    std::string trace{}, tenant{};
    milliseconds left{10'000};  ///< Time budget.
    uint32_t attempt = 1;
    PATCHBAY_FIELDS { v(1, trace)(2, tenant)(3, left)(4, attempt); }
};

/// What came to a route, or what goes to a provider (then only url, method, headers and body
/// count).
struct Request {
    std::string route{}, method{}, url{};
    std::string body{};  ///< Any bytes.
    Labels headers{};    ///< Names in lower case when received.
    Labels query{};      ///< Decoded; of a repeated name the last value.
    std::string peer{};  ///< Address of the other side.
    std::string user{};  ///< Id of who is signed in; empty: nobody.
    Labels params{};     ///< Values of {name} in the path, decoded.
    std::string role{};
    std::vector<std::string> departments{};
    std::string id{};  ///< X-Request-Id, or the id of the stored webhook: the same when it is
                       ///< worked on again.
    int64_t received_ms = 0;
    PATCHBAY_FIELDS {
        v(1, route)(2, method)(3, url).bytes(4, body)(5, headers)(6, query)(7, peer)(8, user);
        v(9, params)(10, role)(11, departments)(12, id)(13, received_ms);
    }

    /// Empty when absent. `name` in lower case.
    std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? std::string{} : found->second;
    }
};

struct Response {
    int32_t status = 200;
    std::string body{};  ///< Any bytes.
    Labels headers{};
    PATCHBAY_FIELDS { v(1, status).bytes(2, body)(3, headers); }

    bool ok() const { return status / 100 == 2; }
    /// Empty when absent. `name` in lower case: the host gives names so.
    std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? std::string{} : found->second;
    }

    /// What Retry-After says in seconds, a day at most. 0: nothing, or a date.
    milliseconds retry_after() const {
        constexpr uint32_t day = 86'400;
        const std::string text = header("retry-after");
        uint32_t seconds = 0;
        const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
        if (error != std::errc{} || rest != text.data() + text.size()) return {};
        return std::chrono::seconds{seconds < day ? seconds : day};
    }
};

struct Health {
    enum State : uint8_t { up, degraded, down } state = up;
    std::string text{};
    Labels checks{};
    PATCHBAY_FIELDS { v(1, state)(2, text)(3, checks); }
};

}  // namespace patchbay
