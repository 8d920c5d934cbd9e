#include "realtime/switchboard.hpp"

#include <gmock/gmock.h>

#include "base/json.hpp"
#include "http/reactor.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// A socket whose frames stay in an inbox, where the test reads them.
class Phone {
public:
    WebSocketPtr socket() const { return socket_; }
    /// What was sent since the last call, one text each; a close is "close CODE REASON".
    std::vector<std::string> heard() {
        std::vector<std::string> all;
        for (SocketWork& work : inbox_->take_work()) {
            if (work.close_code != 0) {
                all.push_back("close " + std::to_string(work.close_code) + " " + work.head);
                continue;
            }
            const std::string bytes = work.head + (work.text ? *work.text : "");
            all.push_back(bytes.substr(bytes[1] == 126 ? 4 : bytes[1] == 127 ? 10 : 2));
        }
        return all;
    }
    JsonObject hears() {
        const auto all = heard();
        EXPECT_EQ(all.size(), 1u) << testing::PrintToString(all);
        return all.empty() ? make_object() : parse_json_object(std::string_view(all.back()));
    }

private:
    std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
    WebSocketPtr socket_ = std::make_shared<WebSocket>(inbox_, 1);
};

/// "seq-base:topic" of each event, and the type of what is none.
std::vector<std::string> outline(const std::vector<std::string>& heard, int64_t base) {
    std::vector<std::string> out;
    for (const std::string& text : heard) {
        if (text.starts_with("close")) {
            out.push_back(text);
            continue;
        }
        const JsonObject json = parse_json_object(std::string_view(text));
        const std::string type = *text_at(json, "type");
        if (type != "event") {
            out.push_back(type);
            continue;
        }
        out.push_back(std::to_string(*int_at(json, "prev") - base) + ">" +
                      std::to_string(*int_at(json, "seq") - base) + " " + *text_at(json, "topic"));
    }
    return out;
}

class SwitchboardTest : public testing::Test {
protected:
    static Caller somebody(const std::string& id, const std::string& role,
                           std::vector<std::string> departments = {}) {
        Caller who;
        who.kind = "user";
        who.id = id;
        who.role = role;
        who.departments = std::move(departments);
        who.credential = "c-" + id;
        return who;
    }
    /// Signs in and forgets what was said about it; answers the number its events begin behind.
    int64_t connect(Switchboard::LineId id, Phone& phone, const Caller& who) {
        board.open(id, phone.socket());
        board.sign_in(id, who, clock.now_ms());
        const auto heard = phone.heard();
        EXPECT_FALSE(heard.empty());
        return int_at(parse_json_object(std::string_view(heard.front())), "seq").value_or(-1);
    }
    void subscribe(Switchboard::LineId id, std::vector<std::string> topics) {
        board.obey(id, {.kind = Command::Kind::subscribe, .topics = std::move(topics)});
    }
    void resume(Switchboard::LineId id, int64_t since, std::vector<std::string> topics) {
        board.obey(id, {.kind = Command::Kind::resume,
                        .id = "r",
                        .topics = std::move(topics),
                        .since = since});
    }
    void message_in(const std::string& department, int64_t conversation = 31) {
        board.publish(make_event(Topic::conversations, "message.created", clock.now_ms(), "{}",
                                 {.department = department, .kind = "general"}, conversation));
    }

    ManualClock clock;
    Switchboard board{clock,
                      "0.1.0",
                      [](const Viewer& viewer, const std::string& id) {
                          const Audience reception{.department = "Reception", .kind = "general"};
                          const bool sees = viewer.sight.covers(reception.department,
                                                                reception.kind, reception.assignee);
                          return sees && id == "31"
                                     ? std::optional(SeenConversation{"c31", 31, reception})
                                     : std::nullopt;
                      },
                      {}};
    const Caller owner = somebody("o", "owner");
    const Caller agent = somebody("a", "agent", {"Reception"});
};

