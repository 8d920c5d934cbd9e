// Values of the hub's larger services: contacts, conversations and messages for all plugins;
// tables, sockets and users for plugins that bring a product of their own.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "values.hpp"

namespace patchbay {

// ---- http-client/1, kv/1 ----
struct HttpOptions {
    /// In all, connecting included. Call::left cuts it further.
    milliseconds timeout{10'000};
    uint32_t retries = 0;     ///< The host backs off and honours Retry-After.
    bool idempotent = false;  ///< Retries need it, unless nothing had left.
    std::string tls_profile{};
    uint32_t max_body_bytes = 1u << 20;
    PATCHBAY_FIELDS { v(1, timeout)(2, retries)(3, idempotent)(4, tls_profile)(5, max_body_bytes); }
};

struct Stored {
    /// Any bytes.
    std::string value{};
    uint64_t version = 0;
    PATCHBAY_FIELDS { v.bytes(1, value)(2, version); }
};

// ---- messaging/1 ----
namespace messaging {
/// Who asks, as Request says it: then only what is theirs to see counts (own departments, own
/// conversations of experts).
struct Asker {
    std::string user{}, role{};
    std::vector<std::string> departments{};
    PATCHBAY_FIELDS { v(1, user)(2, role)(3, departments); }
};

struct ContactInfo {
    std::string id{}, name{}, locale{};
    std::vector<Address> addresses{};
    Labels attributes{};
    bool active = true;
    uint64_t version = 0;
    PATCHBAY_FIELDS {
        v(1, id)(2, name)(3, locale)(4, addresses)(5, attributes)(6, active)(7, version);
    }
};

struct ConversationInfo {
    std::string id{};
    int64_t number = 0;
    std::string channel{}, contact{}, purpose{}, state{}, mode{}, kind{}, department{}, assignee{},
        external_id{};
    std::string friendly_name{}, unique_name{};
    std::string context{};  ///< JSON
    uint64_t last_seq = 0;
    int64_t last_message_ms = 0, last_inbound_ms = 0, created_ms = 0;
    std::string preview{}, last_sender{};
    uint32_t unread = 0;
    uint64_t version = 0;
    std::string contact_name{};
    Address address{};       ///< Whom it reaches.
    bool opted_out = false;  ///< The address wants nothing more. Only with_consent.
    PATCHBAY_FIELDS {
        v(1, id)(2, number)(3, channel)(4, contact)(5, purpose)(6, state)(7, mode)(8, kind);
        v(9, department)(10, assignee)(11, external_id)(12, friendly_name)(13, unique_name);
        v(14, context)(15, last_seq)(16, last_message_ms)(17, last_inbound_ms)(18, created_ms);
        v(19, preview)(20, last_sender)(21, unread)(22, version)(23, contact_name)(24, address);
        v(25, opted_out);
    }
};

/// Finds the open conversation of a contact on a channel for a purpose, or makes it with the rest.
struct NewConversation {
    std::string channel{};
    Address to{};           ///< Whom to reach; the contact is found or made.
    std::string contact{};  ///< Or an existing contact's id.
    std::string purpose{}, mode{}, kind{}, department{}, assignee{}, external_id{}, friendly_name{},
        unique_name{};
    std::string context{}, contact_name{};
    PATCHBAY_FIELDS {
        v(1, channel)(2, to)(3, contact)(4, purpose)(5, mode)(6, kind)(7, department);
        v(8, assignee)(9, external_id)(10, friendly_name)(11, unique_name)(12, context);
        v(13, contact_name);
    }
};

/// What is set is changed, the rest stays.
struct ConversationChange {
    std::string id{};
    std::optional<uint64_t> if_version{};  ///< Error(conflict) when it has another.
    std::optional<std::string> state{}, mode{}, kind{}, department{}, assignee{}, purpose{},
        context{}, friendly_name{};
    PATCHBAY_FIELDS {
        v(1, id)(2, if_version)(3, state)(4, mode)(5, kind)(6, department)(7, assignee);
        v(8, purpose)(9, context)(10, friendly_name);
    }
};

/// Newest first. Empty members do not narrow.
struct ConversationQuery {
    std::string channel{}, contact{}, purpose{}, department{}, assignee{}, external_id{},
        unique_name{}, search{};
    std::vector<std::string> states{};
    int64_t number = 0;
    std::string after{};  ///< Id of the last one of the page before.
    uint32_t limit = 100;
    std::optional<Asker> asker{};
    bool with_consent = false;  ///< Looks up ConversationInfo::opted_out.
    PATCHBAY_FIELDS {
        v(1, channel)(2, contact)(3, purpose)(4, department)(5, assignee)(6, external_id);
        v(7, unique_name)(8, search)(9, states)(10, number)(11, after)(12, limit)(13, asker);
        v(14, with_consent);
    }
};

struct MessageInfo {
    std::string id{};
    int64_t number = 0;
    std::string conversation{}, channel{};
    uint64_t seq = 0;
    std::string direction{};  ///< in, out, note
    std::string sender_type{}, sender_id{}, sender_name{}, kind{}, text{}, reply_to{},
        provider_id{}, code{}, reason{};
    Address peer{};
    std::vector<Media> media{};
    Labels attributes{};
    DeliveryStatus status = DeliveryStatus::none;
    int64_t created_ms = 0, sent_ms = 0;
    std::string own{};  ///< Our address, as the provider prints it.
    int64_t updated_ms = 0;
    int64_t event_ms = 0;  ///< When the provider last told something of it; 0: not yet.
    PATCHBAY_FIELDS {
        v(1, id)(2, number)(3, conversation)(4, channel)(5, seq)(6, direction)(7, sender_type);
        v(8, sender_id)(9, sender_name)(10, kind)(11, text)(12, reply_to)(13, provider_id);
        v(14, code)(15, reason)(16, peer)(17, media)(18, attributes)(19, status);
        v(20, created_ms)(21, sent_ms);
        v(22, own)(23, updated_ms)(24, event_ms);
    }
};

/// To send: either into a conversation, or to an address on a channel.
struct NewMessage {
    std::string conversation{}, channel{};
    Address to{};
    std::string text{}, reply_to{};
    std::vector<Media> media{};
    std::optional<Template> from_template{};
    std::string author{}, author_name{};
    bool note = false;  ///< For staff only: never sent.
    std::string key{};  ///< The same key in one conversation is one message.
    Labels attributes{};
    milliseconds valid_for{0};  ///< 0: the channel's own.
    milliseconds wait{0};       ///< How long to wait for the provider's answer before it returns.
    std::string purpose{};      ///< Where a conversation has to be made.
    Address from{};             ///< One of the channel's own; empty: its default.
    std::string kind{};         ///< text (also when empty), image, video, audio, document, template
    PATCHBAY_FIELDS {
        v(1, conversation)(2, channel)(3, to)(4, text)(5, reply_to)(6, media)(7, from_template);
        v(8, author)(9, author_name)(10, note)(11, key)(12, attributes)(13, valid_for);
        v(14, wait)(15, purpose)(16, from)(17, kind);
    }
};

/// One content to many recipients, in the background.
struct NewBulk {
    std::string channel{};
    std::vector<std::string> to{};  ///< Phones in any form, or "kind:value". Equal ones are one.
    std::string text{}, kind{};
    std::vector<Media> media{};
    std::optional<Template> from_template{};
    Asker asker{};
    bool dry_run = false;              ///< Counts and estimates only.
    std::optional<int64_t> confirm{};  ///< The number of recipients; needed from 1,001 on.
    PATCHBAY_FIELDS {
        v(1, channel)(2, to)(3, text)(4, kind)(5, media)(6, from_template)(7, asker);
        v(8, dry_run)(9, confirm);
    }
};

struct BulkResult {
    std::string to{};  ///< As it is sent, or as it was given where it is no address.
    std::string message{}, provider_id{}, code{}, reason{};
    DeliveryStatus status = DeliveryStatus::none;
    PATCHBAY_FIELDS { v(1, to)(2, message)(3, provider_id)(4, code)(5, reason)(6, status); }
};

struct BulkInfo {
    std::string id{};
    std::string status{};  ///< running, paused, done, stopped; dry_run, unconfirmed: not begun
    uint64_t total = 0, queued = 0, successful = 0, failed = 0, duplicates = 0;
    uint64_t recipients = 0, segments = 0;  ///< Of one that was not begun.
    int64_t started_ms = 0, finished_ms = 0;
    std::vector<BulkResult> results{};  ///< In the order given.
    PATCHBAY_FIELDS {
        v(1, id)(2, status)(3, total)(4, queued)(5, successful)(6, failed)(7, duplicates);
        v(8, recipients)(9, segments)(10, started_ms)(11, finished_ms)(12, results);
    }
};

/// The sends of the instance that asks.
struct ChannelState {
    std::string paused{};  ///< Why they wait for an operator, such as auth_failed; empty: they go.
    bool breaker_open = false;
    /// Grows with every change of a conversation or a message, of any channel: what was read at the
    /// same number still holds.
    uint64_t changes = 0;
    PATCHBAY_FIELDS { v(1, paused)(2, breaker_open)(3, changes); }
};

/// Of one conversation, newest first.
struct MessageQuery {
    std::string conversation{};
    uint64_t before_seq = 0;  ///< 0: from the newest.
    uint32_t limit = 100;
    std::string search{};
    PATCHBAY_FIELDS { v(1, conversation)(2, before_seq)(3, limit)(4, search); }
};
}  // namespace messaging

// ---- operations/1 ----
namespace operations {
struct OperationCall {
    std::string instance{}, name{};
    std::string input{};  ///< JSON
    std::string key{};    ///< Required: the same key has its effect once.
    PATCHBAY_FIELDS { v(1, instance)(2, name)(3, input)(4, key); }
};
}  // namespace operations

// ---- tables/1: the plugin's own tables, whose names begin with the plugin's ----
namespace tables {
/// One value of a row; none of them set is NULL.
struct Cell {
    std::optional<int64_t> integer{};
    std::optional<double> real{};
    std::optional<std::string> text{};
    std::optional<wire::Bytes> blob{};
    PATCHBAY_FIELDS { v(1, integer)(2, real)(3, text)(4, blob); }

