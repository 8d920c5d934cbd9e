// Appending to a conversation. Callers that also enqueue a job lock the lane first (data-model.md,
// lock order).
#pragma once
#include <optional>
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

#include "messaging/mint.hpp"

namespace patchbay {

struct NewMessage {
    std::string id;  ///< Empty: one is made.
    std::string conversation_id, channel;
    std::string direction;    ///< in, out, note
    std::string sender_type;  ///< guest, staff, bot, system
    std::optional<std::string> sender_id;
    std::string sender_name;
    std::string peer, own;  ///< The other side's address and ours, as the provider prints them.
    std::string kind = "text";
    std::string body;
    std::optional<std::string> template_json;
    std::string attributes = "{}";  ///< JSON, at most 16 KiB
    std::optional<std::string> reply_to, provider_id, client_ref;
    std::string status;  ///< a word of status.hpp
    std::optional<TimeMs> valid_until;
    std::optional<std::string> resend_of;
    std::vector<Media> media;
    TimeMs event_at = 0;  ///< When it happened, by the provider; 0: now.
};

/// Of a message that a forced replay made, and of what answered it: the replay's id (G24).
inline constexpr const char* forced_replay_attribute = "forced_replay";

struct StoredMessage {
    std::string id;
    int64_t number = 0;
    int64_t seq = 0;
    std::string conversation_state, mode;
    int64_t conversation_version = 0;
};

/// Gives it the next `seq` of its conversation and stores it with its media. Throws
/// StoreError(constraint) when (channel, provider_id) is there already, and std::logic_error when
/// the conversation does not exist.
StoredMessage append_message(Transaction& tx, Mint& mint, const NewMessage& message, TimeMs now);

/// The first `count` characters (code points) of UTF-8 text.
std::string first_characters(std::string_view text, size_t count);

}  // namespace patchbay
