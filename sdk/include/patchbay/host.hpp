// What the host offers. Passed by value, cheap to copy, [any thread]. Every function throws Error:
// `unsupported` when the host has no such service, `stopping` once the plugin's destructor has
// begun. Only log() and the metrics never throw.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "abi.h"
#include "detail/methods.hpp"
#include "detail/sink.hpp"
#include "services.hpp"

namespace patchbay {

enum class Level : uint8_t { trace, debug, info, warn, error };

class Host {
public:
    using Time = std::chrono::sys_time<milliseconds>;

    explicit Host(const pb_host* host) : host_(host) {}

    /// Whether a service is there: has("kv/1"). What the plugin's stamp needs is there always.
    bool has(std::string_view interface_id) const {
        for (const std::string& offered : ask<std::vector<std::string>>(method::interfaces))
            if (offered == interface_id) return true;
        return false;
    }

    // log/1, always there: a short sentence, then fields.
    void log(Level level, std::string_view text, const Labels& fields = {}) const {
        tell_quietly(method::log, level, text, fields);
    }
    void debug(std::string_view text, const Labels& fields = {}) const {
        log(Level::debug, text, fields);
    }
    void info(std::string_view text, const Labels& fields = {}) const {
        log(Level::info, text, fields);
    }
    void warn(std::string_view text, const Labels& fields = {}) const {
        log(Level::warn, text, fields);
    }
    void error(std::string_view text, const Labels& fields = {}) const {
        log(Level::error, text, fields);
    }

    // clock/1: both stand still in tests.
    Time now() const { return Time{milliseconds{now_ms()}}; }
    int64_t now_ms() const { return ask<int64_t>(method::now); }
    std::string new_id() const { return ask<std::string>(method::new_id); }

    // metrics/1: the host adds the instance and its own prefix to the name.
    void count(std::string_view metric, double add = 1, const Labels& labels = {}) const {
        tell_quietly(method::count, metric, add, labels);
    }
    void gauge(std::string_view metric, double value, const Labels& labels = {}) const {
        tell_quietly(method::gauge, metric, value, labels);
    }
    void observe(std::string_view metric, double value, const Labels& labels = {}) const {
        tell_quietly(method::observe, metric, value, labels);
    }

    // kv/1: the instance's own, outlives reloads. Values are any bytes.
    std::optional<Stored> find(std::string_view key) const {
        return ask<std::optional<Stored>>(method::kv_find, key);
    }
    /// Answers the new version. `ttl` 0: for ever. `if_version` 0: only if absent; Error(conflict)
    /// when it is another.
    uint64_t store(std::string_view key, std::string_view value, milliseconds ttl = {},
                   std::optional<uint64_t> if_version = {}) const {
        return ask<uint64_t>(method::kv_store, key, value, ttl, if_version);
    }
    void erase(std::string_view key) const { tell(method::kv_erase, key); }
    std::vector<std::string> keys(std::string_view prefix, uint32_t limit = 100) const {
        return ask<std::vector<std::string>>(method::kv_keys, prefix, limit);
    }

    /// http-client/1: pooled TLS. Throws ConnectionFailed when no complete answer came; any status
    /// is an answer.
    Response http(const Call& call, const Request& request, const HttpOptions& options = {}) const {
        return ask<Response>(method::http, call, request, options);
    }

    // blobs/1: content stays at the host.
    Media fetch_media(const Call& call, const Request& request) const {
        return ask<Media>(method::fetch_media, call, request);
    }
    Media store_media(std::string_view type, std::string_view content) const {
        return ask<Media>(method::store_media, type, content);
    }
    std::string read_media(std::string_view id) const {
        return ask<wire::Bytes>(method::read_media, id).data;
    }
    /// A signed link that a provider can fetch.
    std::string media_link(std::string_view id, milliseconds valid_for) const {
        return ask<std::string>(method::media_link, id, valid_for);
    }

    /// events/1
    void publish(const Event& event) const { tell(method::publish, event); }

