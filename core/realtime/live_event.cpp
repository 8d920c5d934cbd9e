#include "realtime/live_event.hpp"

#include <algorithm>

#include "base/time_text.hpp"

namespace patchbay {
namespace {

bool is_one_of(const std::string& role, std::initializer_list<std::string_view> roles) {
    return std::find(roles.begin(), roles.end(), role) != roles.end();
}

bool share_one(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    return std::any_of(a.begin(), a.end(), [&](const std::string& department) {
        return std::find(b.begin(), b.end(), department) != b.end();
    });
}

// Owners and admins belong to every department. Others are known to their departments only.
bool may_see_presence(const Viewer& viewer, const Audience& of) {
    return viewer.sight.all || is_one_of(of.role, {"owner", "admin"}) ||
           viewer.caller.id == of.user || share_one(viewer.caller.departments, of.departments);
}

}  // namespace

std::string_view word(Topic topic) {
    switch (topic) {
        case Topic::conversations:
            return "conversations";
        case Topic::deliveries:
            return "deliveries";
        case Topic::plugins:
            return "plugins";
        case Topic::presence:
            return "presence";
    }
    return "";
}

std::optional<Topic> find_topic(std::string_view wanted) {
    for (const Topic topic : all_topics)
        if (wanted == word(topic)) return topic;
    return std::nullopt;
}

LiveEvent make_event(Topic topic, std::string_view name, TimeMs at, std::string_view data,
                     Audience audience, int64_t conversation) {
    std::string text = R"(,"event":")";
    text.append(name).append(R"(","at":")").append(rfc3339_ms(at)).append(R"(","data":)");
    text.append(data).append("}");
    return {topic, conversation, std::move(audience), at,
            std::make_shared<const std::string>(std::move(text))};
}

bool may_have(const Caller& caller, Topic topic) {
    switch (topic) {
        case Topic::conversations:
        case Topic::presence:
            return is_one_of(caller.role, {"owner", "admin", "expert", "agent", "viewer"});
        case Topic::deliveries:
            return is_one_of(caller.role, {"owner", "admin", "agent"});
        case Topic::plugins:
            return is_one_of(caller.role, {"owner", "admin"});
    }
    return false;
}

bool may_see(const Viewer& viewer, const LiveEvent& event) {
    if (!may_have(viewer.caller, event.topic)) return false;
    switch (event.topic) {
        case Topic::conversations:
        case Topic::deliveries:
            return viewer.sight.covers(event.audience.department, event.audience.kind,
                                       event.audience.assignee);
        case Topic::plugins:
            return true;
        case Topic::presence:
            return may_see_presence(viewer, event.audience);
    }
    return false;
}

}  // namespace patchbay
