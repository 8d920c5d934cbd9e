// Lists and single objects: shapes, pages, filters, and who may see them.
#include "api/test_api.hpp"

#include "api/statements.hpp"
#include "store/plan.hpp"

namespace patchbay {
namespace {

class Reading : public ApiTest {
protected:
    std::string owner_ = token_for("owner");
};

TEST_F(Reading, ShowsAConversationAsTheApiPrintsIt) {
    const std::string id = talk({.number = "+15558675310"});
    const Answer one = get("/api/v1/conversations/" + id, owner_);
    ASSERT_EQ(one.status(), 200);
    std::vector<std::string> keys;
    one.json->getNames(keys);
    EXPECT_EQ(keys, (std::vector<std::string>{"id", "number", "contact", "channel", "state", "mode",
                                              "kind", "department", "assignee", "external",
                                              "last_message", "unread", "window", "version",
                                              "created_at", "updated_at"}));
    EXPECT_EQ(one.text("contact.name"), "Ann Lee");
    EXPECT_EQ(one.text("contact.address.value"), "+15558675310");
    EXPECT_EQ(one.text("last_message.text"), "Hello");
    EXPECT_EQ(one.text("last_message.direction"), "in");
    EXPECT_EQ(one.text("unread"), "1");
    EXPECT_EQ(one.text("department"), "");
    EXPECT_EQ(get("/api/v1/conversations/" + one.text("number"), owner_).text("id"), id);
    EXPECT_EQ(get("/api/v1/conversations/phone:+15558675310", owner_).text("id"), id);
}

TEST_F(Reading, ShowsAMessageAsTheApiPrintsIt) {
    talk({.number = "+15558675310"});
    const Answer list = get("/api/v1/messages", owner_);
    std::vector<std::string> keys;
    value_at(list.json, "items.0").extract<JsonObject>()->getNames(keys);
    EXPECT_EQ(keys,
              (std::vector<std::string>{"id", "number", "conversation_id", "channel", "direction",
                                        "sender", "kind", "text", "media", "provider_id", "status",
                                        "error", "attributes", "created_at", "updated_at"}));
    EXPECT_EQ(list.text("items.0.status"), "received");
}

TEST_F(Reading, GoesThroughPagesWithoutGapOrRepeat) {
    std::vector<std::string> expected;
    for (int i = 0; i < 7; ++i) {
        expected.insert(expected.begin(), talk({.number = "+1555867531" + std::to_string(i)}));
    }
    for (const std::string& list :
         {std::string("conversations"), std::string("messages"), std::string("contacts")}) {
        SCOPED_TRACE(list);
        std::vector<std::string> seen;
        std::string cursor;
        for (int page = 0; page < 4; ++page) {
            const Answer answer =
                get("/api/v1/" + list + "?limit=3" + (cursor.empty() ? "" : "&cursor=" + cursor),
                    owner_);
            ASSERT_EQ(answer.status(), 200) << answer.response.body;
            for (size_t i = 0; i < answer.count("items"); ++i) {
                seen.push_back(answer.text("items." + std::to_string(i) + ".id"));
            }
            cursor = answer.text("next");
            if (cursor.empty()) break;
        }
        EXPECT_EQ(seen.size(), 7u);
        EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 7u);
        if (list == "conversations") {
            EXPECT_EQ(seen, expected);
        }
    }
}

TEST_F(Reading, FiltersLists) {
    talk({.number = "+15558675310", .department = "Reception"}, "towels please");
    talk({.number = "+15558675311", .department = "Housekeeping", .channel = "whatsapp"});
    const auto count = [&](const std::string& target) {
        const Answer answer = get("/api/v1/" + target, owner_);
        EXPECT_EQ(answer.status(), 200) << target << " " << answer.response.body;
        return answer.count("items");
    };
    EXPECT_EQ(count("conversations"), 2u);
    EXPECT_EQ(count("conversations?department=reception"), 1u);
    EXPECT_EQ(count("conversations?channel=whatsapp"), 1u);
    EXPECT_EQ(count("conversations?state=closed"), 0u);
    EXPECT_EQ(count("conversations?q=TOWELS"), 1u);
    EXPECT_EQ(count("conversations?since=2100-01-01T00:00:00Z"), 0u);
    EXPECT_EQ(count("messages?contact=%2B15558675310"), 1u);
    EXPECT_EQ(count("messages?contact=nobody"), 0u);
    EXPECT_EQ(count("messages?direction=out"), 0u);
    EXPECT_EQ(count("messages?channel=whatsapp&status=received"), 1u);
    EXPECT_EQ(count("contacts?address=%2B15558675311"), 1u);
    EXPECT_EQ(count("contacts?q=lee"), 2u);
    EXPECT_EQ(count("contacts?q=5311"), 1u);
    EXPECT_EQ(count("ingress"), 0u);
    EXPECT_EQ(count("events"), 0u);
}

TEST_F(Reading, RefusesQueriesItDoesNotKnow) {
    struct Case {
        std::string target;
        std::string code;
    };
    const Case cases[] = {
        {"conversations?colour=red", "unknown_parameter"},
        {"messages?limit=0", "invalid_field"},
        {"messages?limit=201", "invalid_field"},
        {"messages?limit=2&limit=3", "duplicate_parameter"},
        {"messages?since=yesterday", "invalid_field"},
        {"messages?cursor=nonsense", "invalid_cursor"},

    };
    talk({.number = "+15558675310"});
    talk({.number = "+15558675311"});
    for (const auto& [target, code] : cases) {
        SCOPED_TRACE(target);
        const Answer answer = get("/api/v1/" + target, owner_);
        EXPECT_EQ(answer.status(), 400) << answer.response.body;
        EXPECT_EQ(answer.text("code"), code);
    }
    const std::string foreign = get("/api/v1/messages?limit=1", owner_).text("next");
    ASSERT_FALSE(foreign.empty());
    EXPECT_EQ(get("/api/v1/conversations?cursor=" + foreign, owner_).text("code"),
              "invalid_cursor");
    EXPECT_EQ(get("/api/v1/conversations?department=moon", owner_).text("code"),
              "unknown_department");
}

TEST_F(Reading, ShowsEachRoleOnlyItsOwnS69) {
    const std::string ours = talk({.number = "+15558675310", .department = "Reception"});
    const std::string theirs = talk({.number = "+15558675311", .department = "Housekeeping"});
    const std::string nobodys = talk({.number = "+15558675312"});
    const std::string demo = talk({.number = "+15558675313", .department = {}, .kind = "demo"});
    const std::string agent = token_for("agent", {"Reception"});
    EXPECT_EQ(get("/api/v1/conversations", owner_).count("items"), 4u);
    const Answer list = get("/api/v1/conversations", agent);
    ASSERT_EQ(list.count("items"), 2u);
    EXPECT_EQ(list.text("items.0.id"), nobodys);
    EXPECT_EQ(list.text("items.1.id"), ours);
    for (const std::string& foreign : {theirs, demo, std::string("abc"), std::string("99999999")}) {
        const Answer answer = get("/api/v1/conversations/" + foreign, agent);
        EXPECT_EQ(answer.status(), 404) << foreign;
        EXPECT_EQ(answer.text("code"), "unknown_id");
        EXPECT_EQ(answer.text("detail"), "There is no such conversation.");
        EXPECT_EQ(get("/api/v1/conversations/" + foreign + "/messages", agent).status(), 404);
    }
    EXPECT_EQ(get("/api/v1/messages", agent).count("items"), 2u);
    EXPECT_EQ(get("/api/v1/contacts", agent).count("items"), 2u);
    EXPECT_EQ(get("/api/v1/conversations?department=housekeeping", agent).count("items"), 0u);
    EXPECT_EQ(get("/api/v1/conversations", token_for("expert")).count("items"), 0u);
    EXPECT_EQ(get("/api/v1/conversations/" + demo, token_for("agent", {"Management"})).status(),
              200);
}

TEST_F(Reading, LetsOnlyTheRolesOfTheMatrixIn) {
    struct Case {
        std::string target;
        std::vector<std::string> admitted;
    };
    const Case cases[] = {
        {"conversations", {"owner", "admin", "expert", "agent", "viewer"}},
        {"messages", {"owner", "admin", "expert", "agent", "viewer"}},
        {"contacts", {"owner", "admin", "expert", "agent", "viewer"}},
        {"channels", {"owner", "admin", "expert", "agent", "viewer"}},
        {"plugins", {"owner", "admin"}},
        {"ingress", {"owner", "admin"}},
        {"events", {"owner", "admin"}},
        {"config", {"owner", "admin"}},
        {"flows", {"owner", "admin", "expert", "agent", "viewer"}},
        {"templates", {"owner", "admin", "expert", "agent", "viewer"}},
        {"deliveries", {"owner", "admin", "agent", "viewer"}},
        {"users", {"owner", "admin"}},
    };
    for (const char* role : {"owner", "admin", "expert", "agent", "viewer", "api"}) {
        const std::string token = token_for(role);
        for (const auto& [target, admitted] : cases) {
            const bool in = std::find(admitted.begin(), admitted.end(), role) != admitted.end();
            EXPECT_EQ(get("/api/v1/" + target, token).status(), in ? 200 : 403)
                << role << " " << target;
        }
    }
    for (const auto& one : cases) EXPECT_EQ(get("/api/v1/" + one.target, "").status(), 401);
}

TEST_F(Reading, ShowsChannelsAndPluginsWithoutAServer) {
    const Answer channels = get("/api/v1/channels", owner_);
    EXPECT_EQ(channels.text("items.0.name"), "sms");
    EXPECT_EQ(channels.text("items.0.state"), "not_running");
    EXPECT_EQ(channels.text("items.0.queued"), "0");
    const Answer plugins = get("/api/v1/plugins", owner_);
    EXPECT_EQ(plugins.text("items.1.instance"), "whatsapp");
    EXPECT_EQ(plugins.text("items.1.plugin"), "twilio_whatsapp");
    EXPECT_EQ(get("/api/v1/plugins/sms", owner_).status(), 200);
    EXPECT_EQ(get("/api/v1/plugins/none", owner_).status(), 404);
}

TEST_F(Reading, TellsEverybodyWhetherTheHubIsReady) {
    EXPECT_EQ(get("/health/live", "").response.body, R"({"status":"live"})");
    const Answer ready = get("/health/ready", "");
    EXPECT_EQ(ready.status(), 200);
    EXPECT_EQ(ready.text("checks.store"), "up");
    context_.readiness = [] { return Readiness{.status = "stopping"}; };
    EXPECT_EQ(get("/health/ready", "").status(), 503);
    EXPECT_EQ(get("/health/ready", "").text("status"), "stopping");
}

TEST_F(Reading, UsesIndexes) {
    using namespace sql;
    for (const Statement* statement :
         {&idempotency_begin, &idempotency_end, &idempotency_get, &idempotency_drop, &message_last,
          &message_history, &idempotency_release, &channel_state_all}) {
        for (const auto& problem : plan_problems(store_, *statement)) ADD_FAILURE() << problem;
    }
}

}  // namespace
}  // namespace patchbay
