// What is told to those who listen, and who may hear it (S69).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "http/exchange.hpp"
#include "identity/access.hpp"

namespace patchbay {

enum class Topic : uint8_t { conversations, deliveries, plugins, presence };
inline constexpr Topic all_topics[] = {Topic::conversations, Topic::deliveries, Topic::plugins,
                                       Topic::presence};
std::string_view word(Topic topic);
/// nullopt for a word that is no topic, "conversation:31" included.
std::optional<Topic> find_topic(std::string_view word);

/// Whom an event is about: that decides who may see it.
struct Audience {
    /// Of a conversation, or of the conversation that a delivery belongs to.
    std::optional<std::string> department{}, assignee{};
    std::string kind{};
    /// Of a user, for presence.
    std::string user{}, role{};
    std::vector<std::string> departments{};
};

/// One event, encoded once for all sockets: `text` is what stands behind the topic in the frame,
/// the closing brace included.
struct LiveEvent {
    Topic topic;
    int64_t conversation = 0;  ///< Number of the conversation it is about; 0: none.
    Audience audience;
    TimeMs at = 0;
    SharedText text;
};

/// `data` is the event's data as JSON text.
LiveEvent make_event(Topic topic, std::string_view name, TimeMs at, std::string_view data,
                     Audience audience, int64_t conversation = 0);

/// Somebody who listens.
struct Viewer {
    explicit Viewer(Caller who) : caller(std::move(who)), sight(sight_of(caller)) {}
    Caller caller;
    Sight sight;
    /// Role and departments are the same, so both see the same events.
    bool sees_as(const Viewer& other) const {
        return caller.role == other.caller.role && caller.departments == other.caller.departments;
    }
};

/// Whether the role may have the topic at all.
bool may_have(const Caller& caller, Topic topic);
bool may_see(const Viewer& viewer, const LiveEvent& event);

}  // namespace patchbay
