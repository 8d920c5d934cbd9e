// What a client of /ws says, and what it is answered (api-shapes section 11).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.hpp"

namespace patchbay {

struct Command {
    enum class Kind { auth, subscribe, unsubscribe, resume, typing, ping };
    Kind kind = Kind::ping;
    std::optional<std::string> id{};  ///< Comes back in the answer.
    std::vector<std::string> topics{};
    int64_t since = 0;
    std::string token{};
    std::string conversation{};  ///< Id or number.
    bool is_typing = false;
};

/// The command is not done; the socket stays.
struct CommandRefused {
    std::optional<std::string> id;
    std::string code, message;
};

/// Throws CommandRefused invalid_json, unknown_command, missing_field, invalid_field,
/// unknown_field.
Command parse_command(const std::string& text);

struct RefusedTopic {
    std::string topic, code;
};

/// The texts that are sent.
namespace frames {

std::string hello(const Caller& caller, int64_t seq, const std::string& version);
std::string subscribed(const std::optional<std::string>& id, const std::vector<std::string>& topics,
                       const std::vector<RefusedTopic>& refused, int64_t seq);
std::string unsubscribed(const std::optional<std::string>& id,
                         const std::vector<std::string>& topics);
/// `refused` is left out where nothing was.
std::string resumed(const std::optional<std::string>& id, const std::vector<RefusedTopic>& refused,
                    int64_t seq);
std::string resync(const std::optional<std::string>& id, const std::string& reason, int64_t seq);
std::string pong(const std::optional<std::string>& id);
std::string error(const CommandRefused& refused);
/// What comes before LiveEvent::text.
std::string event(int64_t seq, int64_t prev, std::string_view topic);

}  // namespace frames
}  // namespace patchbay