    Cell() = default;
    Cell(int64_t value) : integer(value) {}
    Cell(int value) : integer(value) {}
    Cell(double value) : real(value) {}
    Cell(std::string value) : text(std::move(value)) {}
    Cell(const char* value) : text(value) {}
    Cell(std::nullopt_t) {}
    bool is_null() const { return !integer && !real && !text && !blob; }
};

struct Row {
    std::vector<Cell> cells{};
    PATCHBAY_FIELDS { v(1, cells); }
    const Cell& operator[](size_t column) const { return cells.at(column); }
};

struct Rows {
    std::vector<std::string> columns{};
    std::vector<Row> rows{};
    uint64_t changed = 0;
    PATCHBAY_FIELDS { v(1, columns)(2, rows)(3, changed); }
};

/// One step of the plugin's own tables. The plugin class lists them:
///   static std::vector<tables::Migration> migrations();
/// The hub runs what is missing before it makes an instance, each once for all instances, in one
/// transaction. Versions rise; a text that was applied once stays as it is for ever. Tables and
/// indexes are called `<plugin>_...`; `{blob}` is the engine's word for raw bytes.
struct Migration {
    int64_t version = 0;
    std::string name{}, sql{};
    PATCHBAY_FIELDS { v(1, version)(2, name)(3, sql); }
};

/// `$1..$n`, each first used in ascending order; at most one statement.
struct Statement {
    std::string sql{};
    std::vector<Cell> params{};
    /// Error(conflict) and roll back when it changes another number of rows.
    std::optional<uint64_t> expect_changed{};
    PATCHBAY_FIELDS { v(1, sql)(2, params)(3, expect_changed); }
};

/// One step of a transaction: one member is set.
struct TableStep {
    std::optional<Statement> statement{};
    std::optional<messaging::NewMessage> message{};
    std::optional<operations::OperationCall> operation{};
    std::optional<Event> event{};
    std::optional<messaging::ConversationChange> conversation{};
    PATCHBAY_FIELDS { v(1, statement)(2, message)(3, operation)(4, event)(5, conversation); }
};
}  // namespace tables

// ---- identity/1 ----
namespace identity {
struct UserInfo {
    std::string id{};
    int64_t number = 0;
    std::string email{}, name{}, role{};
    std::vector<std::string> departments{};
    bool active = true;
    int64_t created_ms = 0;
    PATCHBAY_FIELDS {
        v(1, id)(2, number)(3, email)(4, name)(5, role)(6, departments)(7, active);
        v(8, created_ms);
    }
};

/// The one that has all that is set.
struct UserQuery {
    std::string id{}, email{}, role{}, department{};
    int64_t number = 0;
    bool active_only = true;
    uint32_t limit = 1000;
    PATCHBAY_FIELDS {
        v(1, id)(2, email)(3, role)(4, department)(5, number)(6, active_only)(7, limit);
    }
};

struct NewUser {
    UserInfo user{};         ///< An empty id: a new one.
    std::string password{};  ///< Empty: unchanged, or none.
    PATCHBAY_FIELDS { v(1, user)(2, password); }
};

struct SignIn {
    std::string email{}, password{}, peer{};
    milliseconds token_for{0};  ///< 0: the hub's own.
    PATCHBAY_FIELDS { v(1, email)(2, password)(3, peer)(4, token_for); }
};

struct SignedIn {
    UserInfo user{};
    std::string token{};
    int64_t expires_ms = 0;
    PATCHBAY_FIELDS { v(1, user)(2, token)(3, expires_ms); }
};
}  // namespace identity

}  // namespace patchbay
