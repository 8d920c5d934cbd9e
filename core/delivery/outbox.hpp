// Queues messages to be sent: the message, its place in the conversation and its job, in the
// caller's transaction.
#pragma once
#include <chrono>
#include <optional>
#include <patchbay/sdk.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "messaging/messages.hpp"
#include "messaging/mint.hpp"

namespace patchbay {

inline constexpr std::chrono::hours chat_validity{24};

/// What the channel can carry; from Capabilities, or left as it is where they are not known.
struct SendLimits {
    size_t text_chars = 4096;
    size_t media = 10;
    bool templates = true;
    std::chrono::milliseconds session_window{0};  ///< 0: none
    static SendLimits of(const Capabilities& capabilities);
};

struct Draft {
    std::string channel;          ///< Instance; taken from the conversation when that is given.
    std::string conversation_id;  ///< Empty: the live conversation with `to` on the channel is
                                  ///< found or made.
    Address to;                   ///< Empty: the conversation's.
    std::string from;             ///< One of the channel's own numbers; empty: its default.
    std::string sender_type = "staff";  ///< staff, bot, system
    std::optional<std::string> sender_id;
    std::string sender_name;
    std::string kind = "text";
    std::string text;
    std::vector<Media> media;
    std::optional<Template> from_template;
    std::string attributes =
        "{}";  ///< JSON object; text members reach the plugin as OutboundMessage::extra.
    std::optional<std::string> reply_to;  ///< Id of one of our messages.
    std::optional<std::string>
        client_ref;  ///< The same ref in the same conversation is the same message.
    std::optional<std::string> resend_of;
    std::string ukey;  ///< Of the job; empty: "send:<message id>".
    std::string trace;
    std::optional<std::chrono::milliseconds> validity;  ///< Default 24 h.
    int64_t priority = 5;
    SendLimits limits;
    bool limit_repeats = false;  ///< Sends that people and programs ask for: five equal texts to
                                 ///< one address in 60 s.
    // For a conversation that has to be made.
    std::string purpose, mode = "relay", conversation_kind = "general";
    std::optional<std::string> department;
    bool reopen = false;  ///< Or rather the contact's closed one.
};

struct QueuedMessage {
    std::string message_id, conversation_id, channel;
    int64_t number = 0, seq = 0, job_id = 0;
    bool conversation_created = false;
    bool repeated = false;  ///< client_ref was there already: this is the earlier message, nothing
                            ///< was stored.
};

/// Refused by the hub before any call; the transaction is to be rolled back by letting it pass.
/// `code`: recipient_opted_out, window_closed, text_too_long, unsupported_media,
/// conversation_closed, not_found.
struct SendRefused : std::runtime_error {
    SendRefused(std::string code_, const std::string& text)
        : std::runtime_error(text), code(std::move(code_)) {}
    std::string code;
};

/// What can be said of a draft before anything is looked up or made. Throws SendRefused.
void require_fitting(const Draft& draft);

/// Throws SendRefused. After the commit call Delivery::wake(channel).
QueuedMessage queue_message(Transaction& tx, Mint& mint, const Draft& draft, TimeMs now);

/// A message that has not left, or whose outcome is unknown: cancelled, with its job. False: too
/// late, or no such message.
bool cancel_message(Transaction& tx, const std::string& message_id, TimeMs now);

}  // namespace patchbay