    // timers/1: armed at the switch to this generation, never two of one name at once. They end in
    // Plugin::on_timer.
    uint64_t every(milliseconds period, std::string_view name) const {
        return ask<uint64_t>(method::timer_every, period, name);
    }
    uint64_t after(milliseconds delay, std::string_view name, std::string_view payload = {}) const {
        return ask<uint64_t>(method::timer_after, delay, name, payload);
    }
    void cancel(uint64_t timer) const { tell(method::timer_cancel, timer); }

    /// tasks/1: ends in Plugin::on_task on a thread of the host.
    void post(std::string_view name, std::string_view payload = {}) const {
        tell(method::post, name, payload);
    }

    /// webhook/1: what to register at the provider, or to send along as callback.
    std::string public_url(std::string_view route) const {
        return ask<std::string>(method::public_url, route);
    }

    // crypto/1: raw bytes in and out. Algorithms: sha1, sha256; sign: rs256 with a PEM key.
    std::string hmac(std::string_view algorithm, std::string_view key,
                     std::string_view data) const {
        return ask<wire::Bytes>(method::hmac, algorithm, key, data).data;
    }
    std::string digest(std::string_view algorithm, std::string_view data) const {
        return ask<wire::Bytes>(method::digest, algorithm, data).data;
    }
    std::string random_bytes(uint32_t count) const {
        return ask<wire::Bytes>(method::random_bytes, count).data;
    }
    std::string sign(std::string_view algorithm, std::string_view private_key,
                     std::string_view data) const {
        return ask<wire::Bytes>(method::sign, algorithm, private_key, data).data;
    }

    // messaging/1
    std::optional<messaging::ContactInfo> find_contact(const Address& address) const {
        return ask<std::optional<messaging::ContactInfo>>(method::find_contact, address);
    }
    std::optional<messaging::ContactInfo> contact(std::string_view id) const {
        return ask<std::optional<messaging::ContactInfo>>(method::contact, id);
    }
    /// An empty id: the contact of one of its addresses, or a new one.
    messaging::ContactInfo save_contact(const messaging::ContactInfo& contact) const {
        return ask<messaging::ContactInfo>(method::save_contact, contact);
    }
    std::optional<messaging::ConversationInfo> conversation(std::string_view id) const {
        return ask<std::optional<messaging::ConversationInfo>>(method::conversation, id);
    }
    messaging::ConversationInfo open_conversation(
        const messaging::NewConversation& conversation) const {
        return ask<messaging::ConversationInfo>(method::open_conversation, conversation);
    }
    messaging::ConversationInfo change_conversation(
        const messaging::ConversationChange& change) const {
        return ask<messaging::ConversationInfo>(method::change_conversation, change);
    }
    std::vector<messaging::ConversationInfo> list_conversations(
        const messaging::ConversationQuery& query) const {
        return ask<std::vector<messaging::ConversationInfo>>(method::list_conversations, query);
    }
    /// Queues it; with messaging::NewMessage::wait it returns what the provider said by then.
    messaging::MessageInfo send_message(const Call& call,
                                        const messaging::NewMessage& message) const {
        return ask<messaging::MessageInfo>(method::send_message, call, message);
    }
    std::optional<messaging::MessageInfo> message(std::string_view id) const {
        return ask<std::optional<messaging::MessageInfo>>(method::message, id);
    }
    std::vector<messaging::MessageInfo> list_messages(const messaging::MessageQuery& query) const {
        return ask<std::vector<messaging::MessageInfo>>(method::list_messages, query);
    }
    /// An empty user: for the whole team.
    void read_conversation(std::string_view id, std::string_view user, uint64_t seq) const {
        tell(method::read_conversation, id, user, seq);
    }
    /// Error(refused) with code invalid_phone_number (all are bad), daily_cap, text_too_long or
    /// unsupported_media. What needs a confirmation and has none is answered as `unconfirmed`.
    messaging::BulkInfo start_bulk(const Call& call, const messaging::NewBulk& bulk) const {
        return ask<messaging::BulkInfo>(method::start_bulk, call, bulk);
    }
    /// With `count` results from place `first` on, 200 at most. nullopt: there is none, or it is
    /// somebody else's.
    std::optional<messaging::BulkInfo> find_bulk(std::string_view id, const messaging::Asker& asker,
                                                 uint32_t first = 0, uint32_t count = 0) const {
        return ask<std::optional<messaging::BulkInfo>>(method::find_bulk, id, asker, first, count);
    }
    /// What waits is called off within two seconds. One that has ended stays as it is.
    std::optional<messaging::BulkInfo> stop_bulk(std::string_view id,
                                                 const messaging::Asker& asker) const {
        return ask<std::optional<messaging::BulkInfo>>(method::stop_bulk, id, asker);
    }
    messaging::ChannelState channel_state() const {
        return ask<messaging::ChannelState>(method::channel_state);
    }