TEST_F(SwitchboardTest, SaysHelloAndTakesTopics) {
    Phone phone;
    board.open(1, phone.socket());
    board.sign_in(1, agent, clock.now_ms());
    const JsonObject hello = phone.hears();
    EXPECT_EQ(text_at(hello, "type"), "hello");
    EXPECT_EQ(text_at(hello, "user.role"), "agent");
    EXPECT_EQ(text_at(hello, "server"), "0.1.0");
    board.obey(1, {.kind = Command::Kind::subscribe,
                   .id = "a1",
                   .topics = {"conversations", "conversation:31", "conversation:32", "deliveries",
                              "plugins", "presence", "conversation:\"", "weather"}});
    const JsonObject answer = phone.hears();
    EXPECT_EQ(to_json(value_at(answer, "topics")),
              R"(["conversations","conversation:31","deliveries","presence"])");
    EXPECT_EQ(to_json(value_at(answer, "refused")),
              R"([{"topic":"conversation:32","code":"unknown_id"},)"
              R"({"topic":"plugins","code":"forbidden"},)"
              R"({"topic":"conversation:\"","code":"unknown_topic"},)"
              R"({"topic":"weather","code":"unknown_topic"}])");
}

TEST_F(SwitchboardTest, TakesAtMost200Topics) {
    Switchboard many(clock, "",
                     [](const Viewer&, const std::string& id) {
                         return SeenConversation{id, std::stoi(id), {}};
                     },
                     {});
    Phone phone;
    many.open(1, phone.socket());
    many.sign_in(1, owner, clock.now_ms());
    std::vector<std::string> topics;
    for (int i = 1; i <= 201; ++i) topics.push_back("conversation:" + std::to_string(i));
    phone.heard();
    many.obey(1, {.kind = Command::Kind::subscribe, .topics = topics});
    EXPECT_EQ(to_json(value_at(phone.hears(), "refused")),
              R"([{"topic":"conversation:201","code":"too_many_topics"}])");
}

TEST_F(SwitchboardTest, G20NumbersEachUsersEventsOverAllSockets) {
    Phone everything, one, reception;
    const int64_t base = connect(1, everything, owner);
    connect(2, one, owner);
    const int64_t agents = connect(3, reception, agent);
    everything.heard();
    subscribe(1, {"conversations"});
    subscribe(2, {"conversation:31", "conversations"});
    board.obey(2, {.kind = Command::Kind::unsubscribe, .topics = {"conversations"}});
    subscribe(3, {"conversations"});
    everything.heard(), one.heard(), reception.heard();
    const int64_t owners = base + 2;  // Two people came.

    message_in("Management", 32);
    message_in("Reception", 31);
    message_in("Management", 32);
    message_in("Reception", 31);
    EXPECT_THAT(outline(everything.heard(), owners),
                ElementsAre("-2>1 conversations", "1>2 conversations", "2>3 conversations",
                            "3>4 conversations"));
    EXPECT_THAT(outline(one.heard(), owners),
                ElementsAre("-1>2 conversation:31", "2>4 conversation:31"));
    EXPECT_THAT(outline(reception.heard(), agents),
                ElementsAre("0>2 conversations", "2>3 conversations"))
        << "his own coming is the first he may see";
}

TEST_F(SwitchboardTest, F36MissesAndRepeatsNothingWhenItComesBack) {
    Phone first;
    const int64_t base = connect(1, first, agent);
    subscribe(1, {"conversations"});
    message_in("Reception");
    EXPECT_THAT(outline(first.heard(), base), ElementsAre("subscribed", "0>2 conversations"));
    board.closed(1);
    message_in("Reception");
    message_in("Management");
    message_in("Reception", 32);

    Phone second;
    EXPECT_EQ(connect(2, second, agent), base + 4);
    resume(2, base + 2, {"conversations", "conversation:31"});
    message_in("Reception");
    EXPECT_THAT(
        outline(second.heard(), base),
        ElementsAre("2>3 conversation:31", "3>4 conversations", "resumed", "4>5 conversation:31"));
    resume(2, base + 4, {});
    EXPECT_THAT(outline(second.heard(), base), ElementsAre("4>5 conversation:31", "resumed"));
}

