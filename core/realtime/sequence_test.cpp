#include "realtime/sequence.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

Viewer agent_of(const std::string& department) {
    Caller caller;
    caller.kind = "user";
    caller.id = "u";
    caller.role = "agent";
    caller.departments = {department};
    return Viewer(std::move(caller));
}

LiveEvent event_in(const std::string& department, TimeMs at = 1000) {
    return make_event(Topic::conversations, "message.created", at, "{}",
                      {.department = department, .kind = "general"});
}

class SequenceTest : public testing::Test {
protected:
    EventLog log{{.age = std::chrono::seconds{60}, .bytes = 1 << 20}};
    const Viewer reception = agent_of("Reception");
};

TEST_F(SequenceTest, G20CountsWhatTheViewerMaySee) {
    Sequence sequence(40, log.end());
    log.append(event_in("Reception"));
    log.append(event_in("Management"));
    log.append(event_in("Reception"));
    EXPECT_EQ(sequence.follow(log, reception), 2);
    EXPECT_EQ(sequence.now(), 42);
    EXPECT_EQ(sequence.follow(log, reception), 0);
    Sequence other(7, 0);
    EXPECT_EQ(other.follow(log, agent_of("Management")), 1);
    EXPECT_EQ(other.now(), 8);
}

TEST_F(SequenceTest, G20FindsWhereOneGoesOn) {
    Sequence sequence(40, log.end());
    for (const char* department : {"Management", "Reception", "Management", "Reception"})
        log.append(event_in(department));
    sequence.follow(log, reception);
    const auto behind = [&](int64_t since) { return sequence.find(log, reception, since, 10); };
    EXPECT_EQ(behind(42), 4u);
    EXPECT_EQ(behind(41), 3u);
    EXPECT_EQ(behind(40), 1u);
    EXPECT_EQ(behind(39), std::nullopt) << "before it began to count";
    EXPECT_EQ(behind(43), std::nullopt) << "not yet";
    EXPECT_EQ(sequence.find(log, reception, 40, 1), std::nullopt) << "more than may be resumed";
}

TEST_F(SequenceTest, G20KnowsWhatTheLogHasForgotten) {
    Sequence here(0, log.end()), away(0, log.end());
    log.append(event_in("Reception", 1000));
    here.follow(log, reception);
    log.append(event_in("Reception", 2000));
    here.follow(log, reception);
    log.append(event_in("Reception", 61'500));
    here.follow(log, reception);
    EXPECT_EQ(log.begin(), 1u);
    EXPECT_EQ(here.now(), 3);
    EXPECT_EQ(here.find(log, reception, 1, 10), 1u);
    EXPECT_EQ(here.find(log, reception, 0, 10), std::nullopt);
    EXPECT_EQ(away.follow(log, reception), std::nullopt);
}

TEST(EventLog, G20IsBoundedByBytesAndAge) {
    EventLog log({.age = std::chrono::hours{1}, .bytes = 100'000});
    const std::string data = "\"" + std::string(1000, 'x') + "\"";
    for (int i = 0; i < 1000; ++i)
        log.append(make_event(Topic::plugins, "plugin.changed", 1000 + i, data, {}));
    EXPECT_LE(log.bytes(), 100'000u);
    EXPECT_EQ(log.end(), 1000u);
    EXPECT_GT(log.end() - log.begin(), 50u);
    log.forget_old(2000 + 3'600'000);
    EXPECT_EQ(log.begin(), log.end());
    EXPECT_EQ(log.bytes(), 0u);
    log.append(make_event(Topic::plugins, "plugin.changed", 1000, std::string(200'000, '1'), {}));
    EXPECT_EQ(log.end() - log.begin(), 1u) << "the newest stays, however large it is";
}

const struct {
    const char* name;
    const char* role;
    std::vector<std::string> departments;
    Topic topic;
    Audience audience;
    bool sees;
} sight_cases[] = {
    {"an owner, any department",
     "owner",
     {},
     Topic::conversations,
     {.department = "Reception"},
     true},
    {"an agent, his own",
     "agent",
     {"Reception"},
     Topic::conversations,
     {.department = "Reception"},
     true},
    {"an agent, another",
     "agent",
     {"Reception"},
     Topic::conversations,
     {.department = "Management"},
     false},
    {"an agent, none", "agent", {"Reception"}, Topic::conversations, {.kind = "general"}, true},
    {"an agent, a demo", "agent", {"Reception"}, Topic::conversations, {.kind = "demo"}, false},
    {"an expert, his own", "expert", {}, Topic::conversations, {.assignee = "me"}, true},
    {"an expert, another's", "expert", {}, Topic::conversations, {.assignee = "you"}, false},
    {"a viewer, deliveries",
     "viewer",
     {"Reception"},
     Topic::deliveries,
     {.department = "Reception"},
     false},
    {"an agent, deliveries",
     "agent",
     {"Reception"},
     Topic::deliveries,
     {.department = "Reception"},
     true},
    {"an agent, another's deliveries",
     "agent",
     {"Reception"},
     Topic::deliveries,
     {.department = "Management"},
     false},
    {"an admin, plugins", "admin", {}, Topic::plugins, {}, true},
    {"an agent, plugins", "agent", {"Reception"}, Topic::plugins, {}, false},
    {"an API key", "api", {}, Topic::conversations, {.department = "Reception"}, false},
    {"a colleague",
     "agent",
     {"Reception"},
     Topic::presence,
     {.user = "you", .role = "agent", .departments = {"Café", "Reception"}},
     true},
    {"somebody of another department",
     "agent",
     {"Reception"},
     Topic::presence,
     {.user = "you", .role = "agent", .departments = {"Café"}},
     false},
    {"himself", "expert", {}, Topic::presence, {.user = "me", .role = "expert"}, true},
    {"the owner's presence",
     "viewer",
     {"Café"},
     Topic::presence,
     {.user = "you", .role = "owner"},
     true},
};

TEST(LiveEvents, S69AreSeenByRoleAndDepartment) {
    for (const auto& [name, role, departments, topic, audience, sees] : sight_cases) {
        SCOPED_TRACE(name);
        Caller caller;
        caller.kind = "user";
        caller.id = "me";
        caller.role = role;
        caller.departments = departments;
        EXPECT_EQ(may_see(Viewer(caller), make_event(topic, "x", 0, "{}", audience)), sees);
    }
}

}  // namespace
}  // namespace patchbay