    // operations/1: JSON in and out.
    std::string perform(const Call& call, const operations::OperationCall& operation) const {
        return ask<std::string>(method::operation_call, call, operation);
    }
    void queue(const operations::OperationCall& operation) const {
        tell(method::operation_queue, operation);
    }

    // tables/1
    tables::Rows query(const tables::Statement& statement) const {
        return ask<tables::Rows>(method::table_query, statement);
    }
    /// All or nothing. Answers the rows of each step.
    std::vector<tables::Rows> transaction(const std::vector<tables::TableStep>& steps) const {
        return ask<std::vector<tables::Rows>>(method::table_transaction, steps);
    }

    // sockets/1: text is JSON by custom.
    void push(std::string_view topic, std::string_view text) const {
        tell(method::socket_push, topic, text);
    }
    void push_to(std::string_view socket, std::string_view text) const {
        tell(method::socket_push_to, socket, text);
    }
    void close_socket(std::string_view socket, int32_t code, std::string_view reason) const {
        tell(method::socket_close, socket, code, reason);
    }
    uint32_t listeners(std::string_view topic) const {
        return ask<uint32_t>(method::socket_listeners, topic);
    }

    // identity/1
    std::optional<identity::UserInfo> find_user(const identity::UserQuery& query) const {
        return ask<std::optional<identity::UserInfo>>(method::find_user, query);
    }
    std::vector<identity::UserInfo> list_users(const identity::UserQuery& query) const {
        return ask<std::vector<identity::UserInfo>>(method::list_users, query);
    }
    identity::UserInfo save_user(const identity::NewUser& user) const {
        return ask<identity::UserInfo>(method::save_user, user);
    }
    /// Error(unauthorized) for a wrong address or password, Error(rate_limited) for too many tries.
    identity::SignedIn sign_in(const identity::SignIn& sign_in) const {
        return ask<identity::SignedIn>(method::sign_in, sign_in);
    }

private:
    template <class... In>
    std::string exchange(uint32_t number, const In&... in) const {
        const std::string message = wire::pack(in...);
        detail::StringSink answer;
        const int32_t status =
            host_->call(host_->self, number, detail::borrow(message), answer.sink());
        if (status != 0) detail::rethrow(status, answer.text());
        if (answer.too_large()) throw Error(ErrorKind::internal, "the host's answer is too large");
        return answer.text();
    }
    template <class Out, class... In>
    Out ask(uint32_t number, const In&... in) const {
        Out out{};
        wire::unpack(exchange(number, in...), wire::Text::trusted, out);
        return out;
    }
    template <class... In>
    void tell(uint32_t number, const In&... in) const {
        exchange(number, in...);
    }
    // A log line is no reason to fail, and destructors write them.
    template <class... In>
    void tell_quietly(uint32_t number, const In&... in) const {
        try {
            exchange(number, in...);
        } catch (const std::exception&) {
        }
    }

    const pb_host* host_;
};

}  // namespace patchbay