TEST_F(SwitchboardTest, G20SaysWhenItIsTooLateToResume) {
    Phone phone;
    const int64_t base = connect(1, phone, agent);
    for (int i = 0; i < 10'001; ++i) message_in("Reception");
    const int64_t now = base + 10'002;  // And his own coming.
    resume(1, now - 10'001, {"conversations"});
    JsonObject answer = phone.hears();
    EXPECT_EQ(text_at(answer, "type"), "resync");
    EXPECT_EQ(text_at(answer, "id"), "r");
    EXPECT_EQ(text_at(answer, "reason"), "too_old");
    EXPECT_EQ(int_at(answer, "seq"), now);
    message_in("Reception");
    EXPECT_THAT(outline(phone.heard(), now), ElementsAre("0>1 conversations"))
        << "it goes on from there";
    resume(1, now + 2, {});
    EXPECT_EQ(text_at(phone.hears(), "type"), "resync") << "a number that nobody has had";

    clock.advance(1h + 1ms);
    message_in("Reception");
    phone.heard();
    resume(1, now, {});
    EXPECT_EQ(text_at(phone.hears(), "type"), "resync") << "older than an hour";
    resume(1, now + 1, {});
    EXPECT_THAT(outline(phone.heard(), now), ElementsAre("1>2 conversations", "resumed"));
}

TEST_F(SwitchboardTest, G20NumbersOfAnEarlierLifeAreNotThisOnes) {
    Phone first, second;
    const int64_t base = connect(1, first, agent);
    message_in("Reception");
    board.closed(1);
    clock.advance(1h + 1s);
    board.look_at_clock();
    EXPECT_TRUE(board.is_idle());
    EXPECT_GT(connect(2, second, agent), base + 2);
    resume(2, base + 1, {"conversations"});
    EXPECT_EQ(outline(second.heard(), 0).back(), "resync");
}

TEST_F(SwitchboardTest, S69AnotherRoleBeginsAnew) {
    Phone before, after;
    const int64_t base = connect(1, before, agent);
    message_in("Reception");
    EXPECT_GT(connect(2, after, somebody("a", "agent", {"Reception", "Management"})), base + 2);
    EXPECT_THAT(before.heard(), ElementsAre("close 4403 your role or departments have changed"));
    resume(2, base + 1, {"conversations"});
    EXPECT_EQ(outline(after.heard(), 0).back(), "resync") << "the old numbers counted other events";
}

TEST_F(SwitchboardTest, S67ClosesWhoDoesNotSignInOrWhoseTokenEnds) {
    Phone stranger, guest;
    board.open(1, stranger.socket());
    Caller who = agent;
    who.expires_at = clock.now_ms() + 60'000;
    connect(2, guest, who);
    clock.advance(4'999ms);
    board.look_at_clock();
    EXPECT_THAT(stranger.heard(), IsEmpty());
    clock.advance(1ms);
    board.look_at_clock();
    EXPECT_THAT(stranger.heard(), ElementsAre("close 4401 nobody signed in"));
    EXPECT_THAT(guest.heard(), IsEmpty());
    clock.advance(55s);
    board.look_at_clock();
    EXPECT_THAT(guest.heard(), ElementsAre("close 4401 the token has expired"));
    EXPECT_FALSE(board.is_open(1));
    EXPECT_FALSE(board.is_open(2));
}

TEST_F(SwitchboardTest, S65HangsUpOnWhatACredentialOpened) {
    Phone kept, ended, others;
    connect(1, kept, agent);
    Caller elsewhere = agent;
    elsewhere.credential = "c-other";
    connect(2, ended, elsewhere);
    connect(3, others, owner);
    board.end_user("a", "c-other", 4401, "signed out");
    EXPECT_THAT(ended.heard(), ElementsAre("close 4401 signed out"));
    EXPECT_THAT(kept.heard(), IsEmpty());
    board.end_user("a", "", 4401, "disabled");
    EXPECT_THAT(kept.heard(), ElementsAre("close 4401 disabled"));
    EXPECT_THAT(others.heard(), IsEmpty());
}

TEST_F(SwitchboardTest, S65LetsNobodyInWhoseSignInEndedMeanwhile) {
    const TimeMs looked_up = clock.now_ms();
    clock.advance(1ms);
    board.end_user("a", agent.credential, 4401, "signed out");
    Phone late, other, later;
    board.open(1, late.socket());
    board.sign_in(1, agent, looked_up);
    EXPECT_THAT(late.heard(), ElementsAre("close 1013 your access has just changed"));
    Caller elsewhere = agent;
    elsewhere.credential = "c-other";
    board.open(2, other.socket());
    board.sign_in(2, elsewhere, looked_up);
    EXPECT_EQ(outline(other.heard(), 0).front(), "hello");
    clock.advance(1ms);
    connect(3, later, agent);
    EXPECT_TRUE(board.has_signed_in(3)) << "looked up afterwards";
}

TEST_F(SwitchboardTest, TellsPresenceOnceAndNotForAShortAbsence) {
    Phone watching, phone, again;
    connect(1, watching, owner);
    subscribe(1, {"presence"});
    watching.heard();
    connect(2, phone, agent);
    JsonObject event = watching.hears();
    EXPECT_EQ(to_json(value_at(event, "data")), R"({"user_id":"a","online":true})");
    board.closed(2);
    clock.advance(4s);
    board.look_at_clock();
    connect(3, again, agent);
    clock.advance(10s);
    board.look_at_clock();
    EXPECT_THAT(watching.heard(), IsEmpty());
    board.closed(3);
    clock.advance(6s);
    board.look_at_clock();
    EXPECT_EQ(to_json(value_at(watching.hears(), "data")), R"({"user_id":"a","online":false})");
}

TEST_F(SwitchboardTest, TellsWhoIsTyping) {
    Phone watching, phone, deaf;
    connect(1, watching, owner);
    connect(2, phone, agent);
    connect(3, deaf, somebody("v", "viewer", {"Reception"}));
    subscribe(1, {"conversations"});
    watching.heard();
    const Command typing{.kind = Command::Kind::typing, .conversation = "31", .is_typing = true};
    board.obey(2, typing);
    const JsonObject event = watching.hears();
    EXPECT_EQ(text_at(event, "event"), "typing");
    EXPECT_EQ(to_json(value_at(event, "data")),
              R"({"conversation_id":"c31","user_id":"a","is_typing":true})");
    const auto code_of = [&](Switchboard::LineId id, const Command& command) {
        try {
            board.obey(id, command);
        } catch (const CommandRefused& refused) {
            return refused.code;
        }
        return std::string();
    };
    EXPECT_EQ(code_of(3, typing), "forbidden");
    EXPECT_EQ(code_of(2, {.kind = Command::Kind::typing, .conversation = "32"}), "unknown_id");
    EXPECT_EQ(code_of(2, {.kind = Command::Kind::auth, .token = "t"}), "already_signed_in");
}

TEST_F(SwitchboardTest, G20HangsUpOnAllWhenEventsWereLost) {
    Phone phone, again;
    const int64_t base = connect(1, phone, agent);
    message_in("Reception");
    board.lose_all("events were lost");
    EXPECT_THAT(phone.heard(), ElementsAre("close 1013 events were lost"));
    EXPECT_GT(connect(2, again, agent), base + 2);
    resume(2, base + 1, {"conversations"});
    EXPECT_EQ(outline(again.heard(), 0).back(), "resync");
}

}  // namespace
}  // namespace patchbay
